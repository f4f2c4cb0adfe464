// Goal: an app is installed by the browser that an operator sent, into the pinned workspace, once; what a vendor tells is a hint, never truth.
// Method: the real routes on a socket, real vault and store, Intercom's simulator as the vendor, a clock that the test moves.
import { createHmac } from "node:crypto";
import express from "express";
import { afterEach, describe, expect, test } from "vitest";
import { createSecretVault } from "../../src/credentials/secret-vault.ts";
import { parseSealKey } from "../../src/credentials/seal.ts";
import { createHookRoom } from "../../src/hook-room.ts";
import { createHttpPools } from "../../src/http/http-pools.ts";
import { installationsOf } from "../../src/console/operations/connect.ts";
import { intercom, intercomHeaders } from "../../src/connectors/intercom/intercom.ts";
import { listen, publicApp } from "../../src/listeners.ts";
import type { Actor } from "../../src/model/records.ts";
import { startIntercomSimulator } from "../../src/sandbox/intercom/intercom-simulator.ts";
import { connectionId, tenantId } from "../support/story-world.ts";
import { openVendorStory } from "../support/vendor-story.ts";
import { recordingLogger } from "../support/vendor-http.ts";

const minute = 60_000;
const ann: Actor = { kind: "operator", id: "ann" };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open() {
  const story = await openVendorStory({
    connector: intercom,
    headers: intercomHeaders,
    start: (clock) => startIntercomSimulator({ clock }),
    rules: {
      vendor: "intercom",
      connection: { credential: "sealed:intercom-token", app: "sealed:intercom-app" },
      rules: [],
      protected: { admins_min: 0 },
    },
  });
  closing.push(story.close);
  const { world, vendor } = story;
  const { store, clock } = world;
  const pools = createHttpPools();
  closing.push(() => pools.close());
  const sealKey = parseSealKey("ab".repeat(32), "test");
  const vault = createSecretVault({
    ...{ store, clock, key: sealKey },
    readEnv: () => undefined,
    readFile: () => Promise.reject(new Error("no files")),
  });
  const { clientId, clientSecret } = vendor.control.app();
  await vault.put(tenantId, "intercom-app", `${clientId}:${clientSecret}`, ann);
  const publicUrl = "https://id.example.com";
  const logger = recordingLogger();
  const room = createHookRoom({
    ...{ store, vault, sealKey, pools, clock, publicUrl, logger },
    simulated: () => vendor.url,
  });
  const probe = () => Promise.resolve({ ok: true, checks: {} });
  const listener = await listen(
    publicApp({
      scim: express.Router(),
      vendors: room,
      probes: { live: probe, ready: probe },
      trustedProxies: [],
    }),
    0,
    "127.0.0.1",
  );
  closing.push(() => listener.close(0));
  const redirectUri = `${publicUrl}/oauth/intercom/callback`;
  vendor.control.setRedirectUris([redirectUri]);
  await story.declare({});
  /** A browser that follows one link at a time and keeps one cookie. */
  const browse = async (url: string, cookie?: string) => {
    const answer = await fetch(url.replace(publicUrl, listener.url), {
      redirect: "manual",
      headers: cookie === undefined ? {} : { cookie },
    });
    return {
      status: answer.status,
      text: await answer.text(),
      location: new URL(answer.headers.get("location") ?? "https://nowhere.example"),
      cookie: answer.headers.get("set-cookie")?.split(";")[0],
      setCookie: answer.headers.get("set-cookie") ?? "",
    };
  };
  const link = async () => room.link(await story.lane(), "ann");
  const start = async () => browse((await link()).startUrl);
  const callback = (state: string, code: string, cookie?: string) =>
    browse(`${redirectUri}?${new URLSearchParams({ code, state }).toString()}`, cookie);
  const opened = async () => (await vault.open(tenantId, "sealed:intercom-token")).secret;
  return { ...story, listener, browse, link, start, callback, opened, redirectUri, logger };
}

describe("an installation", () => {
  test("goes out with the exact redirect and a state, and comes back as a sealed token of the workspace", async () => {
    const { start, callback, opened, vendor, world, redirectUri, lane, logger } = await open();
    const begun = await start();
    expect(begun.status).toBe(302);
    expect(`${begun.location.origin}${begun.location.pathname}`).toBe(
      "https://app.intercom.com/oauth",
    );
    expect(begun.location.searchParams.get("redirect_uri")).toBe(redirectUri);
    expect(begun.location.searchParams.get("client_id")).toBe(vendor.control.app().clientId);
    expect(begun.setCookie).toMatch(/HttpOnly; SameSite=Lax; Secure/);
    const state = begun.location.searchParams.get("state") ?? "";
    const { code } = vendor.control.authorize({ redirectUri });
    const done = await callback(state, code, begun.cookie);
    expect([done.status, done.text]).toEqual([200, expect.stringContaining("Installed into")]);
    const token = await opened();
    expect(token).not.toBe(vendor.apiKey);
    expect(token.length).toBeGreaterThan(10);
    const records = await world.store.findRecords(tenantId, {
      action: "connection.installed",
      limit: 5,
    });
    expect(records).toHaveLength(1);
    const told = JSON.stringify([records, logger.lines, done.text]);
    expect(told).toContain("installedBy");
    expect(told).not.toContain(token);
    expect((await lane()).nextListAt).toBeNull();
    expect(await installationsOf(world.store, tenantId)).toMatchObject([
      {
        connectionId,
        vendor: "intercom",
        state: "open",
        installed: { organizationId: "sb1workspace", credential: "intercom-token" },
      },
    ]);
  });

  test("that never was is listed as such", async () => {
    const { world } = await open();
    expect(await installationsOf(world.store, tenantId)).toMatchObject([{ installed: null }]);
  });

  test("counts once, in the browser that began, with our state, and not too late", async () => {
    const { start, callback, vendor, redirectUri, world, opened } = await open();
    const begun = await start();
    const state = begun.location.searchParams.get("state") ?? "";
    const code = () => vendor.control.authorize({ redirectUri }).code;
    expect((await callback(state, code())).text).toContain("belongs to no installation");
    expect((await callback(state, code(), "__install_visit=other")).status).toBe(400);
    expect((await callback(`${state}x`, code(), begun.cookie)).status).toBe(400);
    expect((await callback(state, "not-a-code", begun.cookie)).status).toBe(502);
    expect((await callback(state, code(), begun.cookie)).text).toContain("used already");
    const late = await start();
    await world.clock.advance(16 * minute);
    const lateState = late.location.searchParams.get("state") ?? "";
    expect((await callback(lateState, code(), late.cookie)).status).toBe(400);
    await expect(opened()).rejects.toMatchObject({ code: "CREDENTIAL_MISSING" });
  });

  test("needs a link that an operator made, of this day", async () => {
    const { browse, link, world, listener } = await open();
    const { startUrl } = await link();
    expect((await browse(`${listener.url}/oauth/intercom/start`)).status).toBe(400);
    expect((await browse(startUrl.replace("intercom/start", "clay/start"))).status).toBe(400);
    await world.clock.advance(25 * 60 * minute);
    expect((await browse(startUrl)).text).toContain("not good any more");
  });

  test("into another workspace than the pinned one keeps nothing", async () => {
    const { start, callback, vendor, redirectUri, opened } = await open();
    const begun = await start();
    vendor.control.setWorkspace("other1", "Somebody Else");
    const { code } = vendor.control.authorize({ redirectUri });
    const state = begun.location.searchParams.get("state") ?? "";
    const done = await callback(state, code, begun.cookie);
    expect([done.status, done.text]).toEqual([400, expect.stringContaining("is pinned to")]);
    await expect(opened()).rejects.toMatchObject({ code: "CREDENTIAL_MISSING" });
  });

  test("names what the app's settings must list, and each scope with its calls", async () => {
    const { link } = await open();
    expect(await link()).toMatchObject({
      redirectUrl: "https://id.example.com/oauth/intercom/callback",
      webhookUrl: `https://id.example.com/hooks/intercom/${tenantId}/${connectionId}`,
      scopes: expect.arrayContaining([
        { scope: "Read admin activity logs", operations: ["activity_logs.list"] },
      ]) as unknown,
    });
  });
});

describe("a notice", () => {
  async function told() {
    const opened = await open();
    const { listener, vendor, lane, world } = opened;
    const url = `${listener.url}/hooks/intercom/${tenantId}/${connectionId}`;
    const secret = vendor.control.app().clientSecret;
    const workspace = (await lane()).organization?.id ?? "";
    const send = async (topic: string, more: { app?: string; signature?: string } = {}) => {
      const body = JSON.stringify({
        type: "notification_event",
        app_id: more.app ?? workspace,
        id: "notif_1",
        topic,
        data: {},
      });
      const own = `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`;
      const headers = { "x-hub-signature": more.signature ?? own };
      return (await fetch(url, { method: "POST", body, headers })).status;
    };
    const due = async () => ((await lane()).nextListAt ?? Infinity) <= world.clock.now();
    return { ...opened, url, send, due };
  }

  test("with a good signature brings the next look forward, and takes nobody away", async () => {
    const { send, due, url, vendor, world } = await told();
    expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
    expect(await send("ping")).toBe(200);
    expect(await send("admin.away_mode_updated")).toBe(200);
    expect(await due()).toBe(false);
    expect(await send("admin.removed_from_workspace")).toBe(200);
    expect(await due()).toBe(true);
    const lists = () => vendor.requests.filter((item) => item.operation === "admins.list").length;
    const before = lists();
    await world.settle();
    expect(lists()).toBeGreaterThan(before);
  });

  test.each([
    ["of another key", { signature: `sha1=${"0".repeat(40)}` }, 401],
    ["that is no signature", { signature: "sha1=zz" }, 401],
    ["of another workspace", { app: "other1" }, 200],
  ] as const)("with a signature %s changes nothing", async (_name, more, status) => {
    const { send, due } = await told();
    expect(await send("admin.removed_from_workspace", more)).toBe(status);
    expect(await due()).toBe(false);
  });

  test("to a connection that is not there looks like one that is not signed", async () => {
    const { listener } = await told();
    const url = `${listener.url}/hooks/intercom/${tenantId}/nowhere`;
    expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(401);
  });

  test("of an uninstallation, which nobody signs, only makes us ask: a dead token pauses the lane and is told", async () => {
    const { url, vendor, world, lane, findings } = await told();
    const uninstall = () => fetch(`${url}/uninstalled`, { method: "POST", body: "{}" });
    await uninstall();
    await world.settle();
    expect((await lane()).state).toBe("open");
    vendor.control.revokeToken();
    await uninstall();
    await world.settle();
    expect((await lane()).pause?.code).toBe("CREDENTIAL_REFUSED");
    expect((await findings("lane_paused")).join()).toContain("urgent the connection is paused");
    expect((await world.store.listLinks(tenantId, { connectionId, limit: 9 })).length).toBe(0);
  });
});
