import { describe, expect, test } from "vitest";
import { codeOf, intercom } from "./intercom-fixture.ts";

const preview = { "intercom-version": "Preview" };

async function stage() {
  const context = await intercom();
  const { simulator, call } = context;
  const ids = ["ada", "bo", "cy"].map((name) =>
    Number(simulator.control.seedAdmin({ email: `${name}@example.com` }).id),
  ) as [number, number, number];
  const emails = ["ada@example.com", "bo@example.com"];
  const balanced = simulator.control.addTeam({ name: "Billing", method: "load_balanced", emails });
  const plain = simulator.control.addTeam({ name: "Sales", emails });
  const put = (id: string, json: unknown, query = "") =>
    call("PUT", `/teams/${id}${query}`, json, preview);
  return { ...context, ids, balanced, plain, put };
}

describe("the preview write of team members", () => {
  test("replaces the whole membership, and the same list changes nothing", async () => {
    const { ids, balanced, put, simulator } = await stage();
    const [ada, , cy] = ids;
    const written = await put(balanced.id, { admin_ids: [ada, cy] });
    expect(written.body).toMatchObject({ admin_ids: [ada, cy] });
    const logged = simulator.state().activity.length;
    expect((await put(balanced.id, { admin_ids: [ada, cy] })).status).toBe(200);
    expect(simulator.state().activity).toHaveLength(logged);
  });

  test("is not there in numbered versions, and not in a workspace that lacks it", async () => {
    const { ids, plain, put, call, simulator } = await stage();
    const old = await call("PUT", `/teams/${plain.id}`, { admin_ids: ids });
    expect(codeOf(old)).toBe("intercom_version_invalid");
    simulator.control.changeSettings({ teamWrite: false });
    const refused = await put(plain.id, { admin_ids: ids });
    expect([refused.status, codeOf(refused)]).toEqual([403, "api_plan_restricted"]);
  });

  test("never empties a team, and takes integers only, of admins that are there", async () => {
    const { ids, plain, put } = await stage();
    for (const admin_ids of [[], [String(ids[0])], [1.5], [42], undefined]) {
      const refused = await put(plain.id, { admin_ids });
      expect([admin_ids, refused.status, codeOf(refused)]).toEqual([
        admin_ids,
        400,
        "parameter_invalid",
      ]);
    }
    expect(codeOf(await put("1", { admin_ids: ids }))).toBe("team_not_found");
  });

  test("takes back what was read, and refuses changed and unknown fields and a query", async () => {
    const { ids, balanced, put, call } = await stage();
    const { body } = await call("GET", `/teams/${balanced.id}`);
    expect((await put(balanced.id, { ...body, admin_ids: ids })).status).toBe(200);
    const renamed = await put(balanced.id, { ...body, name: "Other", admin_ids: ids });
    expect(renamed.text).toContain("but the request changed name");
    expect((await put(balanced.id, { admin_ids: ids, emoji: "x" })).status).toBe(400);
    expect((await put(balanced.id, { admin_ids: ids }, "?admin_ids=1")).status).toBe(400);
  });

  test("levels: unnamed members keep theirs, who joins is primary, and each contradiction is refused", async () => {
    const { ids, balanced, plain, put } = await stage();
    const [ada, bo, cy] = ids;
    const level = (secondary: number[], primary: number[] = []) => ({
      secondary_admin_ids: secondary,
      primary_admin_ids: primary,
    });
    const set = await put(balanced.id, { admin_ids: [ada, bo], admin_priority_level: level([bo]) });
    expect(set.body["admin_priority_level"]).toEqual({
      primary_admin_ids: [ada],
      secondary_admin_ids: [bo],
    });
    const kept = await put(balanced.id, { admin_ids: [ada, bo, cy] });
    expect(kept.body["admin_priority_level"]).toEqual({
      primary_admin_ids: [ada, cy],
      secondary_admin_ids: [bo],
    });
    // Somebody who is removed may be named.
    const removed = await put(balanced.id, { admin_ids: [ada], admin_priority_level: level([bo]) });
    expect(removed.body["admin_ids"]).toEqual([ada]);
    const twice = { admin_ids: [ada], admin_priority_level: level([ada], [ada]) };
    expect((await put(balanced.id, twice)).text).toContain("more than one priority level");
    const stranger = { admin_ids: [ada], admin_priority_level: level([cy]) };
    expect((await put(balanced.id, stranger)).text).toContain("on neither the team nor admin_ids");
    const unbalanced = { admin_ids: [ada, bo], admin_priority_level: level([bo]) };
    expect((await put(plain.id, unbalanced)).status).toBe(400);
  });

  test("both conflicts are 409: one wrote nothing, one a part", async () => {
    const { ids, plain, put, simulator } = await stage();
    simulator.faults.add({ operation: "teams.update", kind: "409" });
    const declined = await put(plain.id, { admin_ids: ids });
    expect([declined.status, codeOf(declined)]).toEqual([409, "conflict"]);
    expect(simulator.state().teams[1]?.adminIds).toEqual(ids.slice(0, 2).map(String));
    simulator.control.partlyApplyNext();
    const partly = await put(plain.id, { admin_ids: [ids[2], ids[0]] });
    expect([partly.status, partly.text.includes("partly applied")]).toEqual([409, true]);
    expect(simulator.state().teams[1]?.adminIds).toHaveLength(3);
    expect((await put(plain.id, { admin_ids: ids })).status).toBe(200);
  });

  test("a team tells how much lies with each of its members", async () => {
    const { plain, call, simulator } = await stage();
    simulator.control.seedConversation({ assignee: "ada@example.com" });
    const metrics = await call("GET", `/teams/${plain.id}/metrics`);
    expect(metrics.body).toMatchObject({ data: [{ open: 1 }, { open: 0 }] });
  });
});
