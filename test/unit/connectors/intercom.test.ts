import { describe, expect, onTestFinished, test } from "vitest";
import type { Call, Connector, VendorAccount } from "../../../src/connectors/connector.ts";
import { intercom, intercomScim } from "../../../src/connectors/intercom/intercom.ts";
import { vendorAccess } from "../../../src/connectors/registry.ts";
import type { SyncError } from "../../../src/model/errors.ts";
import { startIntercomSimulator } from "../../../src/sandbox/intercom/intercom-simulator.ts";
import type { IntercomOptions } from "../../../src/sandbox/intercom/intercom-simulator.ts";
import { drain } from "../../conformance/connector-stage.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { failureOf, openVendorHttp } from "../../support/vendor-http.ts";

const ada = "ada@example.com";

async function stage(options: Partial<IntercomOptions> = {}, connector: Connector = intercomScim) {
  const clock = fakeClock();
  const simulator = await startIntercomSimulator({ clock, ...options });
  onTestFinished(() => simulator.close());
  const access = vendorAccess.intercom;
  const call = (token = simulator.apiKey, scimToken = simulator.scimToken): Call => {
    const opened = openVendorHttp({
      facts: connector.facts,
      baseUrl: simulator.url,
      clock,
      headers: (service) =>
        Promise.resolve(
          service === undefined
            ? (access?.authHeaders(token) ?? {})
            : (access?.serviceHeaders?.[service]?.(scimToken) ?? {}),
        ),
    });
    onTestFinished(() => opened.pools.close());
    return { http: opened.http, signal: opened.abort.signal, now: () => clock.now() };
  };
  const one = async (email = ada): Promise<VendorAccount> => {
    const [found] = await connector.findAccounts(call(), { emails: [email] });
    if (found === undefined) throw new Error(`${email} is not there`);
    return found;
  };
  const failure = async (promise: Promise<unknown>) => (await failureOf(promise)) as SyncError;
  const { control } = simulator;
  return { clock, simulator, control, connector, call, one, failure };
}

describe("a check", () => {
  test("pins the workspace by its code, knows our own teammate, and proves the SCIM token", async () => {
    const { connector, call, simulator, failure } = await stage({
      workspace: { idCode: "abc123", name: "Acme", region: "EU" },
    });
    const report = await connector.check(call());
    expect(report.organization).toEqual({ id: "abc123", name: "Acme" });
    expect(report.ownAccountIds).toEqual([simulator.state().admins[0]?.id]);
    expect(report.notes.join(" ")).toContain("region EU");
    const wrong = await failure(connector.check(call(simulator.apiKey, "nonsense")));
    expect(wrong).toMatchObject({ code: "CREDENTIAL_REFUSED" });
    simulator.control.changeSettings({ scim: false });
    expect(await failure(connector.check(call()))).toMatchObject({ code: "VENDOR_PLAN_REQUIRED" });
  });

  test("a missing scope is named in the vendor's words", async () => {
    const { connector, call, control, failure } = await stage();
    const { token } = control.addToken({ scopes: ["read_one_admin"] });
    const error = await failure(connector.check(call(token)));
    expect(error.code).toBe("CREDENTIAL_SCOPE_MISSING");
    expect(error.message).toContain('the call needs "Read admins"');
  });

  test("a revoked token pauses", async () => {
    const { connector, call, control, failure } = await stage();
    control.revokeToken();
    expect(await failure(connector.check(call()))).toMatchObject({
      code: "CREDENTIAL_REFUSED",
      disposition: "pause",
    });
  });
});

describe("what a teammate holds", () => {
  test("is named role, seat and teams, and nothing of others", async () => {
    const { connector, call, control, one } = await stage();
    const role = control.addRole("Support Agent");
    control.addRole("Nobody's");
    control.seedAdmin({ email: ada, role: "Support Agent" });
    const billing = control.addTeam({ name: "Billing", emails: [ada] });
    const sales = control.addTeam({ name: "Sales" });
    const { items, end } = await drain(connector.listObjects(call()));
    expect(items.map((item) => `${item.kind} ${item.name}`)).toEqual([
      "team Billing",
      "team Sales",
      "role Support Agent",
    ]);
    expect(end).toEqual({ complete: true, count: 3 });
    const slots = [
      { kind: "role", objectId: role.id },
      { kind: "role", objectId: "1" },
      { kind: "seat", objectId: "" },
      { kind: "team", objectId: billing.id },
      { kind: "team", objectId: sales.id },
    ];
    const held = await connector.readGrants(call(), await one(), slots);
    expect(held.map((item) => `${item.kind} ${item.objectId} ${item.role}`)).toEqual([
      `role ${role.id} member`,
      "seat  inbox",
      `team ${billing.id} member`,
    ]);
  });

  test("roles and seats are nothing that any API writes", async () => {
    const { connector, call, control, one, failure, simulator } = await stage();
    control.seedAdmin({ email: ada });
    const account = await one();
    for (const kind of ["role", "seat"]) {
      const slot = { kind, objectId: kind === "role" ? "7" : "" };
      for (const attempt of [
        () => connector.grant(call(), account, { ...slot, role: "member" }),
        () => connector.revoke(call(), account, slot),
      ]) {
        expect(await failure(attempt())).toMatchObject({ code: "VENDOR_WRITE_MISSING" });
      }
    }
    expect(simulator.requests.every((item) => item.method === "GET")).toBe(true);
  });
});

describe("team membership", () => {
  async function withTeam(method: "round_robin" | "load_balanced" = "round_robin") {
    const context = await stage();
    const { control } = context;
    control.seedAdmin({ email: ada });
    control.seedAdmin({ email: "bo@example.com" });
    const team = control.addTeam({ name: "Billing", method, emails: ["bo@example.com"] });
    const slot = { kind: "team", objectId: team.id };
    const members = () => context.simulator.state().teams[0]?.adminIds ?? [];
    return { ...context, team, slot, members, account: await context.one() };
  }

  test("joins and leaves without touching anybody else", async () => {
    const { connector, call, slot, members, account, control } = await withTeam();
    await connector.grant(call(), account, { ...slot, role: "member" });
    expect(members()).toHaveLength(2);
    expect(members()).toContain(account.accountId);
    control.seedAdmin({ email: "cy@example.com" });
    control.setTeamMember(slot.objectId, "cy@example.com", true);
    expect((await connector.revoke(call(), account, slot)).outcome).toBe("changed");
    expect(members()).toHaveLength(2);
    expect(members()).not.toContain(account.accountId);
  });

  test("names the team as what must be leased, and nothing else", async () => {
    const { connector, slot } = await withTeam();
    expect(connector.exclusiveKey?.(slot)).toBe(`team:${slot.objectId}`);
    expect(connector.exclusiveKey?.({ kind: "seat", objectId: "" })).toBeUndefined();
  });

  test("the last member is never taken out, and nothing is sent", async () => {
    const { connector, call, slot, one, failure, simulator } = await withTeam();
    const bo = await one("bo@example.com");
    const error = await failure(connector.revoke(call(), bo, slot));
    expect(error).toMatchObject({ code: "VENDOR_REJECTED", disposition: "park" });
    expect(error.message).toContain("last member");
    expect(simulator.requests.some((item) => item.method === "PUT")).toBe(false);
  });

  test("a secondary level needs a team that balances load", async () => {
    const plain = await withTeam();
    const wish = { ...plain.slot, role: "secondary" };
    const error = await plain.failure(plain.connector.grant(plain.call(), plain.account, wish));
    expect(error.message).toContain("balances load");
    const { connector, call, slot, account } = await withTeam("load_balanced");
    await connector.grant(call(), account, { ...slot, role: "secondary" });
    const held = await connector.readGrants(call(), account, [slot]);
    expect(held).toMatchObject([{ role: "secondary" }]);
    await connector.grant(call(), account, { ...slot, role: "member" });
    expect(await connector.readGrants(call(), account, [slot])).toMatchObject([{ role: "member" }]);
  });

  test("a workspace, a version or a teammate without the write leaves it to people", async () => {
    const { connector, call, slot, account, control, simulator, failure } = await withTeam();
    const attempt = () => failure(connector.grant(call(), account, { ...slot, role: "member" }));
    control.changeSettings({ teamWrite: false });
    expect(await attempt()).toMatchObject({
      code: "VENDOR_WRITE_MISSING",
      facts: { vendorCode: "api_plan_restricted" },
    });
    control.changeSettings({ teamWrite: true });
    const { token } = control.addToken({ scopes: ["read_admins", "read_one_admin"] });
    expect(
      await failure(connector.grant(call(token), account, { ...slot, role: "member" })),
    ).toMatchObject({ code: "VENDOR_WRITE_MISSING", facts: { vendorCode: "forbidden" } });
    expect(simulator.state().teams[0]?.adminIds).toHaveLength(1);
  });

  test("of two conflicts one is looked at again, and one that did it all the same is done", async () => {
    const { connector, call, slot, account, control, simulator, failure } = await withTeam();
    const attempt = () => connector.grant(call(), account, { ...slot, role: "member" });
    simulator.faults.add({ operation: "teams.update", kind: "409" });
    expect(await failure(attempt())).toMatchObject({
      code: "VENDOR_CONFLICT",
      disposition: "replan",
    });
    // The part that was applied is not ours: nothing is taken for granted.
    control.partlyApplyNext();
    expect(await failure(attempt())).toMatchObject({ code: "VENDOR_CONFLICT" });
    expect((await attempt()).outcome).toBe("changed");
  });

  test("a team that is gone is looked at again for a grant, and left already for a revoke", async () => {
    const { connector, call, slot, account, control, failure } = await withTeam();
    control.removeTeam(slot.objectId);
    expect(
      await failure(connector.grant(call(), account, { ...slot, role: "member" })),
    ).toMatchObject({ code: "VENDOR_CONFLICT" });
    expect((await connector.revoke(call(), account, slot)).outcome).toBe("unchanged");
  });
});

describe("provisioning by SCIM", () => {
  test("a teammate who may never be deprovisioned is still there, and that is said", async () => {
    const { connector, call, control, one, failure } = await stage();
    control.seedAdmin({ email: ada });
    control.exclude(ada);
    const error = await failure(connector.removeAccount(call(), await one()));
    expect(error).toMatchObject({ code: "VENDOR_REJECTED", disposition: "park" });
    expect(error.message).toContain("never deprovisioned");
  });

  test("an address with quotes and plus signs is looked for as it is", async () => {
    const { connector, call, simulator } = await stage();
    for (const email of ["o'neil+x@example.com", 'a"b@example.com']) {
      const account: VendorAccount = {
        accountId: "1" as VendorAccount["accountId"],
        email,
        otherEmails: [],
        state: "active",
        role: "member",
        displayName: undefined,
        createdAt: undefined,
        expiresAt: undefined,
      };
      expect((await connector.removeAccount(call(), account)).outcome).toBe("unchanged");
      const path = simulator.requests.findLast((item) => item.path.startsWith("/scim"))?.path;
      const filter = new URL(path ?? "", "http://x").searchParams.get("filter");
      expect(filter).toBe(`userName eq ${JSON.stringify(email)}`);
    }
  });

  test("a change that was taken and cannot be read back is not known", async () => {
    const { connector, call, control, one, failure, simulator } = await stage();
    control.seedAdmin({ email: ada });
    const account = await one();
    simulator.faults.add({ operation: "admins.list", kind: "503" });
    expect(await failure(connector.removeAccount(call(), account))).toMatchObject({
      code: "WRITE_AMBIGUOUS",
    });
    expect(await connector.findAccounts(call(), { emails: [ada] })).toEqual([]);
  });
});

describe("containment", () => {
  test("sends a teammate away with reassignment, once", async () => {
    const { connector, call, control, one, simulator } = await stage();
    control.seedAdmin({ email: ada });
    const account = await one();
    const contain = async () => (await connector.containment?.contain(call(), account))?.outcome;
    expect([await contain(), await contain()]).toEqual(["changed", "unchanged"]);
    expect(simulator.state().admins[1]).toMatchObject({ away: true, awayReassign: true });
    control.removeAdmin(ada);
    expect(await contain()).toBe("unchanged");
  });
});

describe("conversations of a leaver", () => {
  async function leaving(options: Partial<IntercomOptions> = {}) {
    const context = await stage(options);
    const { control, connector, call, simulator } = context;
    control.seedAdmin({ email: ada });
    const from = await context.one();
    const team = control.addTeam({ name: "Billing", emails: ["owner@example.com"] });
    const me = simulator.state().admins[0];
    const { work } = connector;
    if (work === undefined) throw new Error("no work");
    const handOver = (itemId: string) =>
      work.handOver(call(), {
        itemId,
        from,
        to: { kind: "team", objectId: team.id },
        note: "case 42: handed over",
        actorId: (me?.id ?? "") as VendorAccount["accountId"],
      });
    const list = () => drain(work.list(call(), from));
    return { ...context, from, team, handOver, list, work };
  }

  test("are all that are not closed, over several pages, with tags and topics", async () => {
    const { control, list, simulator } = await leaving();
    for (let i = 0; i < 151; i++) control.seedConversation({ assignee: ada });
    control.seedConversation({ assignee: ada, state: "closed" });
    control.seedConversation({ assignee: "owner@example.com" });
    control.seedConversation({
      assignee: ada,
      state: "snoozed",
      tags: ["billing"],
      topics: ["Refunds"],
    });
    const { items, end } = await list();
    expect(items).toHaveLength(152);
    expect(end).toEqual({ complete: true, count: 152 });
    expect(items.at(-1)?.labels).toEqual([
      { kind: "tag", name: "billing" },
      { kind: "topic", name: "Refunds" },
    ]);
    const searches = simulator.requests.filter((item) => item.operation === "conversations.search");
    expect(searches).toHaveLength(2);
  });

  test("go to the team with one note, and a repetition adds nothing", async () => {
    const { control, handOver, list, simulator, team } = await leaving();
    const { id } = control.seedConversation({ assignee: ada });
    expect((await handOver(id)).outcome).toBe("changed");
    expect((await handOver(id)).outcome).toBe("unchanged");
    expect((await list()).items).toEqual([]);
    const [conversation] = simulator.state().conversations;
    expect(conversation).toMatchObject({ adminAssigneeId: null, teamAssigneeId: team.id });
    expect(conversation?.parts.map((part) => part.type)).toEqual([
      "note",
      "assignment",
      "assignment",
    ]);
  });

  test("that were interrupted go on where they stopped", async () => {
    const { control, handOver, failure, simulator } = await leaving();
    const { id } = control.seedConversation({ assignee: ada });
    for (const operation of ["conversations.reply", "conversations.manage"]) {
      simulator.faults.add({ operation, kind: "lost-answer" });
      expect(await failure(handOver(id))).toMatchObject({ code: "WRITE_AMBIGUOUS" });
    }
    expect((await handOver(id)).outcome).toBe("changed");
    const [conversation] = simulator.state().conversations;
    expect(conversation?.parts.filter((part) => part.type === "note")).toHaveLength(1);
    expect(conversation?.adminAssigneeId).toBeNull();
  });

  test("that the index still shows as theirs are left as they are", async () => {
    const { control, handOver, list, clock, simulator } = await leaving({
      settings: { searchLagMs: 60_000 },
    });
    const { id } = control.seedConversation({ assignee: ada });
    await clock.advance(120_000);
    await handOver(id);
    expect((await list()).items).toHaveLength(1);
    const writes = simulator.requests.length;
    expect((await handOver(id)).outcome).toBe("unchanged");
    expect(simulator.requests.slice(writes).map((item) => item.method)).toEqual(["GET"]);
  });

  test("a plan without conversation writes is a plan limit, not a missing scope", async () => {
    const { control, handOver, failure } = await leaving();
    const { id } = control.seedConversation({ assignee: ada });
    control.changeSettings({ conversationWrite: false });
    expect(await failure(handOver(id))).toMatchObject({ code: "VENDOR_PLAN_REQUIRED" });
  });
});

function logOf(connector: Connector): NonNullable<Connector["activity"]> {
  if (connector.activity === undefined) throw new Error("no activity log");
  return connector.activity;
}

describe("the activity log", () => {
  test.each(["none", "cursor", "url"] as const)(
    "is read to its end where it says that there is more by %s",
    async (activityPaging) => {
      const { connector, call, control, clock } = await stage({ settings: { activityPaging } });
      const since = clock.now();
      for (let i = 0; i < 25; i++) control.addTeam({ name: `Team ${String(i)}` });
      const { items, end } = await drain(logOf(connector).list(call(), since));
      expect(items).toHaveLength(25);
      expect(end).toEqual({ complete: true, count: 25 });
    },
  );

  test("tells access from alarms, and takes types that nobody documented", async () => {
    const { connector, call, control } = await stage({ settings: { undocumentedActivity: true } });
    control.seedAdmin({ email: ada });
    control.removeAdmin(ada);
    control.addTeam({ name: "Billing" });
    const { items } = await drain(logOf(connector).list(call(), 0));
    const seen = new Map(items.map((item) => [item.type, item]));
    expect(seen.get("admin_deletion")).toMatchObject({ touchesAccess: true, alarming: true });
    expect(seen.get("app_team_creation")).toMatchObject({ touchesAccess: true, alarming: false });
    expect(seen.get("ai_inbox_translation_setting_change")).toMatchObject({
      touchesAccess: false,
      alarming: false,
    });
    expect(items[0]?.byAddress).toBe("192.0.2.7");
  });
});

describe("without SCIM", () => {
  test("teammates are people's to make and end, everything else is the same", async () => {
    const { connector, call, control, one } = await stage({}, intercom);
    control.seedAdmin({ email: ada });
    expect((await one()).state).toBe("active");
    expect(connector.facts.services).toBeUndefined();
    expect(await connector.setAccountRole(call(), await one(), "member")).toMatchObject({
      outcome: "unchanged",
    });
  });
});
