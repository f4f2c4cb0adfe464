// Goal: whatever is sent, nobody gets a 5xx, nothing hangs and memory stays where it was.
// Method: generated request targets, filters, bodies and headers over a real socket on a store in memory.
import { request } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { patchOf, person } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

let service: ScimService;
let user: string;
let group: string;
beforeAll(async () => {
  service = await startScimService();
  user = await service.client.create("/Users", person("ada@example.com"));
  group = await service.client.create("/Groups", {
    displayName: "Data",
    members: [{ value: user }],
  });
});
afterAll(() => service.close());

/** Far above what an answer takes on a busy machine: a hang, not slowness. */
const hangMs = 60_000;

/** The status of an answer that was read to its end. */
function send(
  method: string,
  target: string,
  body: Buffer | string | undefined,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        port: service.port,
        method,
        path: target,
        headers: { authorization: `Bearer ${service.token}`, ...headers },
        timeout: hangMs,
      },
      (response) => {
        response.resume();
        response.on("end", () => {
          resolve(response.statusCode ?? 0);
        });
        response.on("error", reject);
      },
    );
    sent.on("timeout", () => sent.destroy(new Error(`${method} ${target} hangs`)));
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Bytes that are in use once what is not needed is gone. */
function inUse(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function stays(run: () => Promise<void>): Promise<void> {
  const before = inUse();
  await run();
  expect((inUse() - before) / 1_048_576).toBeLessThan(64);
}

const name = fc.oneof(
  fc.constantFrom(
    ..."userName emails emails.value members groups name active meta.created id externalId schemas password".split(
      " ",
    ),
  ),
  fc.constantFrom(
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "x.y.z",
    "$ref",
  ),
  fc.string({ maxLength: 12 }),
);
const literal = fc.oneof(
  fc.string({ maxLength: 20, unit: "binary" }).map((text) => JSON.stringify(text)),
  fc.constantFrom("true", "null", "1e99", "-0", '"', "'x'", '"%\\u0000_"', '"\\ud800"'),
);
const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc
      .tuple(name, fc.constantFrom("eq", "ne", "co", "sw", "ew", "gt", "le", "pr", "in"), literal)
      .map((parts) => parts.join(" ")),
    fc
      .tuple(tie("filter"), fc.constantFrom("and", "or", ""), tie("filter"))
      .map((parts) => parts.join(" ")),
    tie("filter").map((inner) => `not (${inner})`),
    fc.tuple(name, tie("filter")).map(([path, inner]) => `${path}[${inner}].value eq "x"`),
    fc.constantFrom("(".repeat(5_000), `${"not (".repeat(500)}a pr`, "a[".repeat(300)),
    fc.string({ maxLength: 60, unit: "binary" }),
  ),
}));
const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>({ __proto__: null }, [[[]]], [{ value: { value: 1 } }], "\ud800", 1e308),
);

describe("generated requests", () => {
  it("with any filter, sort, page and projection are answered with a list or a 400", async () => {
    const text = fc.oneof(name, fc.string({ maxLength: 10, unit: "binary" }));
    const query = fc.record(
      {
        filter,
        sortBy: text,
        sortOrder: fc.constantFrom("ascending", "descending", "up"),
        startIndex: fc.oneof(
          fc.integer().map(String),
          fc.constantFrom("1e9", "x", "99999999999999999999"),
        ),
        count: fc.oneof(fc.integer().map(String), fc.constantFrom("", "-1", "1.5")),
        attributes: text,
        excludedAttributes: text,
        cursor: text,
      },
      { requiredKeys: [] },
    );
    const path = fc.constantFrom("/Users", "/Groups", "/", `/Users/${"x".repeat(10)}`);
    await stays(() =>
      fc.assert(
        fc.asyncProperty(path, query, async (at, given) => {
          const params = new URLSearchParams(given as Record<string, string>);
          const status = await send("GET", `/scim/v2${at}?${params.toString()}`, undefined, {});
          expect([200, 400, 404, 431]).toContain(status);
        }),
        { numRuns: 200 },
      ),
    );
  });

  it("with any PATCH, PUT or POST are answered below 500", async () => {
    const operation = fc.record(
      {
        op: fc.oneof(fc.constantFrom("add", "Replace", "remove"), fc.string({ maxLength: 5 })),
        path: fc.oneof(
          name,
          fc.tuple(name, filter).map(([at, inner]) => `${at}[${inner}].value`),
          fc.constantFrom("members", 'emails[type eq "work"]', "name.givenName"),
        ),
        value: fc.oneof(value, fc.dictionary(name, value, { maxKeys: 3 })),
      },
      { requiredKeys: ["op"] },
    );
    const body = fc.oneof(
      fc.array(operation, { maxLength: 4 }).map((operations) => ({ Operations: operations })),
      fc
        .dictionary(name, value, { maxKeys: 5 })
        .map((more) => ({ userName: "bo", displayName: "Bo", ...more })),
      value,
    );
    const target = fc.constantFrom(
      "/Users",
      "/Groups",
      "/Users/{u}",
      "/Groups/{g}",
      "/.search",
      "/Users/.search",
    );
    await stays(() =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom("POST", "PUT", "PATCH"),
          target,
          body,
          async (method, at, given) => {
            const path = at.replace("{u}", user).replace("{g}", group);
            const status = await send(method, `/scim/v2${path}`, JSON.stringify(given), {
              "content-type": "application/scim+json",
            });
            expect(status).toBeGreaterThanOrEqual(200);
            expect(status).toBeLessThan(500);
          },
        ),
        { numRuns: 300 },
      ),
    );
    // Whatever came of it, both are still there and whole.
    const lead = patchOf({ op: "replace", path: "title", value: "Lead" });
    expect((await service.client.patch(`/Users/${user}`, lead)).status).toBe(200);
    expect((await service.client.get(`/Groups/${group}`)).status).toBe(200);
  });

  it("with any bytes, target and headers are answered below 500, or say that they are not supported", async () => {
    const header = fc.string({ maxLength: 30 }).map((text) => text.replace(/[^\x20-\x7e]/g, "?"));
    const headers = fc.record(
      {
        "content-type": fc.oneof(fc.constantFrom("application/json", "text/plain"), header),
        "content-encoding": fc.constantFrom("identity", "gzip", "br"),
        accept: header,
        "if-match": header,
        "if-none-match": header,
        traceparent: header,
        "x-request-id": header,
        authorization: fc.oneof(header, fc.constant(`bearer ${service.token}`)),
      },
      { requiredKeys: [] },
    );
    const target = fc.oneof(
      fc.constantFrom(
        "/Me",
        "/Bulk",
        "/Schemas/x",
        "/ServiceProviderConfig",
        "//",
        "/Users/%zz",
        "/Users/%00",
      ),
      fc.webPath(),
    );
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    const method = fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS");
    await stays(() =>
      fc.assert(
        fc.asyncProperty(method, target, bytes, headers, async (how, at, body, sent) => {
          const status = await send(how, `/scim/v2${at}`, body, sent);
          if (status !== 501) expect(status).toBeLessThan(500);
        }),
        { numRuns: 200 },
      ),
    );
  });
});
