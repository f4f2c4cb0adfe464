// Goal: what people must hear reaches them once, signed, and is tried again until it does.
// Method: a real HTTP receiver and a real SMTP server on loopback, a real store, a clock that the test moves.
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SMTPServer } from "smtp-server";
import { afterEach, describe, expect, test } from "vitest";
import { checkpointFiles, readCheckpoints, toldCheckpoints } from "../../src/audit/checkpoint.ts";
import { storeSource } from "../../src/audit/export.ts";
import { createSequencer } from "../../src/audit/sequencer.ts";
import { noteSigner } from "../../src/audit/signed-note.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import { createHttpPools } from "../../src/http/http-pools.ts";
import type { Logger, Metrics } from "../../src/model/log.ts";
import { newRecord } from "../../src/model/records.ts";
import type { Channel } from "../../src/notify/channel.ts";
import { checkpointTeller } from "../../src/notify/checkpoint-notice.ts";
import { emailChannel } from "../../src/notify/email.ts";
import { topics, type Topic } from "../../src/notify/notice.ts";
import { notifyRound } from "../../src/notify/notifier.ts";
import { webhookChannel } from "../../src/notify/webhook.ts";
import { rejectTask } from "../../src/tasks/decide-task.ts";
import { keepTask } from "../../src/tasks/keep-task.ts";
import { mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const unmeasured: Metrics = { count() {}, gauge() {}, observe() {} };
const secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const minute = 60_000;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver that answers what it is told to. */
async function receiver() {
  const got: Received[] = [];
  const state = { status: 204 };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      response.writeHead(state.status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  return { got, state, url: `http://127.0.0.1:${String(port)}/hook` };
}

/** What the record says is told by a channel of its own: a world that begins makes records. */
const told: readonly Topic[] = topics.filter(
  (topic) => topic !== "record" && topic !== "checkpoint",
);

function webhook(
  url: string,
  innerHosts: "any" | readonly string[] = "any",
  heard: readonly Topic[] = told,
): Channel {
  const pools = createHttpPools({ innerHosts });
  ends.push(() => pools.close());
  const publicUrl = "https://rolecall.example.com";
  return webhookChannel({ url, secret, publicUrl, pools, topics: heard });
}

/** A world in which a wave of leavers tripped their rail. */
async function held() {
  const rails = { leavers: { floor: 0, fraction: 0 } };
  const world = await StoryWorld.open({ mapping: mapping({ rails }) });
  ends.push(() => world.store.close());
  const ada = await world.hire("ada@example.com");
  await world.group("Engineering", [ada]);
  await world.group("Platform");
  await world.settle();
  world.vendor.accept(ada.email);
  await world.pass(6 * minute, minute);
  await world.setActive(ada, false);
  await world.settle();
  return { world, ada };
}

const round = (world: StoryWorld, channels: readonly Channel[]) =>
  notifyRound({
    store: world.store,
    clock: world.clock,
    logger: silent,
    metrics: unmeasured,
    channels,
    tenants: () => Promise.resolve([{ tenantId }]),
  });

const typesOf = (got: readonly Received[]) =>
  got.map((item) => (JSON.parse(item.body) as { type: string }).type);

describe("alerting actions of the record", () => {
  test("are told once, by whom, and nothing else of the record is; what is older than a day was told before", async () => {
    const world = await StoryWorld.open();
    ends.push(() => world.store.close());
    const { got, url } = await receiver();
    const channels = [webhook(url, "any", ["record"])];
    const write = (action: string) =>
      world.store.appendRecords(tenantId, [
        newRecord(world.clock, {
          ...{ action, facts: {}, actor: { kind: "operator", id: "ida" } },
          subject: { type: "token", id: "t1" },
        }),
      ]);
    await write("token.created");
    await world.clock.advance(25 * 60 * minute);
    await write("token.revoked");
    await write("user.created");
    await write("audit.verify_failed");
    await round(world, channels);
    await round(world, channels);
    expect(typesOf(got).toSorted()).toEqual([
      "rolecall.record.audit.verify_failed",
      "rolecall.record.token.revoked",
    ]);
    expect(got[0]?.body).toContain("by operator ida");
    expect(got[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
  });

  test("hold an activated mapping that loosens its rails", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    ends.push(() => world.store.close());
    await world.activate(mapping({ rails: { removals: { floor: 50 } } }));
    const actions = (await world.store.alertingRecords(tenantId, { from: 0, limit: 100 })).map(
      ({ record }) => record.action,
    );
    expect(actions).toEqual(["rails.changed", "mapping.activated", "mapping.activated"]);
  });
});

describe("checkpoints of the record", () => {
  test("reach who keeps them elsewhere, signed by both keys, and verify there", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    ends.push(() => world.store.close());
    const folder = await mkdtemp(join(tmpdir(), "rolecall-checkpoints-"));
    ends.push(() => rm(folder, { recursive: true }));
    const { got, url } = await receiver();
    const channels = [webhook(url, "any", ["checkpoint"])];
    const files = checkpointFiles(folder, "story", (origin) =>
      noteSigner(origin, new Uint8Array(32)),
    );
    const { store, clock } = world;
    const tell = checkpointTeller({ store, clock, logger: silent, channels });
    const sequencer = createSequencer({
      ...{ store, clock, logger: silent, metrics: unmeasured, owner: "s" },
      checkpoints: toldCheckpoints(files, tell),
    });
    await sequencer.runOnce();
    await clock.advance(2 * minute);
    await sequencer.runOnce();
    await round(world, channels);
    expect(typesOf(got)).toContain("rolecall.checkpoint.taken");
    const notes = got.map(
      (item) => (JSON.parse(item.body) as { data: { note: string } }).data.note,
    );
    const elsewhere = join(folder, "elsewhere.txt");
    await writeFile(elsewhere, notes.map((note) => `${note}\n`).join(""));
    const verified = await verifyAudit(
      await storeSource(store, tenantId),
      readCheckpoints(elsewhere),
      [],
    );
    expect(verified).toMatchObject({ ok: true, checkpoints: notes.length, problems: [] });
    expect(verified.size).toBeGreaterThan(0);
  });
});

describe("work for people", () => {
  test("is told when it opens and when somebody says that it cannot be done, each once and without a personal value", async () => {
    const world = await StoryWorld.open({ mapping: mapping() });
    ends.push(() => world.store.close());
    const { got, url } = await receiver();
    const channels = [webhook(url)];
    const task = await keepTask(world.tasks, tenantId, {
      key: "case:1:hand-over",
      title: "hand the workspace over",
      connectionId: null,
      identityId: null,
      cause: "leaver",
      lines: [],
      dueAt: world.clock.now() + minute,
      fourEyes: false,
      proof: "word",
      assignee: "ops@example.com",
      fallback: null,
    });
    await round(world, channels);
    await round(world, channels);
    const actor = { kind: "operator", id: "ann" } as const;
    await rejectTask(world.tasks, tenantId, { taskId: task.taskId, actor, why: "not mine" });
    await round(world, channels);
    expect(typesOf(got)).toEqual(["rolecall.task.opened", "rolecall.task.rejected"]);
    for (const { body } of got) expect(body).not.toContain("@example.com");
    expect(got[0]?.body).toContain(`rolecall tasks show ${task.taskId}`);
  });
});

describe("a webhook", () => {
  test("gets a hold at once, as a CloudEvent whose signature its secret proves, and gets it once", async () => {
    const { world } = await held();
    const { got, url } = await receiver();
    const channels = [webhook(url)];
    await round(world, channels);
    await round(world, channels);
    expect(typesOf(got)).toEqual(["rolecall.hold.opened"]);
    const [one] = got;
    expect(one?.headers["content-type"]).toBe("application/cloudevents+json");
    const id = String(one?.headers["webhook-id"]);
    const timestamp = String(one?.headers["webhook-timestamp"]);
    expect(Number(timestamp)).toBe(Math.floor(world.clock.now() / 1_000));
    // As a receiver checks it, written anew: the key's bytes, id.timestamp.body.
    const mac = createHmac("sha256", Buffer.alloc(32, 7))
      .update(`${id}.${timestamp}.${one?.body ?? ""}`)
      .digest();
    const sent = Buffer.from(String(one?.headers["webhook-signature"]).slice(3), "base64");
    expect(timingSafeEqual(mac, sent)).toBe(true);
    expect(JSON.parse(one?.body ?? "")).toMatchObject({
      specversion: "1.0",
      source: "https://rolecall.example.com/tenants/acme",
      data: { rail: "leavers", count: 1, allowance: 0 },
    });
    expect(one?.body).not.toContain("ada@");
  });

  test("hears of a deadline before it is missed, and again when it is", async () => {
    const { world } = await held();
    const { got, url } = await receiver();
    const channels = [webhook(url)];
    await round(world, channels);
    await world.pass(11 * minute, minute);
    await round(world, channels);
    expect(typesOf(got)).toEqual(["rolecall.hold.opened", "rolecall.deadline.near"]);
    await world.pass(5 * minute, minute);
    await round(world, channels);
    expect(typesOf(got).at(-1)).toBe("rolecall.deadline.missed");
  });

  test("that fails is tried again with growing pauses, and keeps the other channel from nothing", async () => {
    const { world } = await held();
    const { got, state, url } = await receiver();
    const other = await receiver();
    const channels = [webhook(url), { ...webhook(other.url), name: "other" }];
    state.status = 503;
    await round(world, channels);
    expect([got.length, other.got.length]).toEqual([1, 1]);
    await world.clock.advance(9_000);
    await round(world, channels);
    expect(got).toHaveLength(1);
    await world.clock.advance(1_000);
    await round(world, channels);
    expect(got).toHaveLength(2);
    state.status = 204;
    await world.clock.advance(minute);
    await round(world, channels);
    expect(got).toHaveLength(3);
    expect(new Set(got.map((item) => item.headers["webhook-id"])).size).toBe(1);
    const log = await world.store.listDeliveries(tenantId, { limit: 10 });
    expect(log.map((item) => [item.channel, item.state, item.attempts]).toSorted()).toEqual([
      ["other", "sent", 1],
      ["webhook", "sent", 3],
    ]);
    await world.clock.advance(10 * minute);
    await round(world, channels);
    expect(got).toHaveLength(3);
  });

  test("that says no for good is given up until a person tries again", async () => {
    const { world } = await held();
    const { got, state, url } = await receiver();
    const channels = [webhook(url)];
    state.status = 410;
    await round(world, channels);
    await world.clock.advance(60 * minute);
    await round(world, channels);
    expect(got).toHaveLength(1);
    const [failed] = await world.store.listDeliveries(tenantId, { state: "failed", limit: 10 });
    expect(failed?.lastError).toBe("HTTP 410");
    state.status = 204;
    await world.store.retryDeliveries(
      tenantId,
      { deliveryId: failed?.deliveryId, now: world.clock.now() },
      world.also("notices.retried"),
    );
    await round(world, channels);
    expect(got).toHaveLength(2);
    expect(await world.store.listDeliveries(tenantId, { state: "failed", limit: 10 })).toEqual([]);
  });

  test("with an address inside this network gets nothing unless it is allowed", async () => {
    const { world } = await held();
    const channels = [webhook("http://10.1.2.3/hook", [])];
    await round(world, channels);
    const [failed] = await world.store.listDeliveries(tenantId, { limit: 10 });
    expect(failed?.state).toBe("failed");
    expect(failed?.lastError).toContain("ROLECALL_INNER_HOSTS");
  });
});

describe("mail", () => {
  test("reaches its recipients as plain text, and a server that refuses for now is asked again", async () => {
    const { world } = await held();
    const mails: string[] = [];
    const rejections: Error[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onRcptTo(address, _session, done) {
        const no = rejections.shift();
        if (no !== undefined) done(no);
        else done(address.address.endsWith("@example.com") ? null : new Error("not here"));
      },
      onData(stream, _session, done) {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          mails.push(Buffer.concat(chunks).toString("utf8"));
          done();
        });
      },
    });
    server.listen(0, "127.0.0.1");
    await once(server.server, "listening");
    ends.push(() => new Promise<void>((resolve) => server.close(resolve)));
    const { port } = server.server.address() as AddressInfo;
    const channel = emailChannel({
      smtpUrl: `smtp://127.0.0.1:${String(port)}`,
      from: "Rolecall <rolecall@example.com>",
      to: ["it@example.com"],
      topics: told,
    });
    ends.push(() => {
      channel.close();
      return Promise.resolve();
    });
    rejections.push(Object.assign(new Error("try later"), { responseCode: 451 }));
    await round(world, [channel]);
    expect(mails).toEqual([]);
    const [waits] = await world.store.listDeliveries(tenantId, { limit: 10 });
    expect(waits).toMatchObject({ state: "due", lastError: "SMTP 451" });
    await world.clock.advance(10_000);
    await round(world, [channel]);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatch(/^Subject: \[Rolecall acme\] hold opened\r?$/m);
    expect(mails[0]).toContain("a batch waits for a decision");
    expect(mails[0]).not.toContain("ada@");
    expect(await world.store.listDeliveries(tenantId, { state: "sent", limit: 10 })).toHaveLength(
      1,
    );
  });
});
