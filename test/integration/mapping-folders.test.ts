// Goal: processes with different mapping folders never take turns: one version is active, every worker works by it, and a folder gets its
// turn once, when the process that was there before is gone, killed ones too.
// Method: two real processes on one PostgreSQL, each with a folder of its own, stopped, started again and killed.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { startRolecall, type RolecallProcess } from "../support/rolecall-process.ts";

const long = { timeoutMs: 120_000, everyMs: 100 };
const roles = ["claude_code_user", "developer"] as const;

describeReal("two processes with different mapping folders", await sharedPostgres(), (postgres) => {
  let database: Awaited<ReturnType<typeof postgres.database>>;
  let client: Client;
  let folder: string;
  const running: RolecallProcess[] = [];

  beforeAll(async () => {
    database = await postgres.database();
    client = new Client({ connectionString: database.url });
    await client.connect();
    folder = await mkdtemp(join(tmpdir(), "rolecall-folders-"));
    for (const role of roles) {
      await mkdir(join(folder, role, "acme"), { recursive: true });
      await writeFile(
        join(folder, role, "acme", "anthropic.yaml"),
        `version: 1
vendor: anthropic
connection: { credential: sealed:anthropic-admin }
mode: report-only
rules:
  - id: everybody
    when: { group: Everybody }
    grant: [{ kind: org_role, role: ${role} }]
`,
      );
    }
  }, 300_000);
  afterAll(async () => {
    await Promise.all(running.map((process) => process.stop()));
    await client.end();
    await database.release();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const start = async (role: (typeof roles)[number]) => {
    const started = await startRolecall({
      roles: "api,relay,worker,scheduler",
      adminToken: `rco_${"o".repeat(43)}`,
      env: {
        DATABASE_URL: database.url,
        ROLECALL_SANDBOX: "1",
        // Nobody is there: report-only, and no account of anybody is read.
        ROLECALL_SANDBOX_VENDORS: "anthropic=http://127.0.0.1:1",
        ROLECALL_SEAL_KEY: "0".repeat(64),
        ROLECALL_SCIM_TOKEN: `rcs_${"s".repeat(43)}`,
        ROLECALL_INSTANCE: "folders",
        ROLECALL_TENANT: "acme",
        ROLECALL_MAPPINGS: join(folder, role),
      },
    });
    running.push(started);
    return started;
  };
  /** Roles that the versions give, oldest first, the active one marked. */
  const versions = async () => {
    const { rows } = await client.query<{ document: string; state: string }>(
      "SELECT document, state FROM mapping_versions ORDER BY proposed_at",
    );
    return rows.map(({ document, state }) => {
      const role = roles.find((name) => document.includes(`"${name}"`)) ?? "none";
      return state === "active" ? `${role} active` : role;
    });
  };
  const says = (process: RolecallProcess, message: RegExp) =>
    eventually(() => process.lines().some((line) => message.test(line.message)), long);
  const takes = /mapping files of this process were taken/;
  const waits = /another process takes its mapping files/;

  test("work by one version, whoever starts, and the other folder gets its turn when its time comes", async () => {
    const older = await start("claude_code_user");
    await says(older, takes);
    const newer = await start("developer");
    await says(newer, waits);
    expect(newer.said()).toContain("another process takes its own; these wait until it has gone");
    expect(await versions()).toEqual(["claude_code_user active"]);
    for (const process of [older, newer]) {
      const { mappings } = await process.api("GET", "/mappings");
      expect(mappings).toEqual([expect.objectContaining({ state: "active" })]);
    }

    // The end of a roll-out: what started last has the word.
    await older.stop();
    await says(newer, takes);
    await eventually(async () => {
      expect(await versions()).toEqual(["claude_code_user", "developer active"]);
    }, long);

    // One with the old folder comes back, and changes nothing.
    const stale = await start("claude_code_user");
    await says(stale, waits);
    expect(await versions()).toEqual(["claude_code_user", "developer active"]);

    // Killed, it gives nothing back: its word counts until its lease is over, for which nobody waits a minute here.
    await newer.kill();
    const held = await client.query(
      "UPDATE schedules SET lease_until = 0 WHERE job = 'mapping.files' AND lease_until > 0",
    );
    expect(held.rowCount).toBe(1);
    await says(stale, takes);
    await eventually(async () => {
      expect(await versions()).toEqual([
        "claude_code_user",
        "developer",
        "claude_code_user active",
      ]);
    }, long);
  }, 300_000);
});
