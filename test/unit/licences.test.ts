// Goal: nobody takes a package in whose licence we do not accept, or that could be exchanged underneath us.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

interface Locked {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(
  readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"),
) as { readonly packages: Readonly<Record<string, Locked>> };
const packages = Object.entries(lock.packages)
  .filter(([path]) => path !== "")
  .map(([path, locked]) => ({ name: path.replace(/^.*node_modules\//, ""), ...locked }));

/** What goes into the image. */
const ofService = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "MIT-0",
  "Unlicense",
  "Zlib",
];
/** What only builds and tests use, unchanged. */
const ofTools = [...ofService, "CC-BY-3.0", "CC-BY-4.0", "MPL-2.0", "Python-2.0"];

/** Whether an SPDX expression of licences can be met with those of a list. */
function accepted(expression: string | undefined, list: readonly string[]): boolean {
  if (expression === undefined) return false;
  const plain = expression.replace(/^\((.*)\)$/, "$1");
  if (plain.includes(" OR "))
    return plain.split(" OR ").some((part) => accepted(part.trim(), list));
  if (plain.includes(" AND "))
    return plain.split(" AND ").every((part) => accepted(part.trim(), list));
  return list.includes(plain);
}

const refused = (service: boolean, list: readonly string[]) =>
  packages
    .filter(({ dev }) => (dev !== true) === service)
    .filter(({ license }) => !accepted(license, list))
    .map(({ name, license }) => `${name}: ${String(license)}`);

describe("licences", () => {
  test("every package of the service is under a licence that we accept", () => {
    expect(packages.filter(({ dev }) => dev !== true).length).toBeGreaterThan(20);
    expect(refused(true, ofService)).toEqual([]);
  });

  test("every tool is under a licence that allows its use", () => {
    expect(refused(false, ofTools)).toEqual([]);
  });

  test("an unknown, a missing and a forbidden one would be seen", () => {
    for (const license of [undefined, "GPL-3.0-only", "(MIT AND GPL-2.0)", "SEE LICENSE IN x", ""])
      expect(accepted(license, ofTools), String(license)).toBe(false);
    for (const license of ["MIT", "(MIT OR GPL-3.0-only)", "(MIT AND Zlib)"])
      expect(accepted(license, ofService), license).toBe(true);
  });
});

test("every package has a hash in the lockfile", () => {
  expect(
    packages.filter(({ integrity }) => !/^sha512-/.test(integrity ?? "")).map((p) => p.name),
  ).toEqual([]);
});

test("no package of the service runs a script when it is installed", () => {
  const scripted = packages.filter(
    ({ dev, hasInstallScript }) => dev !== true && hasInstallScript === true,
  );
  expect(scripted.map(({ name }) => name)).toEqual([]);
});
