import { openFileStore, openMemoryStore } from "../support/store.ts";
import { accountStoreSuite } from "./account-store-suite.ts";

accountStoreSuite("SQLite in memory", openMemoryStore);
accountStoreSuite("SQLite in a file", openFileStore);
