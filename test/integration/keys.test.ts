// Goal: one register knows every key; one is rotated without a gap, and ended at once where it was compromised.
// Method: real store and apply, Instantly's and Clay's simulators over HTTP, a clock that the test moves.
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { keyHands } from "../../src/apply/key-hands.ts";
import { keepThings } from "../../src/apply/keep-things.ts";
import { thingsReport } from "../../src/apply/things-report.ts";
import { clayWorkspace, clayHeaders } from "../../src/connectors/clay/clay.ts";
import { instantly, instantlyHeaders } from "../../src/connectors/instantly/instantly.ts";
import { isHintOf } from "../../src/credentials/key-hint.ts";
import {
  beginRotation,
  finishRotation,
  KeyRefusal,
  revokeKey,
  type KeyDeskDeps,
} from "../../src/governance/key-desk.ts";
import { keyRegister, keysOfPerson } from "../../src/governance/key-register.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Actor } from "../../src/model/records.ts";
import { collectNotices } from "../../src/notify/collect.ts";
import { startClaySimulator } from "../../src/sandbox/clay/clay-simulator.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { liveStates } from "../../src/tasks/task.ts";
import { connectionId, tenantId } from "../support/story-world.ts";
import { openVendorStory } from "../support/vendor-story.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const ann: Actor = { kind: "operator", id: "ann" };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const keysShape = z.object({
  keys: z.array(z.object({ id: z.string(), name: z.string() })),
});
const crm: JsonObject = {
  name: "prod-crm-sync",
  purpose: "leads to the CRM",
  used_by: "CRM",
  owner: "ops@example.com",
  scopes: ["leads:read"],
  rotate: "quarterly",
};

const { scopes: _scopes, ...bare } = crm;

type Story = Awaited<ReturnType<typeof openVendorStory>>;

function deskOf(story: Pick<Story, "world" | "lane">) {
  const { world, lane } = story;
  const deps: KeyDeskDeps = {
    ...{ store: world.store, clock: world.clock, actor: ann },
    ...keyHands(world.apply),
  };
  const wish = (name: string) => ({ name, why: "a test", actor: ann });
  return {
    begin: async (name: string) => beginRotation(deps, tenantId, await lane(), wish(name)),
    finish: async (name: string) => finishRotation(deps, tenantId, await lane(), wish(name)),
    revoke: async (name: string, compromised: boolean) =>
      revokeKey(deps, tenantId, await lane(), { ...wish(name), compromised }),
    register: () =>
      keyRegister(
        {
          store: world.store,
          things: (one) => thingsReport(world.apply, one),
          hasKeys: () => true,
        },
        tenantId,
      ),
    tasks: () =>
      world.store.listTasks(tenantId, { states: liveStates, keyPrefix: "key:", limit: 9 }),
  };
}

async function openInstantly(keys: readonly JsonObject[], more: JsonObject = {}) {
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
  const { openHttp } = story.world.apply;
  Object.assign(story.world.apply, {
    openHttp: async (...args: Parameters<typeof openHttp>) => ({
      ...(await openHttp(...args)),
      isOwnKey: (hint: string) => isHintOf(hint, story.vendor.apiKey),
    }),
  });
  await story.declare({ declares: { api_keys: keys }, ...more });
  const shown = async () => {
    const state = await fetch(`${story.vendor.url}/__control/state`);
    return keysShape.parse(await state.json()).keys;
  };
  return { ...story, ...deskOf(story), shown };
}

async function openClay(keys: readonly JsonObject[]) {
  const story = await openVendorStory({
    connector: clayWorkspace,
    headers: clayHeaders,
    start: (clock) => startClaySimulator({ clock }),
    rules: { vendor: "clay", connection: { credential: "sealed:clay" }, rules: [] },
  });
  closing.push(story.close);
  await story.declare({ declares: { api_keys: keys } });
  return { ...story, ...deskOf(story) };
}

describe("the register", () => {
  test("has what the vendor shows and what only the mapping knows, with what speaks against each", async () => {
    const { register, world } = await openInstantly(
      [crm, { ...crm, name: "mail", used_by: ["a", "b"] }],
      {
        keys: { names: ["prod-*"] },
      },
    );
    const { keys, gaps } = await register();
    expect(gaps).toEqual([]);
    const of = (name: string) => keys.find((key) => key.name === name);
    expect(of("prod-crm-sync")).toMatchObject({
      state: "active",
      owner: "ops@example.com",
      usedBy: ["CRM"],
      environment: "production",
      scopes: ["leads:read"],
      rotateMs: 91 * day,
      about: [],
    });
    expect(of("mail")?.about).toEqual(expect.arrayContaining(["shared", "misnamed"]));
    const own = keys.find((key) => key.owner === null);
    expect(own?.about).toEqual(expect.arrayContaining(["undeclared", "objection"]));
    const ops = await world.hire("ops@example.com");
    const deps = {
      store: world.store,
      things: () => Promise.resolve([]),
      hasKeys: () => true,
    };
    const theirs = await keysOfPerson(deps, tenantId, ops.identityId, { keys, gaps });
    expect(theirs.map((key) => key.name).toSorted()).toEqual(["mail", "prod-crm-sync"]);
  });

  test("keeps declared keys of a vendor that shows none", async () => {
    const { register } = await openClay([
      { ...bare, provider: "a data provider", rotated: "2020-01-01" },
    ]);
    const { keys } = await register();
    expect(keys).toMatchObject([
      { name: "prod-crm-sync", state: "unseen", provider: "a data provider", about: ["rotate"] },
    ]);
  });
});

describe("a rotation", () => {
  test("makes the new key beside the old one, and ends the old one only when it is finished", async () => {
    const { begin, finish, shown, tasks, world, lane } = await openInstantly([crm]);
    const named = async () => (await shown()).filter((key) => key.name === "prod-crm-sync");
    const [old] = await named();
    const secret = world.sealed.get("vendor-prod-crm-sync");
    await world.clock.advance(day);
    expect(await begin("prod-crm-sync")).toMatchObject({ state: "made", consumers: ["CRM"] });
    expect(await named()).toHaveLength(2);
    expect(world.sealed.get("vendor-prod-crm-sync")).not.toBe(secret);
    await expect(begin("prod-crm-sync")).rejects.toThrow(/being rotated/);
    expect((await tasks()).map((task) => task.assignee)).toEqual(["ops@example.com"]);
    // Two of a name for a while: nobody makes a third.
    await keepThings(world.apply, await lane());
    expect(await named()).toHaveLength(2);

    expect(await finish("prod-crm-sync")).toMatchObject({ state: "finished", ended: [old?.id] });
    const left = await named();
    expect(left).toHaveLength(1);
    expect(left[0]?.id).not.toBe(old?.id);
    expect(await tasks()).toEqual([]);
    await expect(finish("prod-crm-sync")).rejects.toThrow(KeyRefusal);
    const records = await world.store.findRecords(tenantId, {
      action: "key.rotation_finished",
      limit: 5,
    });
    expect(records).toMatchObject([{ record: { facts: { ended: [old?.id], trust: "verified" } } }]);
    expect(JSON.stringify(await world.store.findRecords(tenantId, { limit: 100 }))).not.toContain(
      world.sealed.get("vendor-prod-crm-sync"),
    );
  });

  test("is a task where no API makes keys", async () => {
    const { begin, finish, tasks } = await openClay([bare]);
    expect(await begin("prod-crm-sync")).toMatchObject({ state: "by-hand", sealedAs: null });
    const [task] = await tasks();
    expect(JSON.stringify(task?.lines)).toContain("API keys");
    expect(await finish("prod-crm-sync")).toMatchObject({ state: "finished", ended: [] });
    expect(await tasks()).toEqual([]);
  });

  test("that comes near is told before it is due, and again when it is", async () => {
    const { world, lane } = await openInstantly([crm]);
    const channels = [{ name: "hook", topics: ["task"], send: () => Promise.resolve() }] as never;
    const told = async () => {
      await keepThings(world.apply, await lane());
      await collectNotices({ store: world.store, clock: world.clock, channels }, tenantId);
      const all = await world.store.listDeliveries(tenantId, { limit: 50 });
      return all
        .map((item) => item.notice.type)
        .filter((type) => type.includes("key"))
        .toSorted();
    };
    await world.clock.advance(76 * day);
    expect(await told()).toEqual([]);
    await world.clock.advance(2 * day);
    expect(await told()).toEqual(["rolecall.key.due"]);
    await world.clock.advance(14 * day);
    expect(await told()).toEqual(["rolecall.key.due", "rolecall.key.overdue"]);
  });
});

describe("a revocation", () => {
  test("of a key that somebody works with wants the word that it is compromised, and names them", async () => {
    const { revoke, shown, tasks, world } = await openInstantly([crm]);
    await expect(revoke("prod-crm-sync", false)).rejects.toThrow(/CRM work with it/);
    expect(await shown()).toHaveLength(2);
    expect(await revoke("prod-crm-sync", true)).toMatchObject({
      state: "done",
      consumers: ["CRM"],
    });
    expect(await shown()).toHaveLength(1);
    const [task] = await tasks();
    expect(task?.dueAt).toBe(world.clock.now() + 60 * minute);
    expect(JSON.stringify(task?.lines)).toContain("give CRM a new key");
  });

  test("never ends the key that we work with", async () => {
    const { revoke, shown } = await openInstantly([crm]);
    const own = (await shown()).find((key) => key.name !== "prod-crm-sync");
    await expect(revoke(own?.id ?? "", true)).rejects.toThrow(/Rolecall itself works with/);
    expect(await shown()).toHaveLength(2);
  });

  test("is urgent work for people where no API ends keys", async () => {
    const { revoke, tasks, register } = await openClay([bare]);
    expect(await revoke("prod-crm-sync", true)).toMatchObject({ state: "by-hand" });
    expect((await tasks()).map((task) => task.connectionId)).toEqual([connectionId]);
    expect((await register()).keys).toHaveLength(1);
  });
});
