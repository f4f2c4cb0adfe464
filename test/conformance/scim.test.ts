import { startScimService } from "../support/scim-service.ts";
import { scimSuite } from "./scim-suite.ts";

scimSuite("a store in memory", () => startScimService());
scimSuite("a store on disk", () => startScimService({ file: true }));
