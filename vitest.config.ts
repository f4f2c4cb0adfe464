import { defineConfig } from "vitest/config";

const common = { pool: "threads" as const, testTimeout: 20_000, hookTimeout: 30_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...common,
          name: "house",
          include: ["test/unit/*.test.ts"],
          // They read every source file; on a busy machine that takes its time.
          testTimeout: 120_000,
        },
      },
      { test: { ...common, name: "unit", include: ["test/unit/*/**/*.test.ts"] } },
      { test: { ...common, name: "conformance", include: ["test/conformance/**/*.test.ts"] } },
      {
        test: {
          ...common,
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
      {
        test: {
          ...common,
          name: "simulation",
          include: ["test/simulation/**/*.test.ts"],
          testTimeout: 120_000,
        },
      },
    ],
  },
});
