import { describe, expect, test } from "vitest";
import { codeOf, intercom } from "./intercom-fixture.ts";

describe("the token and the version", () => {
  test("missing, wrong and revoked tokens answer 401 in the vendor's form, and tell nothing of limits", async () => {
    const { call, simulator, as } = await intercom();
    const wrong = await call("GET", "/me", undefined, as("nonsense"));
    expect(wrong.status).toBe(401);
    expect(wrong.body).toEqual({
      type: "error.list",
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      errors: [{ code: "unauthorized", message: "Access Token Invalid" }],
    });
    expect(wrong.headers.get("x-ratelimit-limit")).toBeNull();
    expect((await call("GET", "/me", undefined, { authorization: "" })).status).toBe(401);
    simulator.control.revokeToken();
    expect((await call("GET", "/me")).status).toBe(401);
  });

  test("a token without the scope is told which one it lacks", async () => {
    const { call, simulator, as } = await intercom();
    const { token } = simulator.control.addToken({ scopes: ["read_admins"] });
    const refused = await call("PUT", "/admins/1/away", {}, as(token));
    expect([refused.status, codeOf(refused)]).toEqual([403, "forbidden"]);
    expect(refused.text).toContain("(update_admins)");
    expect((await call("GET", "/admins", undefined, as(token))).status).toBe(200);
  });

  test("without a version the app's own counts, and roles are there from 2.16 on", async () => {
    const { call, simulator, version } = await intercom();
    simulator.control.addRole("Support Agent");
    simulator.control.seedAdmin({ email: "ada@example.com", role: "Support Agent" });
    const roleIn = async (headers: object) => {
      const { admins } = (await call("GET", "/admins", undefined, headers)).body as {
        admins: { email: string; role?: { name: string } }[];
      };
      return admins.find((each) => each.email === "ada@example.com")?.role?.name;
    };
    expect(await roleIn(version("2.16"))).toBe("Support Agent");
    expect(await roleIn(version("Preview"))).toBe("Support Agent");
    expect(await roleIn(version("2.9"))).toBeUndefined();
    expect(await roleIn(version(""))).toBeUndefined();
    const old = await call("GET", "/admins/activity_log_event_types", undefined, version("2.15"));
    expect([old.status, codeOf(old)]).toEqual([400, "intercom_version_invalid"]);
    expect((await call("GET", "/me", undefined, version("newest"))).status).toBe(400);
  });

  test("a window of ten seconds passes its share, says so in three headers, and opens again", async () => {
    const { call, clock } = await intercom({ limit: { perWindow: 2, windowMs: 10_000 } });
    const first = await call("GET", "/me");
    expect(first.headers.get("x-ratelimit-limit")).toBe("2");
    expect(first.headers.get("x-ratelimit-remaining")).toBe("1");
    await call("GET", "/me");
    const refused = await call("GET", "/me");
    expect([refused.status, codeOf(refused)]).toEqual([429, "rate_limit_exceeded"]);
    expect(refused.text).toContain("Exceeded rate limit of 2 in 10_seconds");
    const resetMs = Number(refused.headers.get("x-ratelimit-reset")) * 1000;
    await clock.advance(resetMs - clock.now());
    expect((await call("GET", "/me")).status).toBe(200);
  });
});

describe("teammates", () => {
  test("ids are texts at the teammate and integers in lists of ids", async () => {
    const { call, simulator } = await intercom();
    const ada = simulator.control.seedAdmin({ email: "ada@example.com" });
    const team = simulator.control.addTeam({ name: "Billing", emails: ["ada@example.com"] });
    const read = await call("GET", `/admins/${ada.id}`);
    expect(read.body).toMatchObject({ id: ada.id, team_ids: [Number(team.id)] });
    const listed = await call("GET", "/teams");
    expect(listed.body).toMatchObject({
      teams: [{ id: team.id, admin_ids: [Number(ada.id)] }],
    });
  });

  test("invitations are in no API until they are accepted", async () => {
    const { call, simulator } = await intercom();
    simulator.control.invite({ email: "new@example.com" });
    expect((await call("GET", "/admins")).text).not.toContain("new@example.com");
    simulator.control.acceptInvite("new@example.com");
    expect((await call("GET", "/admins")).text).toContain("new@example.com");
    simulator.control.invite({ email: "never@example.com" });
    simulator.control.revokeInvite("never@example.com");
    expect(simulator.control.counts().pendingInvites).toBe(0);
  });

  test("one who went is simply absent, by list and by id", async () => {
    const { call, simulator } = await intercom();
    const ada = simulator.control.seedAdmin({ email: "ada@example.com" });
    simulator.control.removeAdmin("ada@example.com");
    const gone = await call("GET", `/admins/${ada.id}`);
    expect([gone.status, codeOf(gone)]).toEqual([404, "admin_not_found"]);
    expect((await call("GET", "/admins")).text).not.toContain("ada@example.com");
  });

  test("me tells for whom and for which workspace the token acts", async () => {
    const { call } = await intercom({
      workspace: { idCode: "abc123", name: "Acme", region: "EU" },
    });
    expect((await call("GET", "/me")).body).toMatchObject({
      email: "owner@example.com",
      app: { id_code: "abc123", name: "Acme", region: "EU" },
    });
  });

  test("away mode needs both switches, a reason where one is mandatory, and a reason that is not deleted", async () => {
    const { call, simulator } = await intercom({ settings: { awayReasonMandatory: true } });
    const ada = simulator.control.seedAdmin({ email: "ada@example.com" });
    const reason = simulator.control.addAwayReason("Left the company");
    const deleted = simulator.control.addAwayReason("Lunch", true);
    const away = (json: object) => call("PUT", `/admins/${ada.id}/away`, json);
    const both = { away_mode_enabled: true, away_mode_reassign: true };
    expect(codeOf(await away({ away_mode_enabled: true }))).toBe("parameter_invalid");
    expect(codeOf(await away(both))).toBe("away_status_reason_mandatory");
    const refused = await away({ ...both, away_status_reason_id: deleted.id });
    expect(refused.text).toContain("Away status reason is deleted");
    const set = await away({ ...both, away_status_reason_id: reason.id });
    expect(set.body).toMatchObject({ away_mode_enabled: true, away_mode_reassign: true });
    expect((await call("GET", "/away_status_reasons")).body).toMatchObject({
      data: [{ label: "Left the company" }, { label: "Lunch", deleted: true }],
    });
    expect(codeOf(await call("PUT", "/admins/1/away", both))).toBe("admin_not_found");
  });
});

describe("the activity log", () => {
  test("needs a beginning, is newest first, and is filtered by the search", async () => {
    const { call, clock, simulator } = await intercom();
    const since = Math.floor(clock.now() / 1000);
    expect((await call("GET", "/admins/activity_logs")).status).toBe(400);
    simulator.control.addTeam({ name: "Billing" });
    await clock.advance(5_000);
    simulator.control.invite({ email: "new@example.com" });
    const listed = await call("GET", `/admins/activity_logs?created_at_after=${String(since)}`);
    expect(listed.body).toMatchObject({
      activity_logs: [
        { activity_type: "admin_invite_creation", performed_by: { email: "owner@example.com" } },
        { activity_type: "app_team_creation" },
      ],
      pages: { next: null },
    });
    const later = await call("GET", `/admins/activity_logs?created_at_after=${String(since + 3)}`);
    expect((later.body["activity_logs"] as unknown[]).length).toBe(1);
    const found = await call("POST", "/admins/activity_logs/search", {
      created_at_after: since,
      event_types: ["app_team_creation"],
    });
    expect((found.body["activity_logs"] as unknown[]).length).toBe(1);
  });

  test("says that there is more by an object or by a whole URL, and holds types that nobody documented", async () => {
    const { call, simulator } = await intercom({
      settings: { activityPaging: "cursor", undocumentedActivity: true },
    });
    for (let i = 0; i < 12; i++) simulator.control.addTeam({ name: `Team ${String(i)}` });
    const first = await call("GET", "/admins/activity_logs?created_at_after=0");
    expect(first.body).toMatchObject({ pages: { next: { starting_after: "20" } } });
    expect(first.text).toContain("ai_inbox_translation_setting_change");
    const second = await call("GET", "/admins/activity_logs?created_at_after=0&starting_after=20");
    expect(second.body).toMatchObject({ pages: { next: null } });
    expect((second.body["activity_logs"] as unknown[]).length).toBe(4);
    simulator.control.changeSettings({ activityPaging: "url" });
    const { pages } = (await call("GET", "/admins/activity_logs?created_at_after=0")).body as {
      pages: { next: string };
    };
    expect(new URL(pages.next).searchParams.get("starting_after")).toBe("20");
  });
});

describe("an app that is installed", () => {
  test("exchanges its code once, as JSON or as a form, and the token is gone when it is uninstalled", async () => {
    const { call, simulator, as } = await intercom();
    const { clientId, clientSecret } = simulator.control.app();
    const { code } = simulator.control.authorize({});
    const body = { code, client_id: clientId, client_secret: clientSecret };
    const answer = await fetch(`${simulator.url}/auth/eagle/token`, {
      method: "POST",
      body: new URLSearchParams(body),
    });
    const { token, access_token: same } = (await answer.json()) as Record<string, string>;
    expect(same).toBe(token);
    expect((await call("GET", "/me", undefined, as(token ?? ""))).status).toBe(200);
    const again = await call("POST", "/auth/eagle/token", body);
    expect([again.status, again.text.includes("Unauthorized Code")]).toEqual([401, true]);
    simulator.control.revokeToken(token ?? "");
    expect((await call("GET", "/me", undefined, as(token ?? ""))).status).toBe(401);
    simulator.control.setRedirectUris(["https://rolecall.example/oauth/intercom/callback"]);
    expect(() =>
      simulator.control.authorize({ redirectUri: "https://elsewhere.example/" }),
    ).toThrow("not one of the app's");
  });
});
