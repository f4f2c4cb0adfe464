import { describe, expect, test } from "vitest";
import { codeOf, intercom } from "./intercom-fixture.ts";

async function stage(options: Parameters<typeof intercom>[0] = {}) {
  const context = await intercom(options);
  const { call, simulator } = context;
  const ada = simulator.control.seedAdmin({ email: "ada@example.com" });
  const me = simulator.state().admins[0]?.id ?? "";
  const openOf = (id: string, pagination: object = {}) =>
    call("POST", "/conversations/search", {
      query: {
        operator: "AND",
        value: [
          { field: "admin_assignee_id", operator: "=", value: Number(id) },
          { field: "state", operator: "!=", value: "closed" },
        ],
      },
      pagination,
    });
  return { ...context, ada, me, openOf };
}

describe("conversations", () => {
  test("are found by assignee and state, page by page with a cursor in the body", async () => {
    const { ada, openOf, call, simulator } = await stage();
    for (let i = 0; i < 3; i++) simulator.control.seedConversation({ assignee: ada.email });
    simulator.control.seedConversation({ assignee: ada.email, state: "closed" });
    const first = await openOf(ada.id, { per_page: 2 });
    expect(first.body).toMatchObject({ total_count: 3, conversations: [{}, {}] });
    const { next } = first.body["pages"] as { next: { starting_after: string } };
    const second = await openOf(ada.id, { per_page: 2, starting_after: next.starting_after });
    expect(second.body["conversations"]).toHaveLength(1);
    expect((second.body["pages"] as { next?: unknown }).next).toBeUndefined();
    const inQuery = await call(
      "POST",
      `/conversations/search?starting_after=${next.starting_after}`,
      {
        query: { field: "state", operator: "=", value: "open" },
        pagination: { per_page: 2 },
      },
    );
    expect((inQuery.body["pages"] as { page: number }).page).toBe(1);
  });

  test("a search refuses unknown fields and operators, and more than two levels or fifteen filters", async () => {
    const { call, simulator } = await stage();
    simulator.control.seedConversation({});
    const leaf = { field: "state", operator: "=", value: "open" };
    const group = (value: unknown[]) => ({ operator: "AND", value });
    for (const query of [
      { ...leaf, field: "mood" },
      { ...leaf, operator: "~~" },
      group([group([group([leaf])])]),
      group(Array.from({ length: 16 }, () => leaf)),
      5,
    ]) {
      const refused = await call("POST", "/conversations/search", { query });
      expect([query, refused.status]).toEqual([query, 400]);
    }
    expect((await call("POST", "/conversations/search", { query: group([leaf]) })).status).toBe(
      200,
    );
  });

  test("the index shows a changed conversation as it was, for as long as the setting says", async () => {
    const { ada, me, openOf, call, clock, simulator } = await stage({
      settings: { searchLagMs: 30_000 },
    });
    const one = simulator.control.seedConversation({ assignee: ada.email });
    await clock.advance(60_000);
    const assign = { message_type: "assignment", type: "admin", admin_id: me, assignee_id: "0" };
    await call("POST", `/conversations/${one.id}/parts`, assign);
    expect((await openOf(ada.id)).body["total_count"]).toBe(1);
    expect((await call("GET", `/conversations/${one.id}`)).body["admin_assignee_id"]).toBe(0);
    await clock.advance(30_000);
    expect((await openOf(ada.id)).body["total_count"]).toBe(0);
  });

  test("go to a team and away from a teammate in two writes, and one that was closed opens", async () => {
    const { ada, me, call, simulator } = await stage();
    const team = simulator.control.addTeam({ name: "Billing", emails: [ada.email] });
    const one = simulator.control.seedConversation({ assignee: ada.email, state: "closed" });
    const manage = (json: object) =>
      call("POST", `/conversations/${one.id}/parts`, {
        message_type: "assignment",
        admin_id: me,
        ...json,
      });
    const toTeam = await manage({ type: "team", assignee_id: team.id });
    expect(toTeam.body).toMatchObject({
      state: "open",
      team_assignee_id: Number(team.id),
      admin_assignee_id: Number(ada.id),
      conversation_parts: {
        conversation_parts: [
          { part_type: "assign_and_reopen", assigned_to: { type: "team", id: team.id } },
        ],
      },
    });
    expect((await manage({ type: "admin", assignee_id: "0" })).body["admin_assignee_id"]).toBe(0);
    expect(codeOf(await manage({ type: "team", assignee_id: "1" }))).toBe("assignee_not_found");
    simulator.control.setSeat(ada.email, false);
    expect((await manage({ type: "admin", assignee_id: ada.id })).status).toBe(400);
    for (const json of [{ message_type: "close", type: "admin" }, { message_type: "open" }]) {
      expect((await manage(json)).status).toBe(200);
    }
    const snoozed = await manage({ message_type: "snoozed", snoozed_until: 1_900_000_000 });
    expect(snoozed.body).toMatchObject({ state: "snoozed", snoozed_until: 1_900_000_000 });
  });

  test("carry notes, and are not written in a plan without them", async () => {
    const { ada, me, call, simulator } = await stage();
    const one = simulator.control.seedConversation({ assignee: ada.email, tags: ["billing"] });
    const note = { message_type: "note", type: "admin", admin_id: me, body: "handed over" };
    const noted = await call("POST", `/conversations/${one.id}/reply`, note);
    expect(noted.body).toMatchObject({
      tags: { tags: [{ name: "billing" }] },
      conversation_parts: {
        conversation_parts: [{ part_type: "note", body: "<p>handed over</p>" }],
      },
    });
    expect(codeOf(await call("POST", "/conversations/1/reply", note))).toBe("not_found");
    simulator.control.changeSettings({ conversationWrite: false });
    const refused = await call("POST", `/conversations/${one.id}/reply`, note);
    expect([refused.status, codeOf(refused)]).toEqual([403, "api_plan_restricted"]);
  });
});
