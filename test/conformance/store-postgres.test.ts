import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { storeSuite } from "./store-suite.ts";

describeReal("stores on PostgreSQL", await sharedPostgres(), (server) => {
  storeSuite("PostgreSQL", (clock) => server.openStore(clock));
});
