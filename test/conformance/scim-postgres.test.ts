import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { startScimService } from "../support/scim-service.ts";
import { scimSuite } from "./scim-suite.ts";

describeReal("SCIM on PostgreSQL", await sharedPostgres(), (server) => {
  scimSuite("PostgreSQL", () => startScimService({ open: (clock) => server.openStore(clock) }));
});
