// Goal: what the vendor's own client understands is what the simulator says, and the other way round.
import { IntercomClient, IntercomError } from "intercom-client";
import { describe, expect, test } from "vitest";
import { intercom } from "./intercom-fixture.ts";

async function stage(options: Parameters<typeof intercom>[0] = {}) {
  const context = await intercom(options);
  const { simulator } = context;
  const sdk = (token = simulator.apiKey, more: object = {}) =>
    new IntercomClient({ token, baseUrl: simulator.url, maxRetries: 0, ...more });
  const { control } = simulator;
  control.addRole("Support Agent");
  const ada = control.seedAdmin({ email: "ada@example.com", role: "Support Agent" });
  const team = control.addTeam({ name: "Billing", emails: ["ada@example.com"] });
  return { ...context, control, sdk, client: sdk(), ada, team };
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("it was expected to fail, and did not");
    },
    (error: unknown) => error,
  );

describe("the vendor's SDK", () => {
  test("reads the token's teammate and workspace, teammates and teams", async () => {
    const { client, ada, team } = await stage();
    const me = await client.admins.identify();
    expect(me).toMatchObject({ email: "owner@example.com", app: { id_code: "sb1workspace" } });
    const { admins } = await client.admins.list();
    expect(admins?.map((each) => each?.email)).toEqual(["owner@example.com", "ada@example.com"]);
    expect(await client.admins.find({ admin_id: Number(ada.id) })).toMatchObject({
      team_ids: [Number(team.id)],
    });
    expect((await client.teams.list()).teams).toMatchObject([{ name: "Billing" }]);
    expect(await client.teams.find({ team_id: team.id })).toMatchObject({
      admin_ids: [Number(ada.id)],
    });
  });

  test("hides the role in the version that it asks for by itself, and shows it in 2.16", async () => {
    const { client, sdk, simulator, ada } = await stage();
    const find = async (one: IntercomClient) => one.admins.find({ admin_id: Number(ada.id) });
    expect(await find(client)).not.toHaveProperty("role");
    const newer = sdk(simulator.apiKey, { version: "2.16" });
    expect(await find(newer)).toMatchObject({ role: { name: "Support Agent" } });
  });

  test("sets a teammate away and reads the log", async () => {
    const { client, ada } = await stage();
    const away = await client.admins.away({
      admin_id: Number(ada.id),
      away_mode_enabled: true,
      away_mode_reassign: true,
    });
    expect(away).toMatchObject({ away_mode_enabled: true });
    const log = await client.admins.listAllActivityLogs({ created_at_after: "0" });
    expect(log.activity_logs?.[0]).toMatchObject({ activity_type: "admin_away_mode_change" });
  });

  test("walks a search to its end, notes and hands over", async () => {
    const { client, control, ada, team, simulator } = await stage();
    for (let i = 0; i < 5; i++) control.seedConversation({ assignee: ada.email });
    const query = {
      operator: "AND" as const,
      value: [{ field: "admin_assignee_id", operator: "=" as const, value: Number(ada.id) }],
    };
    const ids: string[] = [];
    const found = await client.conversations.search({ query, pagination: { per_page: 2 } });
    for await (const conversation of found) ids.push(conversation.id);
    expect(new Set(ids).size).toBe(5);
    const [first = ""] = ids;
    const me = simulator.state().admins[0]?.id ?? "";
    await client.conversations.reply({
      conversation_id: first,
      body: { message_type: "note", type: "admin", admin_id: me, body: "handed over" },
    });
    const managed = await client.conversations.manage({
      conversation_id: first,
      body: { message_type: "assignment", type: "team", admin_id: me, assignee_id: team.id },
    });
    expect(managed).toMatchObject({ team_assignee_id: Number(team.id) });
    expect(await client.conversations.find({ conversation_id: first })).toMatchObject({
      conversation_parts: { total_count: 2 },
    });
  });

  test("understands every refusal as the error of its status", async () => {
    const { client, sdk, simulator } = await stage();
    const statusOf = async (promise: Promise<unknown>) => {
      const error = await errorOf(promise);
      expect(error).toBeInstanceOf(IntercomError);
      return (error as IntercomError).statusCode;
    };
    expect(await statusOf(sdk("nonsense").admins.list())).toBe(401);
    expect(await statusOf(client.admins.find({ admin_id: 1 }))).toBe(404);
    expect(await statusOf(client.teams.find({ team_id: "1" }))).toBe(404);
    simulator.control.changeSettings({ conversationWrite: false });
    const reply = client.conversations.reply({
      conversation_id: simulator.control.seedConversation({}).id,
      body: { message_type: "note", type: "admin", admin_id: "1", body: "x" },
    });
    expect(await statusOf(reply)).toBe(403);
    simulator.faults.add({ operation: "admins.list", kind: "429" });
    expect(await statusOf(client.admins.list())).toBe(429);
  });

  test("tries again by itself what is slowed down or unavailable", async () => {
    const { sdk, simulator } = await stage();
    simulator.faults.add({ operation: "teams.list", kind: "503" });
    const patient = sdk(simulator.apiKey, { maxRetries: 1 });
    expect((await patient.teams.list()).teams).toHaveLength(1);
    expect(simulator.requests.filter((each) => each.operation === "teams.list")).toHaveLength(2);
  });
});

describe("the vendor's SDK and tickets", () => {
  test("opens one, finds it among the open ones, reads it resolved, and closes another", async () => {
    const { client, control } = await stage();
    const { typeId, contactId } = control.addTicketType("Access");
    const open = (title: string) => {
      // A variable: the SDK's types lack the attributes that the vendor's document has.
      const wish = {
        ticket_type_id: typeId,
        contacts: [{ id: contactId }],
        ticket_attributes: { _default_title_: title, _default_description_: "what to click" },
      };
      return client.tickets.create(wish);
    };
    const first = await open("Invite Ada");
    const second = await open("Remove Bob");
    const search = async () => {
      const page = await client.tickets.search({
        query: {
          operator: "AND",
          value: [
            { field: "ticket_type_id", operator: "=", value: typeId },
            { field: "open", operator: "=", value: "true" },
          ],
        },
        pagination: { per_page: 1 },
      });
      const ids: unknown[] = [];
      for await (const ticket of page) ids.push(ticket?.id);
      return ids;
    };
    expect(await search()).toEqual([first?.id, second?.id]);
    control.setTicket(first?.id ?? "", { category: "resolved" });
    expect(await client.tickets.get({ ticket_id: first?.id ?? "" })).toMatchObject({
      ticket_state: { category: "resolved" },
      open: false,
    });
    await client.tickets.update({ ticket_id: second?.id ?? "", open: false });
    expect(await search()).toEqual([]);
  });
});
