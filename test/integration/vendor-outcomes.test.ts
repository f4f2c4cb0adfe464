// Goal: whatever stands in the way at a vendor ends in something that says what to do, and everybody's wish is carried out once it is gone.
// Method: per vendor the simulator over HTTP, a person who is to get something, one obstacle, and its removal.
import { afterEach, describe, expect, test } from "vitest";
import {
  anthropicConsole,
  anthropicEnterprise,
  anthropicHeaders,
} from "../../src/connectors/anthropic/anthropic.ts";
import type { Store } from "../../src/adapters/store.ts";
import type { Connector } from "../../src/connectors/connector.ts";
import { instantly, instantlyHeaders } from "../../src/connectors/instantly/instantly.ts";
import {
  intercomHeaders,
  intercomScim,
  intercomScimHeaders,
} from "../../src/connectors/intercom/intercom.ts";
import { clayHeaders, clayWorkspace } from "../../src/connectors/clay/clay.ts";
import { connectReport } from "../../src/apply/connect.ts";
import { compileMapping } from "../../src/mapping/compile.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { startAnthropicSimulator } from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { startClaySimulator } from "../../src/sandbox/clay/clay-simulator.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { startIntercomSimulator } from "../../src/sandbox/intercom/intercom-simulator.ts";
import { importRoster } from "../../src/tasks/import-roster.ts";
import type { VendorSimulator } from "../../src/sandbox/vendor-simulator.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { connectionId, mapping, tenantId, type StoryWorld } from "../support/story-world.ts";
import { openVendorStory } from "../support/vendor-story.ts";

const minute = 60_000;
const ada = "ada@example.com";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

type Simulator = VendorSimulator & { readonly apiKey: string };

interface Obstacle {
  /** Of the paused lane, or of the parked or waiting target. */
  readonly code: string;
  /** What people read says what to do. */
  readonly says: RegExp;
  /** Puts it in the way; answers how it goes away. */
  readonly put: () => () => string | undefined;
}

interface Vendor {
  readonly name: string;
  readonly connector: Connector;
  readonly headers: (secret: string) => Record<string, string>;
  readonly serviceHeaders?: (simulator: Simulator) => Record<string, string>;
  readonly account: { readonly kind: string; readonly role: string; readonly unknown: string };
  start(clock: FakeClock): Promise<{
    readonly simulator: Simulator;
    /** Whether the person is in, or invited. */
    readonly isIn: (store: Store) => boolean | Promise<boolean>;
    /** Where members are shown to people only: copies the list and brings it. */
    readonly bring?: (world: StoryWorld) => Promise<void>;
    /** A credential that may do too little. */
    readonly weakSecret?: string;
    readonly obstacles: Readonly<Record<string, Obstacle>>;
  }>;
}

function outage(simulator: Simulator, operation: string): Obstacle {
  return {
    code: "VENDOR_UNAVAILABLE",
    says: /HTTP 500/,
    put: () => {
      const ids = Array.from({ length: 30 }, () =>
        simulator.faults.add({ operation, kind: "500" }),
      );
      return () => {
        for (const id of ids) simulator.faults.remove(id);
        return undefined;
      };
    },
  };
}

function anthropicStart(enterprise: boolean): Vendor["start"] {
  return async (clock) => {
    const simulator = await startAnthropicSimulator({ clock, settings: { enterprise } });
    const { control } = simulator;
    const weak = control.addKey({ keyClass: "scoped", scopes: ["read:members"] });
    return {
      simulator,
      isIn: () => simulator.state().invites.some((invite) => invite.email === ada),
      obstacles: {
        "a full seat pool": {
          code: "SEATS_EXHAUSTED",
          says: /member|seat/i,
          put: () => {
            control.changeSettings({ memberLimit: 1 });
            return () => void control.changeSettings({ memberLimit: null });
          },
        },
        "a revoked token": {
          code: "CREDENTIAL_REFUSED",
          says: /401/,
          put: () => {
            control.revokeKey(simulator.apiKey);
            return () => {
              const keyClass = enterprise ? ("scoped" as const) : ("console-admin" as const);
              const scopes = [
                ...(["read:members", "write:members"] as const),
                ...(["read:rbac_groups", "write:rbac_groups"] as const),
              ];
              return control.addKey(enterprise ? { keyClass, scopes } : { keyClass }).secret;
            };
          },
        },
        "a missing scope": {
          code: "CREDENTIAL_SCOPE_MISSING",
          says: /Needed|needs/,
          put: () => () => simulator.apiKey,
        },
        "a plan limit": {
          code: "VENDOR_PLAN_REQUIRED",
          says: /it is not a Claude (Console|Enterprise) organisation/,
          put: () => {
            control.changeSettings({ enterprise: !enterprise });
            return () => void control.changeSettings({ enterprise });
          },
        },
        "an outage": outage(simulator, "users.list"),
      },
      weakSecret: weak.secret,
    };
  };
}

const vendors: readonly Vendor[] = [
  {
    name: "anthropic console",
    connector: anthropicConsole,
    headers: anthropicHeaders,
    account: { kind: "org_role", role: "developer", unknown: "wizard" },
    start: anthropicStart(false),
  },
  {
    name: "anthropic enterprise",
    connector: anthropicEnterprise,
    headers: anthropicHeaders,
    account: { kind: "org_role", role: "user", unknown: "developer" },
    start: anthropicStart(true),
  },
  {
    name: "instantly",
    connector: instantly,
    headers: instantlyHeaders,
    account: { kind: "workspace_role", role: "editor", unknown: "manager" },
    async start(clock) {
      const simulator = await startInstantlySimulator({ clock });
      const { control } = simulator;
      const weak = control.addKey({ name: "weak", scopes: ["workspaces:read"] });
      return {
        simulator,
        isIn: () => simulator.state().members.some((member) => member.email === ada),
        obstacles: {
          "a revoked token": {
            code: "CREDENTIAL_REFUSED",
            says: /401/,
            put: () => {
              control.revokeKey(simulator.apiKey);
              return () => control.addKey({ name: "new", scopes: ["all:all"] }).secret;
            },
          },
          "a missing scope": {
            code: "CREDENTIAL_SCOPE_MISSING",
            says: /workspace_members:read/,
            put: () => () => simulator.apiKey,
          },
          "a plan limit": {
            code: "VENDOR_PLAN_REQUIRED",
            says: /402/,
            put: () => {
              control.setPaid(false);
              return () => {
                control.setPaid(true);
                return undefined;
              };
            },
          },
          "an outage": outage(simulator, "members.list"),
        },
        weakSecret: weak.secret,
      };
    },
  },
  {
    name: "intercom scim",
    connector: intercomScim,
    headers: intercomHeaders,
    serviceHeaders: (simulator) =>
      intercomScimHeaders((simulator as Simulator & { readonly scimToken: string }).scimToken),
    account: { kind: "teammate", role: "member", unknown: "agent" },
    async start(clock) {
      const simulator = await startIntercomSimulator({ clock });
      const { control } = simulator;
      const weak = control.addToken({ scopes: ["read_conversations"] });
      return {
        simulator,
        isIn: () => simulator.state().admins.some((admin) => admin.email === ada),
        obstacles: {
          "a revoked token": {
            code: "CREDENTIAL_REFUSED",
            says: /401/,
            put: () => {
              control.revokeToken(simulator.apiKey);
              return () => control.addToken().token;
            },
          },
          "a missing scope": {
            code: "CREDENTIAL_SCOPE_MISSING",
            says: /Read admins/,
            put: () => () => simulator.apiKey,
          },
          "an outage": outage(simulator, "admins.list"),
        },
        weakSecret: weak.token,
      };
    },
  },
  {
    name: "clay",
    connector: clayWorkspace,
    headers: clayHeaders,
    account: { kind: "workspace_role", role: "editor", unknown: "wizard" },
    async start(clock) {
      const simulator = await startClaySimulator({ clock, plan: "growth" });
      return {
        simulator,
        // Whoever shall be in is a task.
        isIn: async (store) =>
          (await store.listTasks(tenantId, { states: ["open"], limit: 9 })).length > 0,
        obstacles: {
          "a revoked token": {
            code: "CREDENTIAL_REFUSED",
            says: /401/,
            put: () => () => simulator.apiKey,
          },
          "an outage": outage(simulator, "me.read"),
        },
        bring: async ({ store, clock, apply }) => {
          const lane = await store.getLane(tenantId, connectionId);
          const { roster } = clayWorkspace.facts;
          if (lane === undefined || roster === undefined) throw new Error("no lane of Clay");
          // The workspace is pinned by the first answer of its key.
          const pinned =
            lane.organization === null
              ? (await connectReport(apply, lane)).organization
              : lane.organization;
          await importRoster({ store, clock }, tenantId, {
            lane: { ...lane, organization: pinned },
            facts: roster,
            text: simulator.control.roster(),
            format: "csv",
            shrinkAccepted: false,
            actor: { kind: "operator", id: "ann" },
          });
        },
      };
    },
  },
];

async function open(vendor: Vendor) {
  const opened: { world?: Awaited<ReturnType<Vendor["start"]>> } = {};
  const { kind, role } = vendor.account;
  const story = await openVendorStory({
    connector: vendor.connector,
    headers: vendor.headers,
    ...(vendor.serviceHeaders === undefined ? {} : { serviceHeaders: vendor.serviceHeaders }),
    start: async (clock) => {
      opened.world = await vendor.start(clock);
      return opened.world.simulator;
    },
    rules: {
      vendor: vendor.connector.facts.vendor,
      connection: {
        credential: "sealed:x",
        ...(vendor.serviceHeaders === undefined
          ? {}
          : { services: { scim: { credential: "sealed:y" } } }),
      },
      protected: { admins_min: 0 },
      rails: { grants: { privileged: 9 } },
      rules: [{ id: "all", when: { everyone: true }, grant: [{ kind, role }] }],
    },
  });
  closing.push(story.close);
  if (opened.world === undefined) throw new Error("no vendor");
  return { story, ...opened.world };
}

describe.each(vendors)("at $name", (vendor) => {
  test("an unknown role is refused when the file is checked, with the roles that there are", () => {
    const { kind, role, unknown } = vendor.account;
    const rules = [{ id: "all", when: { everyone: true }, grant: [{ kind, role: unknown }] }];
    const file = mapping({ vendor: vendor.connector.facts.vendor, rules }) as JsonObject;
    expect(() => compileMapping(file, vendor.connector.facts)).toThrow(role);
  });

  test.each([
    "a full seat pool",
    "a revoked token",
    "a missing scope",
    "a plan limit",
    "an outage",
  ])("%s is said with what to do, and nothing is lost", async (name) => {
    const { story, isIn, obstacles, weakSecret, bring } = await open(vendor);
    const { store } = story.world;
    const obstacle = obstacles[name];
    // What a vendor does not have cannot stand in the way: the table of `impossible` says so.
    if (obstacle === undefined) {
      expect(impossibleHere[vendor.name]).toContain(name);
      return;
    }
    await story.declare({});
    const remove = obstacle.put();
    if (name === "a missing scope") story.secret = weakSecret ?? "";
    // Clay's key ends with whoever made it: any other stands for it.
    if (name === "a revoked token") story.secret += vendor.name === "clay" ? "-ended" : "";
    story.world.credential = "cred-2";
    await story.world.hire(ada);
    await story.world.pass(2 * minute);
    expect(await isIn(store)).toBe(false);
    const lane = await story.lane();
    const [target] = await story.world.store.listTargets(tenantId, { limit: 9 });
    const told = [lane.pause, target?.reason].map(
      (item) => `${item?.code ?? ""} ${item?.text ?? ""}`,
    );
    const said = told.find((text) => text.startsWith(obstacle.code));
    expect(said ?? told.join(" | ")).toMatch(obstacle.says);
    if (lane.state === "paused")
      expect((await story.findings("lane_paused")).join()).toMatch(
        /urgent the connection is paused/,
      );
    story.secret = remove() ?? story.secret;
    story.world.credential = "cred-3";
    await bring?.(story.world);
    for (let i = 0; i < 40 && !(await isIn(store)); i++) {
      if (target?.state === "parked") await story.redrive();
      await story.world.pass(5 * minute, 5 * minute);
    }
    expect(await isIn(store)).toBe(true);
    expect((await story.lane()).state).toBe("open");
    expect(await story.findings("lane_paused")).toEqual([]);
    expect(story.vendor.createAttempts(ada).created).toBe(vendor.name === "clay" ? 0 : 1);
  });
});

/** Obstacles that a vendor does not have, each with why in its README. */
const impossibleHere: Readonly<Record<string, readonly string[]>> = {
  // Members cost nothing; a lapsed plan is the limit.
  instantly: ["a full seat pool"],
  // Seats are given by hand, and SCIM tells no pool; the plan shows when SCIM is refused.
  "intercom scim": ["a full seat pool", "a plan limit"],
  // Seats are without limit, keys without scopes; what the plan lacks is refused when the file is checked.
  clay: ["a full seat pool", "a missing scope", "a plan limit"],
};
