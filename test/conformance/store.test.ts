import { fileStores } from "../support/file-stores.ts";
import { openFileStore, openMemoryStore } from "../support/store.ts";
import { storeSuite } from "./store-suite.ts";

storeSuite("SQLite in memory", openMemoryStore);
storeSuite("SQLite in a file", fileStores(), openFileStore);
