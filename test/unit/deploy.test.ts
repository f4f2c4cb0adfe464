// Goal: what the deployment files say fits the code: names of settings, ports, roles.
// Method: read each file as its own tool would, then compare with the tables in code.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DockerfileParser } from "dockerfile-ast";
import { validate, ValidationSeverity } from "dockerfile-utils";
import { describe, expect, test } from "vitest";
import { settings } from "../../src/config/settings.ts";
import { secretNames, settingNames } from "../support/deployment-files.ts";
import { dockerContext } from "../support/hand-built-image.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("Dockerfile", () => {
  const text = read("Dockerfile");
  const parsed = DockerfileParser.parse(text);
  const steps = parsed.getInstructions();
  const last = steps.findLastIndex((step) => step.getKeyword() === "FROM");
  const of = (keyword: string, from = last) =>
    steps.slice(from).filter((step) => step.getKeyword() === keyword);

  test("has nothing that a linter objects to", () => {
    const settingsOfLinter = {
      deprecatedMaintainer: ValidationSeverity.ERROR,
      directiveCasing: ValidationSeverity.ERROR,
      emptyContinuationLine: ValidationSeverity.ERROR,
      instructionCasing: ValidationSeverity.ERROR,
      instructionCmdMultiple: ValidationSeverity.ERROR,
      instructionEntrypointMultiple: ValidationSeverity.ERROR,
      instructionHealthcheckMultiple: ValidationSeverity.ERROR,
      instructionJSONInSingleQuotes: ValidationSeverity.ERROR,
      instructionWorkdirRelative: ValidationSeverity.ERROR,
    };
    const messages = (dockerfile: string) =>
      validate(dockerfile, settingsOfLinter).map((problem) => problem.message);
    expect(messages(text)).toEqual([]);
    expect(messages(text.replace("VOLUME", "VOLUMES"))).toHaveLength(1);
  });

  test("builds on one image of Node.js 24 and installs from the lockfile, without scripts of packages", () => {
    const bases = parsed.getFROMs().map((from) => from.getArguments()[0]?.getValue());
    expect(new Set(bases)).toEqual(new Set(["${NODE_IMAGE}"]));
    expect(text).toMatch(/^ARG NODE_IMAGE=node:24-[a-z]+-slim$/m);
    const installs = of("RUN", 0).map((step) => step.getArgumentsContent() ?? "");
    expect(installs.filter((command) => command.startsWith("npm"))).toEqual([
      "npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund",
    ]);
    expect(of("ADD", 0)).toEqual([]);
  });

  test("ends as a numbered user who is not root, with a health check and the default ports", () => {
    expect(of("USER").at(-1)?.getArgumentsContent()).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(of("HEALTHCHECK")).toHaveLength(1);
    expect(of("EXPOSE")[0]?.getArgumentsContent()).toBe(
      `${settings.port.default} ${settings.operatorPort.default}`,
    );
  });

  test("sets known settings only, and no secret", () => {
    const names = of("ENV", 0).flatMap((step) =>
      step.getArguments().map((argument) => argument.getValue().split("=")[0] ?? ""),
    );
    expect(names.filter((name) => name !== "NODE_ENV" && !settingNames.has(name))).toEqual([]);
    expect(names.filter((name) => secretNames.has(name))).toEqual([]);
  });

  test("gets nothing from the folder but what it needs", () => {
    const allowed = dockerContext(read(".dockerignore"));
    for (const path of ["src/bin.js", "mappings/default/tenant.yaml", "package-lock.json"])
      expect([path, allowed(path)]).toEqual([path, true]);
    for (const path of [
      ".env",
      ".git/config",
      "data/seal.key",
      "data/bootstrap.json",
      "test/unit/deploy.test.ts",
      "node_modules/express/index.js",
      "src/README.md",
      "key.txt",
    ])
      expect([path, allowed(path)]).toEqual([path, false]);
  });
});
