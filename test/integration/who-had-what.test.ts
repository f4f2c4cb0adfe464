// Goal: what somebody had at an instant is told from the record alone, and the record is searched page by page.
// Method: a joiner, mover and leaver through the real store, sync and apply; the operations of the API behind the real commands.
import { beforeAll, afterAll, describe, expect, test } from "vitest";
import { auditCommands } from "../../src/cli/audit-view.ts";
import type { Invocation } from "../../src/cli/command.ts";
import type { ConsoleDeps } from "../../src/console/operation.ts";
import { recordOperations } from "../../src/console/operations/records.ts";
import { readCsv } from "../../src/csv/csv-file.ts";
import type { Json } from "../../src/model/json.ts";
import { mapping, StoryWorld, tenantId, type StoryPerson } from "../support/story-world.ts";

const byToken = { purpose: undefined, expiresAt: undefined };
const minute = 60_000;
const operator = { kind: "operator" as const, id: "ida" };

describe("the record of one person's time", () => {
  let world: StoryWorld;
  let ada: StoryPerson;
  const times: Record<"before" | "joined" | "moved" | "left", string> = {
    ...{ before: "", joined: "", moved: "", left: "" },
  };
  const now = () => new Date(world.clock.now()).toISOString();

  beforeAll(async () => {
    world = await StoryWorld.open({ mapping: mapping() });
    times.before = now();
    await world.clock.advance(minute);
    world.vendor.seed("ada@example.com");
    ada = await world.hire("ada@example.com");
    const engineering = await world.group("Engineering", [ada]);
    const platform = await world.group("Platform");
    await world.pass(6 * minute);
    times.joined = now();
    await world.clock.advance(minute);
    await world.members(engineering, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.members(platform, { op: "add", memberIds: [ada.sourceUserId] });
    await world.pass(6 * minute);
    times.moved = now();
    await world.clock.advance(minute);
    await world.setActive(ada, false);
    await world.pass(26 * 60 * minute, 30 * minute);
    times.left = now();
  });
  afterAll(() => world.store.close());

  /** Runs a command against the operations themselves; answers what it printed. */
  const rolecall = async (words: string, flags: Invocation["flags"]): Promise<string> => {
    const command = auditCommands.find((item) => item.words === words);
    if (command === undefined) throw new Error(`no command ${words}`);
    let printed = "";
    const call = async (_method: string, path: string, input: Record<string, Json | undefined>) => {
      const row = recordOperations.find((item) => item.path === path);
      if (row === undefined) throw new Error(`no operation at ${path}`);
      const given = Object.fromEntries(
        Object.entries(input).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, typeof value === "object" ? value : String(value)]],
        ),
      );
      const deps = world.sync as unknown as ConsoleDeps;
      const context = { tenantId, actor: operator, via: byToken };
      const answer = await row.run(deps, context, row.input.parse(given));
      return JSON.parse(JSON.stringify(answer)) as unknown;
    };
    await command.run({
      ...{ positionals: [], flags, json: false },
      terminal: {
        out: (text) => (printed += text),
        err: () => undefined,
        isTty: false,
        columns: 80,
        readStdin: () => Promise.resolve(""),
      },
      api: () => Promise.resolve({ call: (method, path, input = {}) => call(method, path, input) }),
    });
    return printed;
  };
  const had = async (at: string) =>
    readCsv(await rolecall("access", { at, format: "csv" })).map(
      (row) => `${row["kind"] ?? ""} ${row["role"] ?? ""}: ${row["trust"] ?? ""}`,
    );

  test("says what they had before, after joining, after moving and after leaving", async () => {
    expect(await had(times.before)).toEqual([]);
    expect(await had(times.joined)).toEqual([
      "org_role user: verified",
      "workspace writer: verified",
    ]);
    expect(await had(times.moved)).toEqual([
      ...["org_role developer: verified", "workspace writer: verified"],
    ]);
    expect(await had(times.left)).toEqual([" nothing, proven absent: verified"]);
  });

  test("names person, rules and the record that says so, as a table and as lines of JSON", async () => {
    const lines = (
      await rolecall("access", { at: times.joined, person: ada.email, format: "ndjson" })
    )
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ userName: ada.email, trust: "verified", wished: true });
    const [record] = (await world.store.findRecords(tenantId, { limit: 1_000 })).filter(
      (item) => item.record.recordId === lines[0]?.["recordId"],
    );
    expect(record?.record.action).toBe("target.reached");
    const shown = await rolecall("access", { at: times.joined });
    expect(shown).toContain("verified");
    expect(await rolecall("access", { at: times.before })).toContain("nobody had anything");
  });

  test("is searched by action, person and period, in pages, as CSV", async () => {
    const search = async (flags: Invocation["flags"]) =>
      readCsv(await rolecall("audit query", { format: "csv", ...flags }));
    const grants = await search({ action: "grant.*", person: ada.email });
    expect(grants.map((row) => row["action"])).toEqual([
      ...["grant.revoked", "grant.set", "grant.set"],
    ]);
    const late = await search({ action: "grant.*", from: times.joined });
    expect(late).toHaveLength(2);
    expect(await search({ action: "grant.*", to: times.joined })).toHaveLength(1);
    const all = await search({ all: true });
    const count = (await world.store.findRecords(tenantId, { limit: 10_000 })).length;
    expect(all).toHaveLength(count);
    // What is taken out is recorded before it is.
    const newest = await search({ limit: "3" });
    expect(newest[0]).toMatchObject({ action: "audit.exported", actor: "ida" });
    expect(newest.slice(1)).toEqual(all.slice(0, 2));
    expect(await search({ subject: `identity:${ada.identityId}`, actor: "test" })).not.toEqual([]);
    // Addresses are beside the leaves, never in rows.
    expect(JSON.stringify(all)).not.toContain(ada.email);
  });

  test("refuses what is no instant and no format", async () => {
    await expect(rolecall("access", { at: "yesterday" })).rejects.toThrow("write a day");
    await expect(rolecall("audit query", { format: "xml" })).rejects.toThrow("--format is one of");
  });
});
