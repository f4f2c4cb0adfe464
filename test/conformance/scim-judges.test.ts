// Goal: checkers that nobody here wrote find nothing to say about our SCIM.
// Method: the router on a store in memory and a real socket; each judge is a process that speaks HTTP with it.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pythonWith } from "../support/python/python-packages.ts";
import { describeReal } from "../support/real-server.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

const run = promisify(execFile);
const checkScim = fileURLToPath(new URL("../support/python/check-scim.py", import.meta.url));
const judgeMs = 300_000;

interface Verdict {
  readonly status: string;
  readonly check: string;
  readonly type: string | null;
  readonly reason: string | null;
}

interface SanityReport {
  readonly results: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
  }[];
}

/** Standard output, whatever the exit code: judges say with it that they found something. */
async function outputOf(command: string, args: readonly string[]): Promise<string> {
  const options = {
    timeout: judgeMs,
    maxBuffer: 33_554_432,
    env: { ...process.env, NO_PROXY: "*" },
  };
  try {
    return (await run(command, args, options)).stdout;
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (stdout === undefined || stdout === "") throw error;
    return stdout;
  }
}

describeReal("independent judges of SCIM", await pythonWith("scim-judges"), (python) => {
  let service: ScimService;
  beforeAll(async () => {
    service = await startScimService();
  });
  afterAll(() => service.close());

  it(
    "scim2-tester: every check is a success",
    async () => {
      const text = await outputOf(python, [checkScim, service.baseUrl, service.token]);
      const verdicts = text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Verdict);
      expect(verdicts.filter((verdict) => verdict.status !== "SUCCESS")).toEqual([]);
      // A judge that asks nothing finds nothing.
      expect(verdicts.length).toBeGreaterThan(110);
    },
    judgeMs,
  );

  it(
    "scim-sanity: fails nothing but the 204 that RFC 7644 section 3.5.2 allows and Entra ID wants for groups",
    async () => {
      const text = await outputOf(python, [
        ...["-m", "scim_sanity", "probe", service.baseUrl],
        ...["--token", service.token, "--i-accept-side-effects", "--json-output"],
      ]);
      const { results } = JSON.parse(text) as SanityReport;
      const notPassed = results
        .filter((result) => result.status !== "pass")
        .map((result) => `${result.status} ${result.name}: ${result.message}`);
      expect(notPassed).toEqual([
        "fail PATCH /Groups/{id}: Expected HTTP 200, got 204 (RFC 7644 §3.3); Response body is empty",
        "fail PATCH /Groups/{id} add member: Expected 200, got 204",
        "fail PATCH /Groups/{id} remove members: Expected 200, got 204",
        "skip Agent CRUD Lifecycle: Agent not supported by server",
        "skip AgenticApplication CRUD Lifecycle: AgenticApplication not supported by server",
        "skip Agent Rapid Lifecycle: Agent not supported or not in scope",
      ]);
      expect(results.length).toBeGreaterThan(25);
    },
    judgeMs,
  );
});
