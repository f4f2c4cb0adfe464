import { afterEach, describe, expect, test } from "vitest";
import { InputError } from "../../../../src/model/errors.ts";
import { webhookLimit } from "../../../../src/sandbox/clay/api.ts";
import {
  startClaySimulator,
  type ClayOptions,
  type ClaySimulator,
} from "../../../../src/sandbox/clay/clay-simulator.ts";
import type { PersistedState } from "../../../../src/sandbox/state-file.ts";
import { fakeClock } from "../../../support/fake-clock.ts";

const open: ClaySimulator[] = [];
afterEach(async () => {
  for (const simulator of open.splice(0)) await simulator.close();
});

async function clay(options: Partial<ClayOptions> = {}) {
  const clock = fakeClock();
  const simulator = await startClaySimulator({ clock, ...options });
  open.push(simulator);
  return { clock, simulator, control: simulator.control };
}
const ada = { email: "ada@example.com" };

describe("the pages", () => {
  test("keep one member an address, one admin at least, and viewers and groups to the plan Enterprise", async () => {
    const { control, simulator } = await clay({ plan: "growth" });
    control.invite({ ...ada, role: "editor" });
    expect(() => control.invite({ email: "ADA@example.com", role: "editor" })).toThrow(InputError);
    expect(() => control.invite({ email: "bo@example.com", role: "viewer" })).toThrow("Enterprise");
    expect(() => {
      control.addGroup("GTM");
    }).toThrow("Enterprise");
    const [admin] = simulator.state().members;
    expect(() => {
      control.remove({ email: admin?.email ?? "" });
    }).toThrow("needs an admin");
    control.settle({ plan: "enterprise" });
    control.setRole({ ...ada, role: "viewer" });
    control.addGroup("GTM");
    expect(() => {
      control.addGroup("GTM");
    }).toThrow("already");
    expect(() => {
      control.addGroup("x".repeat(51));
    }).toThrow("50 characters");
  });

  test("count at once, and a removal takes the groups and the keys with it", async () => {
    const { control, simulator } = await clay();
    control.addGroup("GTM");
    control.invite({ ...ada, role: "admin" });
    control.accept(ada);
    control.setGroup({ ...ada, group: "GTM", member: true });
    const key = control.addKey({ ...ada, name: "crm-sync-prod" });
    const me = async () =>
      (await fetch(`${simulator.url}/public/v0/me`, { headers: { "clay-api-key": key } })).status;
    expect(await me()).toBe(200);
    control.remove(ada);
    expect(simulator.state().groups).toEqual([{ name: "GTM", members: [] }]);
    expect(await me()).toBe(401);
  });
});

describe("the public API", () => {
  test("says whose key it is, has no list of members, and its old paths are gone", async () => {
    const { simulator } = await clay({ workspace: { id: "ws_1" } });
    const get = async (path: string) => {
      const answer = await fetch(`${simulator.url}${path}`, {
        headers: { "clay-api-key": simulator.apiKey },
      });
      return [answer.status, await answer.json()];
    };
    expect(await get("/public/v0/me")).toEqual([
      200,
      {
        user: { id: expect.any(String) as string, name: "Service User" },
        workspace: { id: "ws_1" },
      },
    ]);
    for (const path of ["/public/v0/members", "/public/v0/users", "/public/v0/workspace/members"])
      expect((await get(path))[0]).toBe(404);
    expect(await get("/v1/workspace/members")).toEqual([
      404,
      { success: false, message: "deprecated API endpoint" },
    ]);
  });

  test("takes webhook records up to the limit of a source's life, guarded by its token, at its pace", async () => {
    const { simulator, control, clock } = await clay();
    const source = control.addWebhook({ table: "Leads", token: "t0ken" });
    const send = async (token: string) =>
      (
        await fetch(`${simulator.url}/v3/sources/webhook/${source.id}`, {
          method: "POST",
          headers: { "x-clay-webhook-auth": token, "content-type": "application/json" },
          body: "{}",
        })
      ).status;
    expect([await send("wrong"), await send("t0ken")]).toEqual([401, 200]);
    const codes = [];
    for (let i = 0; i < 19; i++) codes.push(await send("t0ken"));
    expect(codes.at(-1)).toBe(429);
    await clock.advance(2_000);
    expect(await send("t0ken")).toBe(200);
    expect(webhookLimit).toBe(50_000);
  });

  test("keeps its truth over a restart", async () => {
    const kept: { json?: string } = {};
    const state: PersistedState = {
      load: () => kept.json,
      save: (json) => {
        kept.json = json;
      },
    };
    const first = await clay({ state });
    first.control.invite({ ...ada, role: "editor" });
    const again = await clay({ state });
    expect(again.simulator.state().members.map((member) => member.email)).toContain(ada.email);
  });
});
