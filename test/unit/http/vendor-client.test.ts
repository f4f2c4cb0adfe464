import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { VendorHttpOptions } from "../../../src/http/vendor-client.ts";
import { SyncError } from "../../../src/model/errors.ts";
import type { VendorFacts } from "../../../src/model/vendor-facts.ts";
import type { VendorRequest } from "../../../src/model/vendor-http.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import {
  json,
  startScriptedServer,
  type ReceivedRequest,
  type Script,
  type ScriptedServer,
} from "../../support/scripted-server.ts";
import { failureOf, openVendorHttp } from "../../support/vendor-http.ts";

const secret = "key-that-nobody-may-see-1";
const endpoint = { path: "/things/{id}", bucket: "all" } as const;
const facts: VendorFacts = {
  vendor: "acme",
  profile: "default",
  kinds: {},
  endpoints: [
    { ...endpoint, operation: "things.read", method: "GET", access: "read" },
    { ...endpoint, operation: "things.update", method: "PATCH", access: "write" },
    { ...endpoint, operation: "things.remove", method: "DELETE", access: "write" },
  ],
  buckets: [{ name: "all", capacity: 10, perMs: 1_000 }],
  create: { unique: true, invitationMs: null },
  settleMs: 0,
  organizationHeader: "acme-organization",
  requestIdHeader: "acme-request",
  impossible: [],
};
const thing = z.object({ id: z.string(), parts: z.array(z.object({ size: z.number() })) });
type Thing = z.infer<typeof thing>;
const read = {
  operation: "things.read",
  path: { id: "t1" },
  parse: (body: unknown) => thing.parse(body),
} satisfies VendorRequest<Thing>;
const write = { ...read, operation: "things.update", body: { size: 2 } };
const good = json(200, { id: "t1", parts: [] });

let server: ScriptedServer;
const closing: (() => Promise<void>)[] = [];
beforeEach(async () => {
  server = await startScriptedServer();
  closing.push(() => server.close());
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function open(options: Partial<VendorHttpOptions> = {}) {
  const opened = openVendorHttp({ facts, baseUrl: server.url, ...options });
  closing.push(() => opened.pools.close());
  return opened;
}

const cut: Script = (response) => {
  response.socket?.destroy();
};
const html =
  (status: number): Script =>
  (response) => {
    response.writeHead(status, { "content-type": "text/html; charset=UTF-8" });
    response.end("<html><body>blocked</body></html>");
  };

describe("a service beside the main interface", () => {
  const withService: VendorFacts = {
    ...facts,
    endpoints: [
      ...facts.endpoints,
      {
        operation: "people.create",
        method: "POST",
        path: "/People",
        access: "write",
        bucket: "all",
        service: "scim",
        headers: { "acme-version": "preview" },
      },
    ],
    services: {
      scim: { title: "SCIM", path: "/scim/v2", media: { send: "application/scim", accept: "x/y" } },
    },
  };
  const create = { operation: "people.create", body: {}, parse: () => undefined };
  const headers = (service: string | undefined) =>
    Promise.resolve({ authorization: `Bearer of ${service ?? "the main interface"}` });

  test("is behind the main address, with its own credential, media types and headers", async () => {
    server.reply(good);
    const { http } = open({ facts: withService, headers });
    await http.request(create);
    await http.request(read);
    const [first, second] = server.received;
    expect(first?.target).toBe("/scim/v2/People");
    expect(first?.headers).toMatchObject({
      authorization: "Bearer of scim",
      "content-type": "application/scim",
      accept: "x/y",
      "acme-version": "preview",
    });
    expect(second?.target).toBe("/things/t1");
    expect(second?.headers).toMatchObject({
      authorization: "Bearer of the main interface",
      accept: "application/json",
    });
    expect(second?.headers["acme-version"]).toBeUndefined();
  });

  test("is where the mapping puts it, over TLS like everything else", async () => {
    server.reply(good);
    const serviceUrls = { scim: `${server.url}/elsewhere` };
    const { http } = open({ facts: withService, headers, serviceUrls });
    await http.request(create);
    expect(server.received[0]?.target).toBe("/elsewhere/People");
    expect(() =>
      open({ facts: withService, serviceUrls: { scim: "http://scim.example.com" } }),
    ).toThrow("clear text");
  });
});

test("a refused scope is named where the facts know it", async () => {
  server.reply(json(403, { error: "no" }));
  const [first, ...rest] = facts.endpoints;
  const scoped = { ...facts, endpoints: [{ ...first, scope: "Read things" }, ...rest] };
  const { http } = open({ facts: scoped as VendorFacts });
  const error = (await failureOf(http.request(read))) as SyncError;
  expect(error.code).toBe("CREDENTIAL_SCOPE_MISSING");
  expect(error.message).toContain('the call needs "Read things"');
});

describe("what is sent", () => {
  test("our own name, the credential, and a content type only with a body", async () => {
    server.reply(good);
    const { http } = open();
    await http.request(read);
    await http.request(write);
    const [first, second] = server.received;
    expect(first?.headers["user-agent"]).toMatch(/^rolecall\/\d+\.\d+\.\d+/);
    expect(first?.headers.authorization).toBe(`Bearer ${secret}`);
    expect(first?.headers["content-type"]).toBeUndefined();
    expect(second?.headers["content-type"]).toBe("application/json");
    expect(second?.body).toBe('{"size":2}');
  });

  test("media types and the version of a resource, where the vendor has its own", async () => {
    server.reply(
      json(
        200,
        { id: "t1", parts: [] },
        { etag: 'W/"2"', location: "https://x.example/things/t1" },
      ),
    );
    const media = { send: "application/scim+json", accept: "application/scim+json" };
    const { http } = open({ facts: { ...facts, media } });
    const answer = await http.request({ ...write, ifMatch: 'W/"1"' });
    expect(server.received[0]?.headers).toMatchObject({
      accept: "application/scim+json",
      "content-type": "application/scim+json",
      "if-match": 'W/"1"',
    });
    expect([answer.etag, answer.location]).toEqual(['W/"2"', "https://x.example/things/t1"]);
  });

  test("a version that is not the newest any more is a conflict: the state moved", async () => {
    server.reply(json(412, {}));
    expect(await failureOf(open().http.request({ ...write, ifMatch: '"1"' }))).toMatchObject({
      code: "VENDOR_CONFLICT",
      facts: { status: 412 },
    });
  });

  test("the credential is opened for each call, so a rotated one is used at once", async () => {
    server.reply(good);
    let opened = 0;
    const { http } = open({
      headers: () => Promise.resolve({ "x-api-key": `secret-number-${String((opened += 1))}` }),
    });
    await http.request(read);
    await http.request(read);
    expect(server.received.map((item) => item.headers["x-api-key"])).toEqual([
      "secret-number-1",
      "secret-number-2",
    ]);
  });

  test("an operation that is not declared is a fault of ours and never leaves", async () => {
    const { http, admitted } = open();
    const error = await failureOf(http.request({ ...read, operation: "things.explode" }));
    expect(error).not.toBeInstanceOf(SyncError);
    expect([admitted, server.received]).toEqual([[], []]);
  });

  test("report-only lets reads pass and stops every write before rate and socket", async () => {
    server.reply(good);
    const { http, admitted } = open({ mode: () => "report-only" });
    await http.request(read);
    expect(await failureOf(http.request(write))).toMatchObject({ code: "GATE_REFUSED" });
    expect(server.received.map((item) => item.method)).toEqual(["GET"]);
    expect(admitted).toEqual(["all"]);
  });

  test("a connection that becomes report-only while a write waits for its rate sends nothing", async () => {
    let mode: "write" | "report-only" = "write";
    const { http } = open({
      mode: () => mode,
      governor: {
        admit: () => {
          mode = "report-only";
          return Promise.resolve();
        },
        settled: () => undefined,
      },
    });
    expect(await failureOf(http.request(write))).toMatchObject({ code: "GATE_REFUSED" });
    expect(server.received).toEqual([]);
  });
});

describe("the last moment before a write", () => {
  test("comes after rate, credential and connection; a throw keeps every byte back", async () => {
    const order: string[] = [];
    const { http, reports } = open({
      governor: {
        admit: () => Promise.resolve(void order.push("rate")),
        settled: (report) => reports.push(report),
      },
      headers: () => {
        order.push("credential");
        return Promise.resolve({});
      },
      beforeWrite: () => {
        order.push("last moment");
        throw new SyncError("INTENT_EXPIRED", "too late");
      },
    });
    expect(await failureOf(http.request(write))).toMatchObject({ code: "INTENT_EXPIRED" });
    expect(order).toEqual(["rate", "credential", "last moment"]);
    expect([server.received, reports]).toEqual([[], []]);
  });

  test("is not asked where there is no connection", async () => {
    await server.close();
    let asked = 0;
    const { http } = open({ beforeWrite: () => void (asked += 1) });
    expect(await failureOf(http.request(write))).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect(asked).toBe(0);
  });

  test("is not asked for reads", async () => {
    server.reply(good);
    const { http } = open({
      beforeWrite: () => {
        throw new Error("a read is no write");
      },
    });
    await expect(http.request(read)).resolves.toMatchObject({ status: 200 });
  });
});

describe("an answer", () => {
  test("gives value, request id and the hash of its raw body", async () => {
    server.reply(json(200, { id: "t1", parts: [], more: 1 }, { "acme-request": "req_7" }));
    const answer = await open().http.request(read);
    const raw = '{"id":"t1","parts":[],"more":1}';
    expect(answer).toEqual({
      status: 200,
      value: { id: "t1", parts: [] },
      requestId: "req_7",
      bodyHash: createHash("sha256").update(raw).digest("hex"),
    });
  });

  test.each([
    [401, "CREDENTIAL_REFUSED", "CREDENTIAL_REFUSED"],
    [402, "VENDOR_PLAN_REQUIRED", "VENDOR_PLAN_REQUIRED"],
    [403, "CREDENTIAL_SCOPE_MISSING", "CREDENTIAL_SCOPE_MISSING"],
    [400, "VENDOR_REJECTED", "VENDOR_REJECTED"],
    [404, "VENDOR_REJECTED", "VENDOR_REJECTED"],
    [422, "VENDOR_REJECTED", "VENDOR_REJECTED"],
    [409, "VENDOR_CONFLICT", "VENDOR_CONFLICT"],
    [429, "VENDOR_RATE_LIMITED", "VENDOR_RATE_LIMITED"],
    [408, "VENDOR_UNAVAILABLE", "WRITE_AMBIGUOUS"],
    [500, "VENDOR_UNAVAILABLE", "WRITE_AMBIGUOUS"],
    [502, "VENDOR_UNAVAILABLE", "WRITE_AMBIGUOUS"],
    [503, "VENDOR_UNAVAILABLE", "WRITE_AMBIGUOUS"],
    [504, "VENDOR_UNAVAILABLE", "WRITE_AMBIGUOUS"],
    [529, "VENDOR_UNAVAILABLE", "WRITE_AMBIGUOUS"],
  ])("of status %i means %s for a read and %s for a write", async (status, onRead, onWrite) => {
    server.reply(json(status, { message: "no" }, { "acme-request": "req_8" }));
    const { http } = open();
    expect(await failureOf(http.request(read))).toMatchObject({
      code: onRead,
      retryAfterMs: undefined,
      facts: { operation: "things.read", status, requestId: "req_8" },
    });
    expect(await failureOf(http.request(write))).toMatchObject({ code: onWrite });
  });

  test.each(["429", "503"])(
    "of status %s waits as the vendor says, by the domain clock",
    async (status) => {
      const clock = fakeClock();
      const { http, reports } = open({ clock });
      const at = new Date(clock.now() + 90_000).toUTCString();
      for (const [header, expected] of [
        ["7200", 7_200_000],
        [at, 90_000],
      ] as const) {
        server.reply(json(Number(status), {}, { "retry-after": header }));
        expect(await failureOf(http.request(write))).toMatchObject({
          code: "VENDOR_RATE_LIMITED",
          retryAfterMs: expected,
        });
      }
      expect(reports.map((report) => [report.failure, report.retryAfterMs])).toEqual([
        ["rate_limited", 7_200_000],
        ["rate_limited", 90_000],
      ]);
    },
  );

  test("that is an edge's web page says nothing about the credential", async () => {
    server.reply(html(403));
    const { http, reports } = open();
    expect(await failureOf(http.request(read))).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect(reports[0]?.failure).toBe("unavailable");
  });

  test("is never followed to another place", async () => {
    server.reply((response) => response.writeHead(302, { location: "/elsewhere" }).end());
    expect(await failureOf(open().http.request(read))).toMatchObject({
      code: "VENDOR_ANSWER_UNKNOWN",
    });
    expect(server.received).toHaveLength(1);
  });

  test("that is not JSON, not UTF-8, empty or of another shape is unknown, by path and without values", async () => {
    const { http } = open();
    const of = async (script: Script) => {
      server.reply(script);
      const error = await failureOf(http.request(read));
      expect(error).toMatchObject({ code: "VENDOR_ANSWER_UNKNOWN" });
      expect((error as SyncError).cause).toBeUndefined();
      return (error as SyncError).message;
    };
    expect(await of(html(200))).toContain("not JSON");
    expect(await of((response) => response.end('{"id": "t1", "par'))).toContain("not JSON");
    expect(await of((response) => response.end(Buffer.from([0x22, 0xff, 0x22])))).toContain(
      "not JSON",
    );
    expect(await of((response) => response.writeHead(200).end())).toContain("at its top");
    const shape = await of(
      json(200, { id: "t1", parts: [{ size: 1 }, { size: "jane@example.com" }] }),
    );
    expect(shape).toContain("parts.1.size");
    expect(shape).not.toContain("jane");
  });

  test("that is larger than 8 MiB is not read to its end", async () => {
    server.reply((response) => {
      response.writeHead(200);
      const chunk = Buffer.alloc(1 << 20, 32);
      const more = () => {
        while (!response.destroyed)
          if (!response.write(chunk)) return void response.once("drain", more);
      };
      more();
    });
    expect(await failureOf(open().http.request(read))).toMatchObject({
      code: "VENDOR_ANSWER_UNKNOWN",
    });
  });

  test("of a status in `also` is parsed", async () => {
    server.reply(json(404, { id: "gone", parts: [] }));
    const answer = await open().http.request({ ...read, also: [404] });
    expect(answer).toMatchObject({ status: 404, value: { id: "gone" } });
  });
});

describe("what the vendor says in its own words", () => {
  const refusals = (status: number, body: unknown) => {
    const { code } = z.object({ code: z.string() }).catch({ code: "" }).parse(body);
    if (code === "full") return { code: "SEATS_EXHAUSTED", vendorCode: code } as const;
    return status >= 400 && code !== "" ? { vendorCode: code, detail: "because" } : undefined;
  };

  test("comes before the status", async () => {
    server.reply(json(400, { code: "full" }));
    expect(await failureOf(open().http.request({ ...write, refusals }))).toMatchObject({
      code: "SEATS_EXHAUSTED",
      facts: { vendorCode: "full" },
    });
  });

  test("is evidence where it names no code of ours", async () => {
    server.reply(json(409, { code: "busy" }));
    expect(await failureOf(open().http.request({ ...write, refusals }))).toMatchObject({
      code: "VENDOR_CONFLICT",
      message: "acme things.update: HTTP 409: busy: because",
      facts: { vendorCode: "busy" },
    });
  });

  test("counts in a 200 too", async () => {
    server.reply(json(200, { code: "full" }));
    expect(await failureOf(open().http.request({ ...write, refusals }))).toMatchObject({
      code: "SEATS_EXHAUSTED",
    });
  });
});

describe("the organisation of an answer", () => {
  const pinnedOrganization = () => "org-1";

  test("that differs from the pin stops the call before its body is used", async () => {
    server.reply(json(200, { id: "t1", parts: [] }, { "acme-organization": "org-2" }));
    let used = 0;
    const error = await failureOf(
      open({ pinnedOrganization }).http.request({
        ...read,
        parse: (body) => {
          used += 1;
          return thing.parse(body);
        },
      }),
    );
    expect(error).toMatchObject({
      code: "WRONG_ORGANIZATION",
      facts: { pinned: "org-1", answered: "org-2" },
    });
    expect(used).toBe(0);
  });

  test("is compared on errors too, and passes where it is the pinned one or not yet known", async () => {
    server.reply(json(404, {}, { "acme-organization": "org-2" }));
    expect(await failureOf(open({ pinnedOrganization }).http.request(read))).toMatchObject({
      code: "WRONG_ORGANIZATION",
    });
    server.reply(json(200, { id: "t1", parts: [] }, { "acme-organization": "org-1" }));
    await open({ pinnedOrganization }).http.request(read);
    await open().http.request(read);
  });
});

describe("a call without an answer", () => {
  test("after the bytes left is ambiguous for a write and unavailable for a read", async () => {
    server.reply(cut);
    const { http, reports } = open();
    expect(await failureOf(http.request(write))).toMatchObject({
      code: "WRITE_AMBIGUOUS",
      facts: { sent: true },
    });
    expect(await failureOf(http.request(read))).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect(reports.map((report) => report.failure)).toEqual(["unavailable", "unavailable"]);
    expect(server.received).toHaveLength(2);
  });

  test("whose body breaks off is as lost as one without", async () => {
    server.reply((response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"id":');
      void setImmediate().then(() => response.socket?.destroy());
    });
    const { http } = open();
    expect(await failureOf(http.request(write))).toMatchObject({ code: "WRITE_AMBIGUOUS" });
    expect(await failureOf(http.request(read))).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
  });

  test("in time is a timeout for a read and ambiguous for a write, also when the body trickles", async () => {
    const { http } = open({ totalMs: 150 });
    server.reply(() => undefined);
    expect(await failureOf(http.request(read))).toMatchObject({ code: "VENDOR_TIMEOUT" });
    expect(await failureOf(http.request(write))).toMatchObject({ code: "WRITE_AMBIGUOUS" });
    server.reply((response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(" "), 20);
      response.on("close", () => {
        clearInterval(timer);
      });
    });
    expect(await failureOf(http.request(read))).toMatchObject({ code: "VENDOR_TIMEOUT" });
  });

  test("because nobody listens was never sent", async () => {
    await server.close();
    const { http, reports } = open();
    for (const request of [read, write]) {
      expect(await failureOf(http.request(request))).toMatchObject({
        code: "VENDOR_UNAVAILABLE",
        facts: { sent: false },
      });
    }
    expect(reports.map((report) => report.failure)).toEqual(["unavailable", "unavailable"]);
  });

  test("because the stored credential cannot stand in a header is not the vendor's fault", async () => {
    const { http, reports } = open({
      headers: () => Promise.resolve({ authorization: `Bearer ${secret}\r\nx: y` }),
    });
    const error = await failureOf(http.request(read));
    expect(error).toMatchObject({ code: "CREDENTIAL_REFUSED" });
    expect((error as SyncError).message).not.toContain(secret);
    expect([server.received, reports]).toEqual([[], []]);
  });
});

describe("stopping", () => {
  test("ends a call in flight within 100 ms; a sent write is ambiguous", async () => {
    for (const [request, code] of [
      [read, "VENDOR_TIMEOUT"],
      [write, "WRITE_AMBIGUOUS"],
    ] as const) {
      const { http, abort, reports } = open();
      const arrived = new Promise<void>((resolve) => {
        server.reply(() => {
          resolve();
        });
      });
      const failure = failureOf(http.request(request));
      await arrived;
      const stoppedAt = performance.now();
      abort.abort();
      expect(await failure).toMatchObject({ code });
      expect(performance.now() - stoppedAt).toBeLessThan(100);
      expect(reports).toEqual([]);
    }
  });

  test("before a call keeps it back", async () => {
    const { http, abort } = open();
    abort.abort();
    expect(await failureOf(http.request(write))).toMatchObject({ code: "GATE_REFUSED" });
    expect(await failureOf(http.request(read))).toMatchObject({ code: "VENDOR_TIMEOUT" });
    expect(server.received).toEqual([]);
  });

  test("while the credential is opened keeps the bytes back", async () => {
    const { http, abort } = open({
      headers: () => {
        abort.abort();
        return Promise.resolve({});
      },
    });
    expect(await failureOf(http.request(write))).toMatchObject({ code: "GATE_REFUSED" });
    expect(server.received).toEqual([]);
  });

  test("while every connection is busy keeps the bytes back, also when one is free again", async () => {
    const held: ServerResponse[] = [];
    server.reply((response) => void held.push(response));
    const busy = open();
    const calls = Array.from({ length: 32 }, () => busy.http.request(read));
    await eventually(() => held.length === 32);
    const { http, abort } = open({ pools: busy.pools });
    const failure = failureOf(http.request(write));
    await setImmediate();
    abort.abort();
    expect(await failure).toMatchObject({ code: "GATE_REFUSED", facts: { sent: false } });
    server.reply(good);
    for (const response of held) await good(response, server.received[0] as ReceivedRequest, 0);
    await Promise.all(calls);
    await busy.http.request(read);
    expect(server.received.map((item) => item.method)).not.toContain("PATCH");
  });

  test("while the call waits for its rate ends the wait", async () => {
    const { http, abort } = open({
      governor: {
        admit: (_bucket, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              reject(signal.reason as Error);
            });
          }),
        settled: () => undefined,
      },
    });
    const failure = failureOf(http.request(write));
    abort.abort();
    expect(await failure).toMatchObject({ code: "GATE_REFUSED" });
  });
});

test("neither the credential nor an address nor a body is in any error or log line", async () => {
  const { http, logger } = open();
  const refusals = (_status: number, body: unknown) => ({ detail: JSON.stringify(body) });
  const errors: unknown[] = [];
  for (const status of [400, 401, 403, 409, 429, 500]) {
    server.reply(json(status, { echo: secret, who: "jane@example.com", pad: "p".repeat(5_000) }));
    errors.push(await failureOf(http.request({ ...write, refusals })));
  }
  server.reply(cut);
  errors.push(await failureOf(http.request(write)));
  const text = [
    ...errors.map((error) => {
      const { message, stack, facts: evidence, cause } = error as SyncError;
      return `${message} ${String(stack)} ${JSON.stringify(evidence)} ${String(cause)}`;
    }),
    ...logger.lines,
  ];
  expect(text.length).toBeGreaterThan(13);
  for (const line of text) {
    expect(line).not.toContain(secret);
    expect(line).not.toContain("jane@");
    expect(line).not.toContain("ppppppppppppppppppppppppppppppppp".repeat(10));
  }
});

test("closing the pools fails what is in flight and leaves nothing open", async () => {
  const { http, pools } = open();
  const arrived = new Promise<void>((resolve) => {
    server.reply(() => {
      resolve();
    });
  });
  const failure = failureOf(http.request(read));
  await arrived;
  await pools.close();
  expect(await failure).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
});
