import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHrRouter, eventBytesMax } from "../../src/hr/router.ts";
import { signatureOf } from "../../src/hr/signature.ts";
import { defaultSourceSettings } from "../../src/model/hr-settings.ts";
import { HrSystem } from "../support/hr-sender.ts";
import { StoryWorld, tenantId } from "../support/story-world.ts";

/** The signed endpoints over a real socket and a real store, with two secrets that are good. */
describe("HR's endpoints", () => {
  let world: StoryWorld;
  let hr: HrSystem;
  let url: string;
  let close: () => Promise<void>;

  beforeEach(async () => {
    world = await StoryWorld.open();
    hr = await HrSystem.connect(world);
    const app = express();
    app.use(
      "/hr/v1",
      createHrRouter({
        ...hr.deps,
        defaultTenant: tenantId,
        openSecrets: (tenant, source) =>
          Promise.resolve(
            tenant === tenantId && source === "workday"
              ? [
                  { secret: "new-secret", fingerprint: "aaaaaaaaaaaa" },
                  { secret: "old-secret", fingerprint: "bbbbbbbbbbbb" },
                ]
              : [],
          ),
      }),
    );
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hr/v1`;
    close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await world.store.close();
    };
  });
  afterEach(() => close());

  const post = async (
    path: string,
    content: unknown,
    more: { secret?: string; source?: string; headers?: Record<string, string>; at?: number } = {},
  ) => {
    const body = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
    const timestamp = String(Math.floor((more.at ?? world.clock.now()) / 1_000));
    const headers = {
      "content-type": "application/json",
      "rolecall-source": more.source ?? "workday",
      ...more.headers,
    };
    const signature = signatureOf(more.secret ?? "new-secret", timestamp, { headers, body });
    const response = await fetch(`${url}${path}`, {
      method: "POST",
      body,
      headers: {
        ...headers,
        "rolecall-timestamp": timestamp,
        "rolecall-signature": `v1=${signature}`,
      },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const hire = (id: string, more: object = {}) => ({
    id,
    type: "hire",
    person: { id: "7", email: "ada@example.com" },
    start: "2026-01-09",
    ...more,
  });

  test("take an event that either of two secrets has signed, and know the same one again", async () => {
    const first = await post("/events", hire("e1"));
    expect(first).toMatchObject({ status: 202, body: { state: "applied" } });
    expect(await post("/events", hire("e1"), { secret: "old-secret" })).toEqual(first);
    expect(await post("/events", hire("e2"), { secret: "old-secret" })).toMatchObject({
      status: 202,
      body: { state: "unchanged" },
    });
    const other = await post("/events", hire("e1", { start: "2026-01-10" }));
    expect(other.status).toBe(409);
    expect(JSON.stringify(other.body)).toContain('id \\"e1\\"');
    const { record } = await world.store.readHrPerson(tenantId, {
      sourceId: hr.sender.sourceId,
      personKey: "7",
    });
    expect(record?.spells).toHaveLength(1);
  });

  test("keep nothing of what nobody of ours has signed", async () => {
    const refused = [
      await post("/events", hire("e1"), { secret: "guessed" }),
      await post("/events", hire("e1"), { source: "unknown" }),
      await post("/events", hire("e1"), { source: "globex/workday" }),
      await post("/events", hire("e1"), { at: world.clock.now() - 301_000 }),
      await post("/events", hire("e1"), { source: "not a name" }),
      await post("/bulk", { batch: "b" }, { secret: "guessed" }),
    ];
    expect(refused.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401, 401]);
    // Whether a source is there does not show.
    expect(refused[1]?.body).toEqual(refused[0]?.body);
    const [source] = await world.store.listHrSources(tenantId);
    expect(source?.lastMessageAt).toBeUndefined();
    expect(await hr.parked()).toEqual([]);
  });

  test("say what is wrong with an event, and keep it all the same", async () => {
    const wrong = await post("/events", { id: "e1", type: "fired", person: { id: "7" } });
    expect(wrong.status).toBe(422);
    expect(JSON.stringify(wrong.body["problems"])).toContain("write one of hire, change");
    expect((await post("/events", "{no json")).status).toBe(422);
    expect((await post("/events", "")).status).toBe(422);
    expect(await hr.parked()).toEqual(["UNREADABLE", "UNREADABLE", "UNREADABLE"]);
    expect((await post("/events", { id: "e1", type: "fired", person: { id: "7" } })).status).toBe(
      422,
    );
    expect(await hr.parked()).toHaveLength(3);
  });

  test("park a date without a zone, and let it count once hr.yaml has one", async () => {
    await hr.read({ sources: { workday: defaultSourceSettings } });
    const answer = await post("/events", hire("e1"));
    expect(answer).toMatchObject({ status: 202, body: { state: "parked", code: "NO_ZONE" } });
    await hr.read();
    const { receipts } = await hr.replay(answer.body["uploadId"] as string);
    expect(receipts).toMatchObject([{ state: "applied" }]);
    expect(await hr.parked()).toEqual([]);
    // The sender is told what they were told.
    expect(await post("/events", hire("e1"))).toEqual(answer);
  });

  test("take CloudEvents, structured and in binary mode, whose headers are signed too", async () => {
    const { id, type, ...data } = hire("e1");
    const envelope = { specversion: "1.0", id, source: "/hr", type: `com.example.${type}` };
    const structured = await post(
      "/events",
      { ...envelope, data },
      { headers: { "content-type": "application/cloudevents+json; charset=utf-8" } },
    );
    expect(structured).toMatchObject({ status: 202, body: { state: "applied" } });
    const headers = Object.fromEntries(
      Object.entries({ ...envelope, id: "e2" }).map(([name, value]) => [`ce-${name}`, value]),
    );
    expect(await post("/events", data, { headers })).toMatchObject({
      status: 202,
      body: { state: "unchanged" },
    });
  });

  test("answer a receipt for each record of a state upload, and park what cannot be read", async () => {
    const records = [
      { id: "7", email: "ada@example.com", start: "2026-01-09" },
      { id: "8", start: "soon" },
      { email: "nobody@example.com" },
    ];
    const upload = { batch: "b1", asOf: "2026-01-05T08:00:00Z", records };
    const first = await post("/bulk", upload);
    expect(first).toMatchObject({
      status: 202,
      body: {
        batch: "b1",
        receipts: [
          { position: 0, state: "applied" },
          { position: 1, state: "parked", code: "UNREADABLE" },
          { position: 2, state: "parked", code: "NO_PERSON" },
        ],
      },
    });
    expect(await post("/bulk", upload)).toEqual(first);
    expect((await post("/bulk", { ...upload, records: [] })).status).toBe(409);
    const next = await post("/bulk", { ...upload, batch: "b2", asOf: "2026-01-05T08:30:00Z" });
    expect(next.body["receipts"]).toMatchObject([{ state: "unchanged" }, {}, {}]);
    const { messages } = await world.store.readHrPerson(tenantId, {
      sourceId: hr.sender.sourceId,
      personKey: "7",
    });
    expect(messages).toMatchObject([{ repeatedAt: Date.UTC(2026, 0, 5, 8, 30) }]);
    expect((await post("/bulk", { records })).status).toBe(400);
  });

  test("refuse bodies that are too large, and methods and places that are not there", async () => {
    expect((await post("/events", "x".repeat(eventBytesMax + 1))).status).toBe(413);
    expect((await post("/nothing", "{}")).status).toBe(404);
    expect((await fetch(`${url}/events`)).status).toBe(404);
  });

  test("work through what a crash left behind, when it is sent again", async () => {
    const body = Buffer.from(JSON.stringify(hire("e1")));
    const { createHash } = await import("node:crypto");
    await world.store.keepHrUpload(tenantId, {
      uploadId: "left-behind",
      sourceId: hr.sender.sourceId,
      kind: "event",
      key: "e1",
      contentType: "application/json",
      body,
      bodyHash: createHash("sha256").update(body).digest("hex"),
      receivedAt: world.clock.now(),
    });
    expect(await post("/events", hire("e1"))).toMatchObject({
      status: 202,
      body: { uploadId: "left-behind", state: "applied" },
    });
  });
});

describe("people who are missing from a complete upload", () => {
  const complete = (keys: readonly string[], count = keys.length) => ({
    batch: `b${keys.join("-")}-${String(count)}`,
    asOf: "2026-01-05T08:00:00Z",
    complete: true,
    count,
    records: keys.map((id) => ({ id })),
  });
  const keys = Array.from({ length: 10 }, (_, at) => String(at));
  const stateOf = async (world: StoryWorld, hr: HrSystem, personKey: string) =>
    (await world.store.getHrRecord(tenantId, { sourceId: hr.sender.sourceId, personKey }))
      ?.spells[0]?.leaves === undefined
      ? "here"
      : "left";

  test("have left only where hr.yaml says so", async () => {
    const world = await StoryWorld.open();
    const hr = await HrSystem.connect(world);
    await hr.upload("bulk", "b1", complete(keys));
    await hr.upload("bulk", "b2", { ...complete(keys.slice(1)), asOf: "2026-01-05T08:01:00Z" });
    expect(await stateOf(world, hr, "0")).toBe("here");
    await hr.read({}, { absent: "left" });
    await hr.upload("bulk", "b3", { ...complete(keys.slice(1)), asOf: "2026-01-05T08:02:00Z" });
    expect(await stateOf(world, hr, "0")).toBe("left");
    expect(await stateOf(world, hr, "1")).toBe("here");
  });

  test("are all parked when they are too many, or when the upload is not what it says", async () => {
    const world = await StoryWorld.open();
    const hr = await HrSystem.connect(world, { reading: { absent: "left" } });
    await hr.upload("bulk", "b1", complete(keys));
    await hr.upload("bulk", "b2", complete(keys.slice(4)));
    expect(await hr.parked()).toEqual(Array.from({ length: 4 }, () => "ABSENCE_GUARD"));
    expect(await world.findings()).toContain("hr_absence_guard");
    expect(await stateOf(world, hr, "0")).toBe("here");
    const { receipts } = await hr.upload("bulk", "b3", complete(keys.slice(1), 10));
    expect(receipts).toMatchObject([{ state: "parked", code: "UNREADABLE" }]);
    const broken = complete(keys.slice(2));
    await hr.upload("bulk", "b4", {
      ...broken,
      records: [{ id: "2", end: "soon" }, ...broken.records.slice(1)],
    });
    expect(await stateOf(world, hr, "0")).toBe("here");
  });
});
