import { defineConfig } from "vitest/config";

/** What takes hours and belongs to no ordinary run: `npm run test:long`. */
export default defineConfig({
  test: {
    name: "long",
    pool: "threads",
    include: ["test/**/*.long.ts"],
    testTimeout: 12 * 3_600_000,
    hookTimeout: 15 * 60_000,
    maxWorkers: 1,
  },
});
