// Goal: one trace leads from a request of an identity provider to the call at the vendor, in one process and across a fleet; nobody is
// named in it; and it costs nobody anything but its own loss.
// Method: the service as it is served, a simulated vendor, and a receiver of OpenTelemetry's own protocol.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startApp, type App } from "../../src/app.ts";
import { readConfig } from "../../src/config/config.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { Logger, Metrics } from "../../src/model/log.ts";
import type { Tracer } from "../../src/model/trace.ts";
import {
  startInstantlySimulator,
  type InstantlySimulator,
} from "../../src/sandbox/instantly/instantly-simulator.ts";
import { createRecompute } from "../../src/sync/recompute.ts";
import { openTraces, type TraceOptions } from "../../src/telemetry/traces.ts";
import { eventually } from "../support/eventually.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { patchOf, person, ScimClient } from "../support/scim-client.ts";
import { startScimService } from "../support/scim-service.ts";
import {
  startTraceReceiver,
  type ReceivedSpan,
  type TraceReceiver,
} from "../support/trace-receiver.ts";

const clock = systemClock();
const wait = { timeoutMs: 60_000, everyMs: 50 };
const token = "traced-token-of-the-idp-0000000";
/** The header of a caller that is nobody of ours. */
const outside = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

let receiver: TraceReceiver;
let folder: string;
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  receiver = await startTraceReceiver();
  folder = await mkdtemp(join(tmpdir(), "rolecall-traces-"));
});

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

async function startVendor(): Promise<InstantlySimulator> {
  const vendor = await startInstantlySimulator({ clock });
  cleanups.push(() => vendor.close());
  vi.stubEnv("TRACED_VENDOR_KEY", vendor.apiKey);
  const tenant = join(folder, "mappings", "traced");
  await mkdir(tenant, { recursive: true });
  await writeFile(
    join(tenant, "tenant.yaml"),
    JSON.stringify({ version: 1, idps: { okta: { kind: "okta" } } }),
  );
  await writeFile(join(tenant, "instantly.yaml"), JSON.stringify(mapping));
  return vendor;
}

async function serve(
  name: string,
  vendor: InstantlySimulator,
  more: Readonly<Record<string, string>> = {},
): Promise<App> {
  const app = await startApp(
    readConfig({
      PORT: "0",
      ROLECALL_OPERATOR_PORT: "0",
      ROLECALL_DATA_DIR: join(folder, name),
      ROLECALL_MAPPINGS: join(folder, "mappings"),
      ROLECALL_TENANT: "traced",
      ROLECALL_SCIM_TOKEN: token,
      ROLECALL_ADMIN_TOKEN: "traced-token-of-the-operator-000",
      ROLECALL_LOG_LEVEL: "error",
      ROLECALL_SANDBOX: "1",
      ROLECALL_SANDBOX_VENDORS: `instantly=${vendor.url}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      ...more,
    }),
  );
  cleanups.push(() => app.stop());
  return app;
}

/** A person enters the group that gives a role; answers the spans of the invitation, from the vendor call up to the request. */
async function invite(client: ScimClient, group: string, n: number): Promise<Path> {
  const calls = () =>
    receiver.spans.filter((span) => span.kind === 3 && span.name.startsWith("POST "));
  const before = calls().length;
  const id = await client.create(
    "/Users",
    person(`zerlinda.quibble${String(n)}@example.com`, {
      name: { givenName: "Zerlinda", familyName: "Quibble" },
    }),
  );
  // Else both reasons may end in one recompute, which belongs to the first.
  await eventually(() => {
    const done = receiver.spans.filter((span) => span.name === "recompute");
    const hired = done.filter((span) => !span.failed && rootOf(span) === "POST /scim/v2/Users");
    // One that met another commit was run again, in a span of its own.
    expect(new Set(hired.map((span) => span.facts["rolecall.identity"])).size).toBe(n);
  }, wait);
  const reply = await client.patch(
    `/Groups/${group}`,
    patchOf({ op: "add", path: "members", value: [{ value: id }] }),
    { traceparent: outside },
  );
  expect(reply.status).toBeLessThan(300);
  let path: Path = [];
  await eventually(() => {
    const call = calls()[before];
    if (call === undefined) throw new Error("the call to the vendor was not traced yet");
    path = receiver.climb(call);
  }, wait);
  return path;
}

type Path = readonly ReceivedSpan[];
const rootOf = (span: ReceivedSpan) => receiver.climb(span).at(-1)?.name;

/**
 * The first invitation that a hint of its own request led to. On a busy machine the sweep may be there before the hint; and who enters a
 * group before its name was bound gets the role by the fan-out that binds it.
 */
async function inviteByHint(app: App): Promise<Path> {
  const client = new ScimClient(`${app.scimUrl ?? ""}/scim/v2`, token);
  const group = await client.create("/Groups", {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    displayName: "Sales",
  });
  let path: Path = [];
  for (let n = 1; n <= 6; n += 1) {
    path = await invite(client, group, n);
    const root = path.at(-1)?.name ?? "";
    if (root.startsWith("PATCH ") && path.some((span) => span.name.startsWith("publish"))) break;
  }
  return path;
}

/** The way from the vendor back to the request, whatever lies between in time. */
function expectWholeWay(path: Path): void {
  expect(path.map((span) => span.name.replace(/^POST .*/, "POST"))).toEqual([
    "POST",
    "reconcile",
    "recompute",
    "publish hints",
    "PATCH /scim/v2/Groups/{id}",
  ]);
  expect(path.map((span) => span.kind)).toEqual([3, 5, 5, 4, 2]);
  const [call, , , , request] = path;
  const inTrace = receiver.spans.filter((span) => span.traceId === request?.traceId);
  expect(inTrace.map((span) => span.name)).toEqual(
    expect.arrayContaining([
      "commit updateGroup",
      "commit commitSync",
      "commit insertIntent",
      "commit finishIntent",
    ]),
  );
  expect(inTrace.filter((span) => span.parentSpanId === undefined)).toEqual([request]);
  expect(call?.facts).toMatchObject({
    "rolecall.vendor": "instantly",
    "http.request.method": "POST",
  });
  expect(request?.facts).toMatchObject({
    "http.response.status_code": 204,
    "rolecall.tenant": "traced",
    "rolecall.idp": "okta",
  });
  // Who is outside does not choose our trace, and can be found from it.
  expect(request?.traceId).not.toBe(outside.split("-")[1]);
  expect(request?.links).toEqual([
    { traceId: outside.split("-")[1], spanId: outside.split("-")[2] },
  ]);
}

function expectNobodyNamed(): void {
  const sent = receiver.bodies.map(({ body }) => body.toString("utf8")).join("\n");
  expect(sent.length).toBeGreaterThan(1_000);
  expect(sent).not.toMatch(/zerlinda|quibble|example\.com/i);
  expect(sent).not.toContain(token);
}

test("in one process a trace leads from the request to the vendor, and names nobody", async () => {
  const vendor = await startVendor();
  const app = await serve("one", vendor);
  expectWholeWay(await inviteByHint(app));
  expectNobodyNamed();
});

const [kafka, postgres] = [await sharedKafka(), await sharedPostgres()];
const both =
  "missing" in kafka
    ? kafka
    : "missing" in postgres
      ? postgres
      : { server: { kafka: kafka.server, postgres: postgres.server } };

describeReal("in a fleet on Kafka and PostgreSQL", both, (real) => {
  test("a trace leads from the process that answers to the one that works, and names nobody", async () => {
    const vendor = await startVendor();
    const database = await real.postgres.database();
    cleanups.push(() => database.release());
    const shared = {
      DATABASE_URL: database.url,
      KAFKA_BROKERS: real.kafka.brokers.join(),
      KAFKA_TOPIC_PREFIX: real.kafka.freshPrefix(),
      KAFKA_REPLICATION: "1",
      KAFKA_PARTITIONS: "2",
    };
    const works = await serve("works", vendor, {
      ...shared,
      ROLECALL_ROLES: "relay,worker,scheduler",
    });
    expect(works.scimUrl).toBeUndefined();
    const answers = await serve("answers", vendor, { ...shared, ROLECALL_ROLES: "api,relay" });
    await eventually(async () => {
      const metrics = await (await fetch(`${works.operatorUrl}/metrics`)).text();
      expect(metrics).toMatch(/^rolecall_bus_ready 1$/m);
    }, wait);
    const path = await inviteByHint(answers);
    expectWholeWay(path);
    expect(new Set(path.slice(0, 3).map((span) => span.instance)).size).toBe(1);
    expect(path[0]?.instance).not.toBe(path.at(-1)?.instance);
    expectNobodyNamed();
  }, 180_000);
});

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const unmeasured: Metrics = { count() {}, gauge() {}, observe() {} };

const options = (more: Partial<TraceOptions> = {}): TraceOptions => ({
  url: `${receiver.url}/v1/traces`,
  protocol: "http/json",
  headers: {},
  serviceName: "rolecall",
  resource: {},
  sampler: { parentBased: true, ratio: 1 },
  batch: { delayMs: 50, queueMax: 2_048 },
  version: "0",
  instance: "test",
  ...more,
});

async function traced<Result>(
  work: (tracer: Tracer) => Promise<Result>,
  more: Partial<TraceOptions> = {},
  parts: { readonly logger?: Logger; readonly metrics?: Metrics } = {},
): Promise<Result> {
  const traces = await openTraces(options(more), {
    logger: silent,
    metrics: unmeasured,
    clock,
    ...parts,
  });
  try {
    return await work(traces.tracer);
  } finally {
    await traces.close();
  }
}

const work = () => Promise.resolve();

describe("a span", () => {
  test("of several reasons belongs to the oldest and links to the others", async () => {
    await traced(async (tracer) => {
      const service = await startScimService({ deps: { tracer } });
      const id = await service.client.create("/Users", person("ada@example.com"));
      for (const displayName of ["Ada", "Ada Q"]) {
        const reply = await service.client.patch(
          `/Users/${id}`,
          patchOf({ op: "replace", value: { displayName } }),
        );
        expect(reply.status).toBe(200);
      }
      const [identity] = (await service.store.listUnpublished({ now: clock.now(), limit: 1 })).map(
        (mark) => mark.identityId,
      );
      if (identity === undefined) throw new Error("nobody is marked");
      const recompute = createRecompute({
        ...{ store: service.store, clock, logger: silent, metrics: unmeasured, tracer },
        vendorFacts: () => undefined,
        actor: { kind: "worker", id: "test" },
        ringWorkers: () => undefined,
        ringRelay: () => undefined,
      });
      // A hint of something that is done long ago changes nothing.
      await recompute(service.tenantId, [identity], new Map([[identity, outside]]));
      await service.close();
    });
    const spans = (name: string) => receiver.spans.filter((span) => span.name.startsWith(name));
    const [created] = spans("POST /scim/v2/Users");
    const patched = spans("PATCH /scim/v2/Users/{id}");
    const [recomputed, ...more] = spans("recompute");
    expect(more).toEqual([]);
    expect(patched).toHaveLength(2);
    expect(recomputed).toMatchObject({
      traceId: created?.traceId,
      parentSpanId: created?.spanId,
      links: patched.map(({ traceId, spanId }) => ({ traceId, spanId })),
      facts: { "rolecall.reasons": 3, "rolecall.cause": "scim.user" },
    });
  });

  test("of work that failed says the code and never the message", async () => {
    const failed = traced((tracer) =>
      tracer.span({ name: "work", kind: "internal" }, () =>
        Promise.reject(
          Object.assign(new Error("ada@example.com is unknown"), { code: "NOT_FOUND" }),
        ),
      ),
    );
    await expect(failed).rejects.toThrow("unknown");
    expect(receiver.spans).toMatchObject([
      { name: "work", failed: true, facts: { "error.type": "NOT_FOUND" } },
    ]);
    expect(receiver.bodies[0]?.body.toString()).not.toContain("ada@");
  });

  test("beneath the current one exists only where there is one", async () => {
    const inner = { name: "inner", kind: "internal", parent: "current" } as const;
    await traced(async (tracer) => {
      await tracer.span(inner, (span) => {
        expect(span.at).toBeUndefined();
        expect(tracer.current()).toBeUndefined();
        return work();
      });
      await tracer.span({ name: "outer", kind: "internal" }, async (outer) => {
        await new Promise((resolve) => setImmediate(resolve));
        expect(tracer.current()).toBe(outer.at);
        await tracer.span(inner, work);
      });
    });
    const names = receiver.spans.map((span) => span.name);
    expect(names.toSorted()).toEqual(["inner", "outer"]);
    const [outer] = receiver.spans.filter((span) => span.name === "outer");
    expect(receiver.spans.find((span) => span.name === "inner")?.parentSpanId).toBe(outer?.spanId);
  });

  test("whose parent cannot be read begins a trace of its own", async () => {
    await traced((tracer) => tracer.span({ name: "a", kind: "internal", parent: "00-x" }, work));
    expect(receiver.spans).toMatchObject([{ name: "a", parentSpanId: undefined }]);
  });

  test("of a trace that is not kept is not sent, nor what follows from it elsewhere", async () => {
    const at = await traced(
      (tracer) => tracer.span({ name: "a", kind: "internal" }, (span) => Promise.resolve(span.at)),
      { sampler: { parentBased: true, ratio: 0 } },
    );
    expect(at).toMatch(/-00$/);
    await traced((tracer) => tracer.span({ name: "b", kind: "internal", parent: at }, work));
    expect(receiver.spans).toEqual([]);
  });
});

describe("the receiver", () => {
  test("gets protobuf unless told otherwise, with the headers that it wants", async () => {
    await traced((tracer) => tracer.span({ name: "a", kind: "internal" }, work), {
      protocol: "http/protobuf",
      headers: { "x-team": "1" },
    });
    expect(receiver.bodies).toHaveLength(1);
    expect(receiver.bodies[0]?.headers).toMatchObject({
      "content-type": "application/x-protobuf",
      "x-team": "1",
    });
  });

  test("that takes nothing costs the spans, one line and a count, and nothing else", async () => {
    const warnings: string[] = [];
    const lost: number[] = [];
    const refusing = await startTraceReceiver({ status: () => 400 });
    await traced(
      (tracer) => tracer.span({ name: "a", kind: "internal" }, work),
      { url: `${refusing.url}/v1/traces` },
      {
        logger: { ...silent, warn: (_facts, message) => warnings.push(message) },
        metrics: {
          ...unmeasured,
          count: (name, _labels, by = 1) => {
            if (name === "rolecall_spans_lost_total") lost.push(by);
          },
        },
      },
    );
    await refusing.close();
    expect(warnings).toEqual(["the trace receiver takes no spans; they are lost"]);
    expect(lost).toEqual([1]);
  });
});

const mapping = {
  version: 1,
  vendor: "instantly",
  connection: { credential: "env:TRACED_VENDOR_KEY" },
  mode: "additive",
  account: { match: "email", domains: ["example.com"], leaver: "remove", create: "invite" },
  rules: [
    {
      id: "sales-views-campaigns",
      when: { group: "Sales" },
      grant: [{ kind: "workspace_role", role: "view" }],
    },
  ],
};
