import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ExchangeLog } from "../../../src/sandbox/idp/exchange-log.ts";
import { ScimSession } from "../../../src/sandbox/idp/scim-session.ts";
import type { ClientHabits, ScimSessionOptions } from "../../../src/sandbox/idp/scim-session.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { RecordingScim } from "../../support/recording-scim.ts";

const doubling: ClientHabits = {
  userAgent: "Some IdP 1.0",
  headers: { Accept: "application/scim+json" },
  blank: "%20",
  rateLimited: { attemptsMax: 4, defaultWaitMs: 300_000, doubles: true },
};
const plain: ClientHabits = {
  ...doubling,
  blank: "+",
  rateLimited: { attemptsMax: 2, defaultWaitMs: undefined, doubles: false },
};

let server: RecordingScim;
/** What the session waited, in domain milliseconds. */
let waits: number[];

beforeEach(async () => {
  server = await new RecordingScim().start();
  waits = [];
});
afterEach(() => server.stop());

function session(options: Partial<ScimSessionOptions> = {}): ScimSession {
  const clock = {
    ...fakeClock(),
    sleep: (ms: number) => {
      waits.push(ms);
      return Promise.resolve();
    },
  };
  return new ScimSession({
    baseUrl: server.url,
    token: "s3cret-token",
    habits: doubling,
    clock,
    ...options,
  });
}

const lookup = [["filter", 'userName eq "ada@example.com"']] as const;
const ada = { userName: "ada@example.com", password: "Hunter2", active: true };

describe("a request", () => {
  it("carries the bearer token, the IdP's own headers and a SCIM body", async () => {
    await session().matchOrCreate("/Users", lookup, ada);
    const [, post] = server.take();
    expect(post?.headers).toMatchObject({
      authorization: "Bearer s3cret-token",
      "user-agent": "Some IdP 1.0",
      accept: "application/scim+json",
      "content-type": "application/scim+json; charset=utf-8",
    });
    expect(post?.body).toEqual(ada);
  });

  it("writes blanks of a filter as this IdP does, and quotes what could end the literal", async () => {
    const query = [["filter", 'userName eq "a\\"b"']] as const;
    await session().list("/Users", query);
    await session({ habits: plain }).list("/Users", query);
    expect(server.take().map(({ target }) => target)).toEqual([
      "/Users?filter=userName%20eq%20%22a%5C%22b%22",
      "/Users?filter=userName+eq+%22a%5C%22b%22",
    ]);
  });

  it("keeps the flag of the base URL in every request", async () => {
    const flagged = session({ baseUrl: `${server.url}/?aFlag` });
    await flagged.list("/Users", [["count", "1"]]);
    await flagged.delete("/Users/gone");
    expect(server.lines()).toEqual(["GET /Users?aFlag&count=1", "DELETE /Users/gone?aFlag"]);
  });

  it("fails with the service's own words when it is refused", async () => {
    server.fail({ status: 400, body: { detail: "userName is missing: send one" } });
    await expect(session().put("/Users/u1", {})).rejects.toMatchObject({
      name: "ScimRequestError",
      status: 400,
      message: "PUT /Users/u1: 400 userName is missing: send one",
    });
  });

  it("does not link a created resource without an id", async () => {
    server.fail({ status: 201, body: {} }, ({ method }) => method === "POST");
    await expect(session().matchOrCreate("/Users", lookup, ada)).rejects.toThrow("not a readable");
  });

  it("refuses a base URL that is not HTTP", () => {
    expect(() => session({ baseUrl: "ftp://example.com" })).toThrow("http or https");
  });
});

describe("429", () => {
  const limited = (retryAfter?: string) => ({
    status: 429,
    ...(retryAfter === undefined ? {} : { headers: { "retry-after": retryAfter } }),
  });

  it("is waited out for the whole seconds asked, doubled at each further one", async () => {
    server.failTimes(3, limited("7"));
    await session().list("/Users", []);
    expect(waits).toEqual([7_000, 14_000, 28_000]);
    expect(server.take()).toHaveLength(4);
  });

  it("means the IdP's own wait when Retry-After is a date", async () => {
    server.fail(limited("Wed, 21 Oct 2026 07:28:00 GMT"));
    await session().list("/Users", []);
    expect(waits).toEqual([300_000]);
  });

  it("is final after the IdP's last attempt", async () => {
    server.failTimes(9, limited("1"));
    await expect(session().list("/Users", [])).rejects.toMatchObject({ status: 429 });
    expect(server.take()).toHaveLength(4);
  });

  it("is final at once for an IdP that waits only when told how long", async () => {
    server.fail(limited());
    await expect(session({ habits: plain }).list("/Users", [])).rejects.toMatchObject({
      status: 429,
    });
    expect(waits).toEqual([]);
  });

  it.each([
    ["doubles its waits", doubling],
    ["gives up soon", plain],
  ])(
    "never ends a persistent session of an IdP that %s: it waits what was asked",
    async (_n, habits) => {
      server.failTimes(6, limited("3"));
      await session({ habits, persist: true }).list("/Users", []);
      expect(waits).toEqual([3_000, 3_000, 3_000, 3_000, 3_000, 3_000]);
    },
  );

  it("without a time is tried again by a persistent session after its own wait", async () => {
    server.fail(limited());
    await session({ habits: plain, persist: true, persistWaitMs: 250 }).list("/Users", []);
    expect(waits).toEqual([250]);
  });
});

describe("a session that does not persist", () => {
  it.each([
    ["a 503", { status: 503 }, 503],
    ["a cut connection", "cut", undefined],
    ["a cut answer", "lose", undefined],
  ] as const)("fails at %s after one request", async (_name, fault, status) => {
    server.put("/Users", { id: "u1" });
    server.fail(fault);
    await expect(session().get("/Users/u1")).rejects.toMatchObject({ status, lost: true });
    expect(server.take()).toHaveLength(1);
  });
});

describe("a persistent session", () => {
  it("repeats the same body until it is answered, through 5xx and cut answers", async () => {
    server.put("/Users", { id: "u1" });
    server.fail({ status: 500 });
    server.fail({ status: 503 });
    server.fail("cut");
    server.fail("lose");
    const body = { Operations: [{ op: "replace", value: { active: false } }] };
    await session({ persist: true, persistWaitMs: 250 }).patch("/Users/u1", body);
    const sent = server.take();
    expect(sent.map((request) => request.body)).toEqual([body, body, body, body, body]);
    expect(waits).toEqual([250, 250, 250, 250]);
  });

  it("outlives a service that is stopped and started again", async () => {
    server.put("/Users", { id: "u1" });
    await server.stop();
    const clock = fakeClock();
    const persistent = session({ persist: true, persistWaitMs: 1_000, clock });
    const answer = persistent.get("/Users/u1");
    await eventually(() => persistent.log.total === 1 && clock.pending === 1);
    expect(persistent.log.entries()[0]?.failure).toContain("ECONNREFUSED");
    await server.start();
    await clock.advance(1_000);
    await expect(answer).resolves.toMatchObject({ id: "u1" });
  });

  it("does not repeat what was refused", async () => {
    server.fail({ status: 409 });
    await expect(session({ persist: true }).patch("/Users/u1", {})).rejects.toMatchObject({
      status: 409,
    });
    expect(server.take()).toHaveLength(1);
  });

  it("looks a create up after its answer was lost, and links what it made", async () => {
    server.fail("lose", ({ method }) => method === "POST");
    const made = await session({ persist: true }).matchOrCreate("/Users", lookup, ada);
    expect(made).toMatchObject({ matched: true, resource: { id: "u1" } });
    expect(server.take().map(({ method }) => method)).toEqual(["GET", "POST", "GET"]);
    expect(server.resources.size).toBe(1);
  });

  it("sends a create again, the same one, when the lookup shows that it never arrived", async () => {
    server.fail("cut", ({ method }) => method === "POST");
    const made = await session({ persist: true }).matchOrCreate("/Users", lookup, ada);
    expect(made).toMatchObject({ matched: false, resource: { id: "u1" } });
    const posts = server.take().filter(({ method }) => method === "POST");
    expect(posts.map(({ body }) => body)).toEqual([ada, ada]);
  });

  it("takes a resource that is gone for deleted when the first answer was lost", async () => {
    server.put("/Users", { id: "u1" });
    server.fail("lose");
    await session({ persist: true }).delete("/Users/u1");
    expect(server.lines()).toEqual(["DELETE /Users/u1", "DELETE /Users/u1"]);
  });

  it("counts an answer that does not come in time as lost", async () => {
    server.put("/Users", { id: "u1" });
    server.fail("silence");
    await session({ persist: true, answerTimeoutMs: 40 }).get("/Users/u1");
    expect(server.take()).toHaveLength(2);
  });

  it("ends when it is stopped", async () => {
    await server.stop();
    const stop = new AbortController();
    const clock = fakeClock();
    const stopped = session({ persist: true, clock, signal: stop.signal });
    const answer = stopped.get("/Users/u1");
    const outcome = expect(answer).rejects.toThrow("stopped");
    await eventually(() => clock.pending === 1);
    stop.abort();
    await outcome;
  });
});

describe("the log", () => {
  it("shows what was sent and answered, and neither password nor token", async () => {
    const logged = session();
    await logged.matchOrCreate("/Users", lookup, ada);
    const entries = logged.log.entries();
    expect(entries.map(({ method, status }) => [method, status])).toEqual([
      ["GET", 200],
      ["POST", 201],
    ]);
    expect(entries[1]?.requestBody).toEqual({ ...ada, password: "[redacted]" });
    expect(entries[1]?.path).toBe("/scim/v2/Users");
    expect(JSON.stringify(entries)).not.toMatch(/s3cret-token|Hunter2/);
  });

  it("holds the newest exchanges only", () => {
    const log = new ExchangeLog(2);
    for (const path of ["/1", "/2", "/3"]) {
      log.add({
        at: 0,
        method: "GET",
        path,
        requestBody: undefined,
        status: 200,
        responseBody: undefined,
        failure: undefined,
      });
    }
    expect(log.entries().map(({ path }) => path)).toEqual(["/2", "/3"]);
    expect(log.total).toBe(3);
    expect(() => new ExchangeLog(0)).toThrow("at least one");
  });
});
