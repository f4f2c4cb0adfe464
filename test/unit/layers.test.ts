// Goal: the import table of src/README.md is true, and stays so.
// Method: parse every file of src, compare; then plant each kind of violation and see that it is caught.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  globalOffences,
  importCycles,
  layerOffences,
  libraryOffences,
  readSource,
  readTable,
  sizeOf,
  sizeOffences,
  styleOffences,
  type HomeRule,
  type RoomRule,
  type SourceFile,
} from "../support/source-rules.ts";

const readme = readFileSync(new URL("../../src/README.md", import.meta.url), "utf8");
const manifest = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { dependencies: Record<string, string> };

const rules: readonly RoomRule[] = readTable(readme, "room").flatMap(([rooms, , allowed]) =>
  (rooms ?? []).map((room) => ({
    room: room.replace(/\/$/, ""),
    mayImport: (allowed ?? []).filter((item) => item !== "nothing"),
  })),
);
const homes: readonly HomeRule[] = readTable(readme, "thing").map(([thing, allowed]) => ({
  thing: thing?.[0] ?? "",
  homes: allowed ?? [],
}));
const bounds = { file: 400, function: 100 };
const larger = new Map(
  readTable(readme, "longer than that").map(([path, lines, longest]) => [
    path?.[0] ?? "",
    { file: Number(lines?.[0]) || bounds.file, function: Number(longest?.[0]) || bounds.function },
  ]),
);
const boundsOf = (path: string) => larger.get(path) ?? bounds;
const files = readSource();

describe("src", () => {
  test("is read whole", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(rules.length).toBeGreaterThan(20);
    expect(homes.length).toBeGreaterThan(10);
  });

  test("imports only what the table of rooms allows", () => {
    expect(layerOffences(files, rules)).toEqual([]);
  });

  test("uses each package and each guarded global at its home only", () => {
    expect([...libraryOffences(files, homes), ...globalOffences(files, homes)]).toEqual([]);
  });

  test("has no circle of imports", () => {
    expect(importCycles(files)).toEqual([]);
  });

  test("has no any, no default export, no mark of unfinished work, and names that say something", () => {
    expect(styleOffences(files)).toEqual([]);
  });

  test("keeps files and functions short, but for those that the table names", () => {
    expect(sizeOffences(files, boundsOf)).toEqual([]);
  });

  test("has no file in that table which needs it no more, or needs far less", () => {
    const slack = 60;
    const stale = [...larger].filter(([path, allowed]) => {
      const file = files.find((item) => item.path === path);
      if (file === undefined) return true;
      const size = sizeOf(file);
      const fits = (kind: "file" | "function") =>
        allowed[kind] === bounds[kind] ||
        size[kind] > Math.max(bounds[kind], allowed[kind] - slack);
      return !fits("file") || !fits("function");
    });
    expect(stale).toEqual([]);
  });

  test("gives every dependency a home and has no home without a dependency", () => {
    const packages = homes.map((home) => home.thing).filter((thing) => /^(@?[a-z])/.test(thing));
    const ours = packages.filter(
      (name) =>
        !name.startsWith("node:") &&
        !name.includes(" ") &&
        !name.startsWith("process.") &&
        name !== "fetch",
    );
    expect(ours.toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
  });
});

describe("a planted violation is caught:", () => {
  const planted = (path: string, text: string): readonly SourceFile[] => [{ path, text }];

  test.each([
    ["model/ids.ts", 'import { a } from "../sync/recompute.ts";'],
    ["model/ids.ts", 'export type { A } from "../plan/plan.ts";'],
    ["apply/look.ts", 'import { anthropic } from "../connectors/anthropic/facts.ts";'],
    ["connectors/anthropic/facts.ts", 'import { a } from "../instantly/facts.ts";'],
    ["connectors/anthropic/facts.ts", 'import { a } from "../registry.ts";'],
    ["scim/patch.ts", 'const a = await import("../adapters/sqlite/sqlite-store.ts");'],
    ["console/api.ts", 'let a: import("../http/vendor-client.ts").A;'],
    ["sync/recompute.ts", 'import { createSweep } from "../events/sweep.ts";'],
    ["plan/plan.ts", 'new Worker(new URL("../adapters/sqlite/writer.ts", import.meta.url));'],
    ["somewhere/new.ts", "export const a = 1;"],
    ["loose.ts", "export const a = 1;"],
  ])("an arrow or a room that the table lacks, in %s: %s", (path, text) => {
    expect(layerOffences(planted(path, text), rules)).toEqual([expect.stringContaining(path)]);
  });

  test.each([
    ["mapping/load.ts", 'import express from "express";'],
    ["scim/patch.ts", 'import { request } from "undici";'],
    ["apply/look.ts", 'import { DatabaseSync } from "node:sqlite";'],
    ["apply/look.ts", 'import { chunk } from "lodash";'],
    ["apply/look.ts", 'import { chunk } from "@scope/package/part";'],
  ])("a package away from home, in %s: %s", (path, text) => {
    expect(libraryOffences(planted(path, text), homes)).toEqual([expect.stringContaining(path)]);
  });

  test.each([
    "const a = process.env.PATH;",
    'const a = process["env"];',
    'import { env } from "node:process";',
    "const a = Date.now();",
    "const a = new Date();",
    "const a = Date();",
    "const now = Date.now;",
    "const a = performance.now();",
    "setTimeout(() => 1, 1);",
    "globalThis.setInterval(() => 1, 1);",
    'import { setTimeout } from "node:timers/promises";',
    "const a = Math.random();",
    'import { randomBytes } from "node:crypto";',
    'import { randomUUID as id } from "node:crypto";',
    "crypto.getRandomValues(new Uint8Array(1));",
    'const a = fetch("https://example.com");',
    'console.log("a");',
    "AbortSignal.timeout(1);",
  ])("a guarded global away from home: %s", (text) => {
    expect(globalOffences(planted("apply/look.ts", text), homes)).toHaveLength(1);
  });

  test("reading a given moment is no look at the clock", () => {
    const text = "export const a = (ms: number) => new Date(ms).toISOString();";
    expect(globalOffences(planted("apply/look.ts", text), homes)).toEqual([]);
  });

  test.each([
    "export const a = (b: any) => b;",
    "export default 1;",
    "export default function a() {}",
    "const a = 1; export { a as default };",
    "// TODO: later",
  ])("a habit: %s", (text) => {
    expect(styleOffences(planted("apply/look.ts", text))).toHaveLength(1);
  });

  test.each(["apply/utils.ts", "apply/index.ts", "apply/RunStep.ts", "a/b/c/d/e.ts"])(
    "a name: %s",
    (path) => {
      expect(styleOffences(planted(path, "export const a = 1;"))).toHaveLength(1);
    },
  );

  test("a circle, of types too", () => {
    const circle = [
      { path: "model/a.ts", text: 'import type { B } from "./b.ts";' },
      { path: "model/b.ts", text: 'import { c } from "./c.ts";' },
      { path: "model/c.ts", text: 'export * from "./a.ts";' },
    ];
    expect(importCycles(circle)).toEqual(["model/a.ts -> model/b.ts -> model/c.ts -> model/a.ts"]);
  });

  test("a file and a function beyond the bounds", () => {
    const long = `export function a() {\n${"  b();\n".repeat(450)}}\n`;
    expect(sizeOffences([{ path: "apply/long.ts", text: long }], boundsOf)).toEqual([
      "apply/long.ts: 452 lines",
      "apply/long.ts: a function of 452 lines",
    ]);
  });
});
