// Goal: what a mapping declares beside people is made once, kept as declared, and ended by nobody but a person.
// Method: real store and apply, Instantly's and Anthropic's simulators over HTTP, a clock that the test moves.
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { keepThings } from "../../src/apply/keep-things.ts";
import { endThing, thingsReport } from "../../src/apply/things-report.ts";
import { anthropicConsole, anthropicHeaders } from "../../src/connectors/anthropic/anthropic.ts";
import { instantly, instantlyHeaders } from "../../src/connectors/instantly/instantly.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Actor } from "../../src/model/records.ts";
import { startAnthropicSimulator } from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { liveStates } from "../../src/tasks/task.ts";
import { connectionId, tenantId } from "../support/story-world.ts";
import { openVendorStory } from "../support/vendor-story.ts";

const minute = 60_000;
const owner = "ops@example.com";
const ann: Actor = { kind: "operator", id: "ann" };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const keysShape = z.object({
  keys: z.array(z.object({ id: z.string(), name: z.string(), scopes: z.array(z.string()) })),
});

async function openInstantly() {
  const story = await openVendorStory({
    connector: instantly,
    headers: instantlyHeaders,
    start: (clock) => startInstantlySimulator({ clock }),
    rules: {
      vendor: "instantly",
      connection: { credential: "sealed:instantly" },
      rules: [],
      protected: { admins_min: 0 },
    },
  });
  closing.push(story.close);
  const keys = async () => {
    const state = await fetch(`${story.vendor.url}/__control/state`);
    return keysShape.parse(await state.json()).keys;
  };
  const again = async () => {
    await story.world.clock.advance(10 * minute);
    await keepThings(story.world.apply, await story.lane());
  };
  const end = async (kind: "api_key" | "tag" | "sub_workspace", which: string) =>
    endThing(story.world.apply, await story.lane(), { kind, which, why: "test", actor: ann });
  const useKey = (secret: string) => {
    story.secret = secret;
  };
  return { ...story, keys, again, end, useKey };
}

const analytics: JsonObject = {
  name: "marketing-analytics",
  purpose: "dashboards",
  used_by: "warehouse",
  owner,
  scopes: ["campaigns:read", "accounts:read"],
};

describe("API keys", () => {
  test("are made once with their scopes, and their secret goes nowhere but into the sealed store", async () => {
    const { declare, keys, world, vendor, again, findings } = await openInstantly();
    await declare({ declares: { api_keys: [analytics] } });
    const [, made, ...more] = await keys();
    expect(more).toEqual([]);
    expect(made).toMatchObject({
      name: "marketing-analytics",
      scopes: ["campaigns:read", "accounts:read"],
    });
    expect([...world.sealed.keys()]).toEqual(["vendor-marketing-analytics"]);
    const secret = world.sealed.get("vendor-marketing-analytics") ?? "";
    expect(secret.length).toBeGreaterThan(20);
    await again();
    expect(await keys()).toHaveLength(2);
    const records = await world.store.findRecords(tenantId, { action: "thing.create", limit: 9 });
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain(secret);
    // The simulator's own key may do everything, and nobody declared it.
    expect(await findings("declared_thing")).toEqual([
      expect.stringMatching(/^info API key ".*nobody declared it/),
      expect.stringMatching(/^warning API key ".*may do too much \(all:all\)/),
    ]);
    expect(vendor.requests.filter((item) => item.operation === "api_keys.create")).toHaveLength(1);
  });

  test("with other scopes than declared are said, and replaced once a person ends them", async () => {
    const { declare, keys, vendor, findings, end, again } = await openInstantly();
    vendor.control.addKey({ name: "marketing-analytics", scopes: ["campaigns:all"] });
    await declare({ declares: { api_keys: [analytics] } });
    expect((await findings("declared_thing")).join("\n")).toMatch(
      /marketing-analytics": it may campaigns:all beyond its declaration and it lacks campaigns:read, accounts:read/,
    );
    expect(await end("api_key", "marketing-analytics")).toBe("ended");
    await again();
    const replaced = (await keys()).find((key) => key.name === "marketing-analytics");
    expect(replaced?.scopes).toEqual(analytics["scopes"]);
    expect((await findings("declared_thing")).join("\n")).not.toContain("marketing-analytics");
  });

  test("whose answer was lost are never made twice, and people are told that the secret is gone", async () => {
    const { declare, keys, vendor, world, findings, end, again } = await openInstantly();
    vendor.faults.add({ operation: "api_keys.create", kind: "lost-answer" });
    await declare({ declares: { api_keys: [analytics] } });
    await again();
    await again();
    expect(await keys()).toHaveLength(2);
    expect(world.sealed.size).toBe(0);
    expect((await findings("declared_thing")).join("\n")).toMatch(
      /urgent API key "marketing-analytics": it was made and the answer with its secret was lost/,
    );
    expect(await end("api_key", "marketing-analytics")).toBe("ended");
    await again();
    expect(await keys()).toHaveLength(2);
    expect(world.sealed.size).toBe(1);
    expect((await findings("declared_thing")).join("\n")).not.toContain("lost");
  });

  test("are looked at and not written while the connection only reports", async () => {
    const { declare, keys, findings, end } = await openInstantly();
    await declare({ mode: "report-only", declares: { api_keys: [analytics] } });
    expect(await keys()).toHaveLength(1);
    expect((await findings("declared_thing")).join("\n")).toContain("it would be made");
    expect(await end("api_key", (await keys())[0]?.id ?? "")).toBe("report_only");
    expect(await keys()).toHaveLength(1);
  });

  test("are not written under a stop switch", async () => {
    const { declare, keys, world, again } = await openInstantly();
    await world.store.setStop(
      tenantId,
      {
        stop: { connectionId, covers: "grants", by: "ann", why: "test", since: world.clock.now() },
        on: true,
        now: world.clock.now(),
      },
      world.also("stop.set"),
    );
    await declare({ declares: { api_keys: [analytics] } });
    await again();
    expect(await keys()).toHaveLength(1);
  });

  test("are to be rotated in time, by an owner who is still there", async () => {
    const { declare, world, findings, again } = await openInstantly();
    const person = await world.hire(owner);
    await declare({ declares: { api_keys: [{ ...analytics, rotate: "1h" }] } });
    expect((await findings("declared_thing")).join("\n")).not.toContain("rotation");
    for (let i = 0; i < 6; i++) await again();
    expect((await findings("declared_thing")).join("\n")).toContain(
      "its rotation is due: make it anew, give the new one to warehouse",
    );
    await world.setActive(person, false);
    await world.settle();
    await again();
    expect((await findings("declared_thing")).join("\n")).toContain("has left: name another owner");
  });

  test.each([403, 401] as const)(
    "that cannot be read for want of a scope (%i) stop nothing, and the scope is named",
    async (scopeRefusal) => {
      const { declare, vendor, findings, lane, useKey } = await openInstantly();
      vendor.control.changeSettings({ scopeRefusal });
      const scopes = ["workspaces:read", "workspace_members:all"];
      useKey(vendor.control.addKey({ name: "weak", scopes }).secret);
      await declare({ declares: { api_keys: [analytics] } });
      expect(await findings("declared_thing")).toEqual([
        expect.stringMatching(
          /cannot be looked after: .*it needs "api_keys:read"|the call needs "api_keys:read"/,
        ),
      ]);
      expect((await lane()).state).toBe("open");
      vendor.control.setPaid(false);
      await declare({ declares: { api_keys: [analytics] }, timing: { debounce: "91s" } });
      expect((await lane()).pause?.code).toBe("VENDOR_PLAN_REQUIRED");
    },
  );
});

async function openAnthropic() {
  const story = await openVendorStory({
    connector: anthropicConsole,
    headers: anthropicHeaders,
    start: (clock) => startAnthropicSimulator({ clock }),
    rules: {
      vendor: "anthropic",
      connection: { credential: "sealed:anthropic" },
      rules: [],
      protected: { admins_min: 0 },
    },
  });
  closing.push(story.close);
  const again = async () => {
    await story.world.clock.advance(10 * minute);
    await keepThings(story.world.apply, await story.lane());
  };
  return { ...story, again };
}

describe("workspaces", () => {
  const limits = [{ group: "Claude Haiku", limiter: "requests_per_minute", value: 50 }];
  const named = (names: readonly string[]) =>
    names.map((name) => ({ name, owner, limits: name === "Production" ? limits : undefined }));
  const declares = (...names: readonly string[]) =>
    JSON.parse(JSON.stringify({ workspaces: named(names) })) as JsonObject;

  test("are made with their limits, and set right again when somebody changes them", async () => {
    const { declare, vendor, again, findings } = await openAnthropic();
    await declare({ declares: declares("Production", "Staging") });
    const names = () =>
      vendor
        .state()
        .workspaces.map((item) => item.name)
        .toSorted();
    expect(names()).toEqual(["Default", "Production", "Staging"]);
    const shown = () => Object.values(vendor.state().rateLimits);
    expect(shown()).toEqual([50]);
    vendor.control.setRateLimit("Production", "rl_haiku", "requests_per_minute", 4_000);
    await again();
    expect(shown()).toEqual([50]);
    await again();
    expect(names()).toHaveLength(3);
    expect(await findings("declared_thing")).toEqual([]);
  });

  test("that a file no longer names are said and never archived; one that was archived is never made again", async () => {
    const { declare, vendor, findings } = await openAnthropic();
    await declare({ declares: declares("Production", "Staging") });
    vendor.control.archiveWorkspace("Production");
    await declare({ declares: declares("Production") });
    expect(vendor.state().workspaces.filter((item) => item.name === "Production")).toHaveLength(1);
    const staging = vendor.state().workspaces.find((item) => item.name === "Staging");
    expect(staging?.archivedAt).toBeNull();
    expect(await findings("declared_thing")).toEqual([
      expect.stringContaining('workspace "Staging": nobody declared it'),
      expect.stringContaining('workspace "Production": it is declared and was ended'),
    ]);
    expect(vendor.requests.some((item) => item.path.includes("/archive"))).toBe(false);
  });

  test("beyond the organisation's cap are said in the vendor's words, and nothing else stops", async () => {
    const { declare, vendor, findings, lane } = await openAnthropic();
    vendor.control.changeSettings({ workspaceLimit: 1 });
    await declare({ declares: declares("Production", "Staging") });
    expect(await findings("declared_thing")).toEqual([
      expect.stringMatching(/"Staging": the vendor refused .*as many workspaces as it may/),
    ]);
    expect((await lane()).state).toBe("open");
  });

  test("whose answer was lost are read back, and made once", async () => {
    const { declare, vendor, again } = await openAnthropic();
    vendor.faults.add({ operation: "workspaces.create", kind: "lost-answer" });
    await declare({ declares: declares("Staging") });
    await again();
    await again();
    expect(vendor.state().workspaces.filter((item) => item.name === "Staging")).toHaveLength(1);
  });
});

describe("an inventory of keys", () => {
  test("names who made each, those that work everywhere, and ends one on a person's word", async () => {
    const { declare, vendor, findings, world, lane } = await openAnthropic();
    vendor.control.addWorkspace("Production");
    vendor.control.seedUser({ email: "dev@example.com", role: "developer" });
    const by = { createdBy: "dev@example.com" };
    const service = vendor.control.seedApiKey({
      name: "prod-auth",
      workspace: "Production",
      ...by,
    });
    vendor.control.seedApiKey({ name: "anywhere", ...by });
    const declared = { name: "prod-auth", purpose: "sign-in", used_by: "auth service", owner };
    await declare({ declares: { api_keys: [declared, { ...declared, name: "prod-search" }] } });
    expect(await findings("declared_thing")).toEqual([
      expect.stringContaining('"anywhere": nobody declared it'),
      expect.stringContaining('"anywhere": it works in every workspace'),
      expect.stringContaining('"prod-search": it is declared and not there'),
    ]);
    const rows = await thingsReport(world.apply, await lane());
    expect(rows.find((row) => row.name === "prod-auth")?.facts).toMatchObject({
      createdBy: service.createdBy,
      reach: "one",
    });
    const wish = { kind: "api_key", which: "anywhere", why: "unused", actor: ann } as const;
    expect(await endThing(world.apply, await lane(), wish)).toBe("ended");
    expect(vendor.state().apiKeys.map((key) => [key.name, key.status])).toEqual([
      ["prod-auth", "active"],
      ["anywhere", "inactive"],
    ]);
  });
});

describe("the vendor's log", () => {
  test("brings forward the listing when somebody changed who may do what, and tells what is alarming once", async () => {
    const { declare, vendor, world, findings } = await openAnthropic();
    vendor.control.seedUser({ email: "dev@example.com", role: "developer" });
    await declare({});
    const lists = () => vendor.requests.filter((item) => item.operation === "users.list").length;
    const before = lists();
    await world.pass(30 * minute);
    expect(lists()).toBe(before);
    vendor.control.removeUser("dev@example.com");
    await world.pass(60 * minute);
    expect(lists()).toBeGreaterThan(before);
    expect(await findings("vendor_log")).toEqual([
      expect.stringContaining("warning the vendor's log says: org_user_removed"),
    ]);
  });

  test("that is not switched on is said to be unread, never to be empty, and stops nothing", async () => {
    const { declare, vendor, findings, lane } = await openAnthropic();
    vendor.control.changeSettings({ compliance: false });
    await declare({});
    expect(await findings("vendor_log")).toEqual([
      expect.stringMatching(/^info the vendor's log cannot be read, so nothing is known/),
    ]);
    expect((await lane()).state).toBe("open");
  });
});

describe("tags", () => {
  async function tagged() {
    const opened = await openInstantly();
    const { vendor } = opened;
    vendor.control.seedMember({ email: "wes@example.com", role: "editor" });
    for (const [id, name, by] of [
      ["c-1", "West - January", undefined],
      ["c-2", "East - January", undefined],
      ["c-3", "Pilot", "wes@example.com"],
    ] as const)
      vendor.control.seedResource({
        id,
        type: 2,
        name,
        ...(by === undefined ? {} : { owner: by }),
      });
    vendor.control.seedResource({ id: "west-1@example.com", type: 1 });
    const on = (label: string) => {
      const { tags, mappings } = vendor.state();
      const tag = tags.find((item) => item.label === label);
      return mappings
        .filter((item) => item.tagId === tag?.id)
        .map((item) => item.resourceId)
        .toSorted();
    };
    return { ...opened, on };
  }
  const west: JsonObject = {
    name: "SDR-West",
    team: "SDR West",
    owner,
    campaigns: { prefix: "West -", owner: "wes@example.com" },
    accounts: { ids: ["west-1@example.com"] },
  };

  test("are made and put on what they are declared for, once", async () => {
    const { declare, on, again, vendor, findings } = await tagged();
    await declare({ declares: { tags: [west] } });
    expect(on("SDR-West")).toEqual(["c-1", "c-3", "west-1@example.com"]);
    const writes = () => vendor.requests.filter((item) => item.method === "POST").length;
    const before = writes();
    await again();
    expect(writes()).toBe(before);
    expect((await findings("declared_thing")).join("\n")).not.toContain("tag ");
  });

  test("that somebody put elsewhere are a finding, and taken off only by the owner of the set", async () => {
    const { declare, on, again, vendor, findings } = await tagged();
    await declare({ declares: { tags: [west] } });
    const tag = vendor.state().tags[0];
    const response = await fetch(`${vendor.url}/api/v2/custom-tags/toggle-resource`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${vendor.apiKey}`,
        "content-type": "application/json",
        "user-agent": "somebody",
      },
      body: JSON.stringify({
        tag_ids: [tag?.id],
        resource_type: 2,
        resource_ids: ["c-2"],
        assign: true,
      }),
    });
    expect(response.status).toBe(200);
    await again();
    expect(await findings("declared_thing")).toContainEqual(
      expect.stringContaining('tag "SDR-West": 1 campaigns have it beyond that'),
    );
    await declare({ mode: "authoritative", declares: { tags: [west] } });
    expect(on("SDR-West")).toEqual(["c-1", "c-3", "west-1@example.com"]);
  });

  test("for an id or an owner that nobody knows say so and mark the rest", async () => {
    const { declare, on, findings } = await tagged();
    const accounts = { ids: ["west-1@example.com", "gone@example.com"] };
    await declare({ declares: { tags: [{ ...west, accounts }] } });
    expect(on("SDR-West")).toHaveLength(3);
    expect(await findings("declared_thing")).toContainEqual(
      expect.stringContaining("no such campaign, account or owner: gone@example.com"),
    );
  });

  test("are reported one by one, with what they mark", async () => {
    const { declare, world, lane } = await tagged();
    await declare({ declares: { tags: [west] } });
    const rows = await thingsReport(world.apply, await lane());
    expect(rows.find((row) => row.kind === "tag")).toMatchObject({
      name: "SDR-West",
      state: "active",
      owner,
      facts: { campaigns: { held: ["c-1", "c-3"] } },
    });
  });
});

describe("an agency's workspaces", () => {
  test("are invited once, wait for their owner, and are told where another has them", async () => {
    const { declare, vendor, findings, again, end } = await openInstantly();
    const sub = vendor.control.addWorkspace({ name: "Client", ownerEmail: "c@client.example" });
    const sub_workspaces = [{ id: sub.id, name: "client", owner }];
    await declare({ declares: { sub_workspaces } });
    const rows = () => vendor.state().groupMembers;
    expect(rows()).toMatchObject([{ subWorkspaceId: sub.id, status: "pending" }]);
    expect((await findings("declared_thing")).join("\n")).toContain(
      'sub-workspace "client": it waits for its owner at the vendor to accept',
    );
    vendor.control.answerGroupInvite(rows()[0]?.id ?? "", "accepted");
    await again();
    expect(rows()).toHaveLength(1);
    expect((await findings("declared_thing")).join("\n")).not.toContain("client");
    expect(await end("sub_workspace", "client")).toBe("ended");
    expect(rows()).toEqual([]);
  });
});

describe("ownership", () => {
  test("changes hands by a task for two people, which the next look ends", async () => {
    const { declare, vendor, world, again } = await openInstantly();
    vendor.control.seedMember({ email: "next@example.com", role: "admin" });
    const ownership = [{ name: "workspace", owner, holder: "Next@example.com" }];
    await declare({ declares: { ownership } });
    const tasks = () => world.store.listTasks(tenantId, { states: liveStates, limit: 9 });
    expect(await tasks()).toMatchObject([
      { fourEyes: true, proof: "read-back", title: "vendor: ownership of workspace" },
    ]);
    await fetch(`${vendor.url}/api/v2/workspaces/current/change-owner`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${vendor.apiKey}`,
        "content-type": "application/json",
        "user-agent": "somebody",
      },
      body: JSON.stringify({ email: "next@example.com", sec: vendor.control.securityToken() }),
    });
    await again();
    expect(await tasks()).toEqual([]);
  });
});
