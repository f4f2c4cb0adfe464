import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { mappingFile } from "../../src/mapping/schema.ts";
import { asId, type AccountId } from "../../src/model/ids.ts";
import { readBaseline, signBaselineOff } from "../../src/sync/baseline.ts";
import { decideAccount, undecidedAccounts } from "../../src/sync/decide-account.ts";
import { approveMapping } from "../../src/sync/decide-mapping.ts";
import { startingMapping } from "../../src/sync/starting-mapping.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const ida = { kind: "operator" as const, id: "ida" };

/** A vendor with four known people, a stranger, and somebody who left. */
async function found() {
  const world = await StoryWorld.open({ mapping: mapping({ mode: "report-only" }) });
  const people = [];
  for (const name of ["ada", "ben", "cyd", "dan"]) {
    world.vendor.seed(`${name}@example.com`, name === "dan" ? "developer" : "user");
    people.push(await world.hire(`${name}@example.com`));
  }
  const left = await world.hire("eve@example.com");
  await world.setActive(left, false);
  world.vendor.seed("eve@example.com");
  const stranger = world.vendor.seed("stranger@example.org");
  await world.group("Engineering", people.slice(0, 2));
  await world.group("Support", people.slice(0, 3));
  await world.group("Platform", []);
  await world.pass(6 * minute);
  return { world, people, stranger };
}

const kinds = async (world: StoryWorld) =>
  (await undecidedAccounts(world.sync, tenantId, connectionId)).map(({ account, kind }) => [
    account.email,
    kind,
  ]);

describe("first contact with a vendor", () => {
  test("says who exists, who matches and what would change, and writes nothing", async () => {
    const { world } = await found();
    const baseline = await readBaseline(world.sync, tenantId, connectionId);
    expect(baseline).toMatchObject({
      mode: "report-only",
      counts: { accounts: 6, linked: 4, undecided: 2, leavers: 1, accepted: 0 },
    });
    expect(await kinds(world)).toEqual([
      ["eve@example.com", "leaver"],
      ["stranger@example.org", "unmatched"],
    ]);
    expect(baseline.changes.flatMap((item) => item.plan)).toContain(
      "grant  workspace ws_dev writer because engineers",
    );
    expect(world.vendor.writes).toEqual([]);
  });

  test("is signed for as it was seen, and not as it is by now", async () => {
    const { world } = await found();
    const { hash } = await readBaseline(world.sync, tenantId, connectionId);
    const sign = () =>
      signBaselineOff(world.sync, tenantId, { connectionId, hash, why: "read", actor: ida });
    await sign();
    expect(await world.store.getSignOff(tenantId, connectionId)).toMatchObject({
      by: "ida",
      hash,
      baseline: { accounts: 6 },
    });
    world.vendor.seed("late@example.org");
    await world.pass(day, 30 * minute);
    await expect(sign()).rejects.toThrow("look at it again");
  });

  test("comes before a connection may write at a real vendor", async () => {
    const { world } = await found();
    const proposed = await world.activate(mapping(), "auto", { live: true, actor: ida });
    if (proposed === undefined) throw new Error("nothing was proposed");
    const approve = () =>
      approveMapping(world.sync, tenantId, {
        versionId: proposed.versionId,
        actor: { kind: "operator", id: "ben" },
        operators: ["ida", "ben"],
        why: null,
        live: true,
      });
    await expect(approve()).rejects.toThrow("nobody has signed");
    const { hash } = await readBaseline(world.sync, tenantId, connectionId);
    await signBaselineOff(world.sync, tenantId, { connectionId, hash, why: "read", actor: ida });
    expect(await approve()).toMatchObject({ state: "active" });
  });

  test("can become a mapping file under which nobody is changed", async () => {
    const { world } = await found();
    const text = await startingMapping(world.sync, tenantId, connectionId);
    expect(text).toContain("org_role developer: 1 person hold it whom no group explains");
    const document = mappingFile.parse(parse(text));
    expect(document.mode).toBe("report-only");
    expect(document.rules.map((rule) => [rule.when.group, rule.grant])).toEqual([
      ["Support", [{ kind: "org_role", role: "user" }]],
    ]);
  });
});

describe("an account that is nobody's", () => {
  const accept = (world: StoryWorld, accountId: AccountId, until: number | null) =>
    decideAccount(
      world.sync,
      tenantId,
      {
        ...{ connectionId, accountId, owner: "ops@example.com", reason: "the invoice mailbox" },
        decision: { op: "accept", until },
      },
      ida,
    );

  test("stays with an owner until a day, and is a finding again after it", async () => {
    const { world, stranger } = await found();
    expect(await world.findings()).toContain("unmatched_account");
    await accept(world, stranger, world.clock.now() + 2 * day);
    await world.pass(day, 30 * minute);
    expect(await world.findings()).not.toContain("unmatched_account");
    expect(await kinds(world)).toContainEqual(["stranger@example.org", "accepted"]);
    await world.pass(2 * day, 30 * minute);
    expect(await world.findings()).toContain("unmatched_account");
  });

  test("of somebody who left stays urgent, whoever answers for it", async () => {
    const { world } = await found();
    const eve = [...world.vendor.accounts.values()].find(
      (held) => held.account.email === "eve@example.com",
    );
    await accept(world, eve?.account.accountId ?? asId("none"), null);
    await world.pass(day, 30 * minute);
    expect(await world.findings()).toContain("unlinked_lookalike");
    expect(await kinds(world)).toContainEqual(["eve@example.com", "leaver"]);
  });

  test("is linked by a decision that says who answers for it and why", async () => {
    const { world, people, stranger } = await found();
    const [ada] = people;
    if (ada === undefined) throw new Error("nobody");
    const link = (accountId: AccountId, identityId = ada.identityId) =>
      decideAccount(
        world.sync,
        tenantId,
        {
          ...{ connectionId, accountId, owner: "ida@example.com", reason: "her private address" },
          decision: { op: "link", identityId },
        },
        ida,
      );
    await expect(link(asId("acc_none"))).rejects.toThrow("was seen");
    await link(stranger);
    const [record] = await world.store.findRecords(tenantId, { limit: 1, action: "link.set" });
    expect(record?.record).toMatchObject({
      facts: { accountId: stranger, why: "her private address" },
      personal: { owner: { value: "ida@example.com" } },
    });
    expect(await world.findings()).not.toContain("unmatched_account");
  });
});
