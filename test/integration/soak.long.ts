// Goal: a fleet that works for a long time does not grow: no memory, no handle, no connection that is kept; and at the end every vendor is
// as the mapping says.
// Method: two processes on a real Kafka and PostgreSQL and a simulated vendor; people come, move and leave at a steady rate for half an
// hour (SOAK_MINUTES), while memory, open files and handles are read from `/metrics`.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePorts, Service } from "../../src/demo/service.ts";
import { systemClock } from "../../src/model/clock.ts";
import {
  startInstantlySimulator,
  type InstantlySimulator,
} from "../../src/sandbox/instantly/instantly-simulator.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { median } from "../bench/statistics.ts";
import { eventually } from "../support/eventually.ts";
import { sharedKafka } from "../support/kafka/real-kafka.ts";
import { sharedPostgres } from "../support/postgres/real-postgres.ts";
import { describeReal } from "../support/real-server.ts";
import { patchOf, person, ScimClient } from "../support/scim-client.ts";

const minutes = Number(process.env["SOAK_MINUTES"] ?? "30");
const clock = systemClock();
const wait = { timeoutMs: 300_000, everyMs: 500 };
const scimToken = "soak-token-of-the-idp-0000000000";
const operatorToken = "soak-token-of-the-operator-00000";
/** At one time; who leaves makes room for somebody new. */
const crowd = 60;
const sampleMs = 5_000;

const [kafka, postgres] = [await sharedKafka(), await sharedPostgres()];
const both =
  "missing" in kafka
    ? kafka
    : "missing" in postgres
      ? postgres
      : { server: { kafka: kafka.server, postgres: postgres.server } };

describeReal("a fleet that works for long", both, (real) => {
  const closing: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  }, 120_000);

  test(`for ${String(minutes)} minutes keeps its size, and ends as the mapping says`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "rolecall-soak-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const vendor = await startInstantlySimulator({ clock });
    closing.push(() => vendor.close());
    const database = await real.postgres.database();
    closing.push(() => database.release());
    const fleet = await startFleet(folder, vendor, {
      DATABASE_URL: database.url,
      KAFKA_BROKERS: real.kafka.brokers.join(),
      KAFKA_TOPIC_PREFIX: real.kafka.freshPrefix(),
      KAFKA_REPLICATION: "1",
      KAFKA_PARTITIONS: "3",
    });
    closing.push(() => Promise.all(fleet.map((service) => service.stop())));
    const [answers] = fleet;
    if (answers === undefined) throw new Error("nobody answers");
    const town = new Town(new ScimClient(`${answers.scimUrl}/scim/v2`, scimToken));
    await town.found();

    const samples: Sample[][] = fleet.map(() => []);
    const endAt = clock.monotonic() + minutes * 60_000;
    let sampledAt = -Infinity;
    while (clock.monotonic() < endAt) {
      for (const service of fleet) service.assertAlive();
      await town.liveOn();
      if (clock.monotonic() - sampledAt > sampleMs) {
        sampledAt = clock.monotonic();
        for (const [at, service] of fleet.entries()) samples[at]?.push(await sampleOf(service));
      }
      await clock.sleep(100);
    }
    await eventually(async () => {
      const { backlog } = await operator<{ backlog: { owed: number } }>(answers, "/status");
      expect(backlog.owed).toBe(0);
    }, wait);
    await eventually(() => {
      expect(membersAt(vendor)).toEqual(town.entitled());
    }, wait);
    for (const [at, series] of samples.entries())
      expectSteady(["answers", "works"][at] ?? "", series);
    process.stderr.write(`soak: ${String(town.changes)} changes\n`);
  });
});

/** People of one company: they come, enter and leave the group that gives access, and go. */
class Town {
  changes = 0;
  readonly #client: ScimClient;
  readonly #people = new Map<string, { readonly id: string; inGroup: boolean }>();
  #group = "";
  #serial = 0;

  constructor(client: ScimClient) {
    this.#client = client;
  }

  async found(): Promise<void> {
    this.#group = await this.#client.create("/Groups", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName: "Sales",
    });
  }

  /** Addresses of who should have access now. */
  entitled(): readonly string[] {
    return [...this.#people]
      .filter(([, one]) => one.inGroup)
      .map(([email]) => email)
      .toSorted();
  }

  async liveOn(): Promise<void> {
    this.changes += 1;
    if (this.#people.size < crowd) return this.#hire();
    const people = [...this.#people.entries()];
    const [email, one] = people[Math.floor(clock.random() * people.length)] ?? [];
    if (email === undefined || one === undefined) return;
    if (clock.random() < 0.3) return this.#leave(email, one.id);
    return this.#move(one);
  }

  async #hire(): Promise<void> {
    this.#serial += 1;
    const email = `soak-${String(this.#serial)}@example.com`;
    const id = await this.#client.create("/Users", person(email));
    const one = { id, inGroup: false };
    this.#people.set(email, one);
    await this.#move(one);
  }

  async #move(one: { readonly id: string; inGroup: boolean }): Promise<void> {
    const op = one.inGroup
      ? { op: "remove", path: `members[value eq "${one.id}"]` }
      : { op: "add", path: "members", value: [{ value: one.id }] };
    await this.#patch(`/Groups/${this.#group}`, op);
    one.inGroup = !one.inGroup;
  }

  async #leave(email: string, id: string): Promise<void> {
    await this.#patch(`/Users/${id}`, { op: "replace", value: { active: false } });
    const reply = await this.#client.delete(`/Users/${id}`);
    expect(reply.status).toBe(204);
    this.#people.delete(email);
  }

  async #patch(path: string, operation: JsonObject): Promise<void> {
    const reply = await this.#client.patch(path, patchOf(operation));
    expect(reply.status, reply.text).toBeLessThan(300);
  }
}

async function startFleet(
  folder: string,
  vendor: InstantlySimulator,
  shared: Readonly<Record<string, string>>,
): Promise<readonly Service[]> {
  const tenant = join(folder, "mappings", "soak");
  await mkdir(tenant, { recursive: true });
  await writeFile(
    join(tenant, "tenant.yaml"),
    JSON.stringify({ version: 1, idps: { okta: { kind: "okta" } } }),
  );
  await writeFile(join(tenant, "instantly.yaml"), JSON.stringify(mapping));
  const ports = await freePorts(4);
  const services = ["api,relay", "relay,worker,scheduler"].map((roles, at) => {
    const home = join(folder, `process-${String(at)}`);
    return {
      home,
      options: {
        folder: home,
        port: ports[at * 2] ?? 0,
        operatorPort: ports[at * 2 + 1] ?? 0,
        clock,
        env: {
          ...shared,
          ROLECALL_ROLES: roles,
          ROLECALL_MAPPINGS: join(folder, "mappings"),
          ROLECALL_TENANT: "soak",
          ROLECALL_SCIM_TOKEN: scimToken,
          ROLECALL_ADMIN_TOKEN: operatorToken,
          ROLECALL_LOG_LEVEL: "warn",
          ROLECALL_SANDBOX: "1",
          ROLECALL_SANDBOX_VENDORS: `instantly=${vendor.url}`,
          SOAK_VENDOR_KEY: vendor.apiKey,
        },
      },
    };
  });
  const fleet: Service[] = [];
  for (const { home, options } of services) {
    await mkdir(home, { recursive: true });
    const service = new Service(options);
    service.start();
    await service.ready(async (url) => {
      try {
        return (await fetch(url)).ok;
      } catch {
        // Nobody listens yet.
        return false;
      }
    });
    fleet.push(service);
  }
  const [, works] = fleet;
  if (works === undefined) throw new Error("nobody works");
  await operator(works, "/idps/okta/loaded", { loaded: true });
  return fleet;
}

async function operator<Answer>(service: Service, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${service.operatorUrl}/api/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${operatorToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

interface Sample {
  readonly residentMb: number;
  readonly files: number;
  readonly handles: number;
  readonly connections: number;
}

async function sampleOf(service: Service): Promise<Sample> {
  const text = await (await fetch(`${service.operatorUrl}/metrics`)).text();
  const of = (name: string) => {
    const lines = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))];
    if (lines.length === 0) throw new Error(`${name} is not measured`);
    return lines.reduce((sum, line) => sum + Number(line[1]), 0);
  };
  return {
    residentMb: of("process_resident_memory_bytes") / 2 ** 20,
    files: of("process_open_fds"),
    handles: of("nodejs_active_handles_total"),
    connections: of("rolecall_database_connections"),
  };
}

/** The last quarter is as the second one was: the first is for caches and compiled code. */
function expectSteady(name: string, series: readonly Sample[]): void {
  expect(series.length, name).toBeGreaterThan(8);
  const quarter = Math.floor(series.length / 4);
  const of = (from: number, pick: (sample: Sample) => number) =>
    median(series.slice(from, from + quarter).map(pick));
  const grown = (pick: (sample: Sample) => number) => ({
    before: of(quarter, pick),
    after: of(series.length - quarter, pick),
  });
  const memory = grown((sample) => sample.residentMb);
  const files = grown((sample) => sample.files);
  const handles = grown((sample) => sample.handles);
  const connections = grown((sample) => sample.connections);
  process.stderr.write(
    `soak, ${name}: ${JSON.stringify({ memory, files, handles, connections })}\n`,
  );
  expect(memory.after, name).toBeLessThan(memory.before * 1.25 + 20);
  expect(files.after, name).toBeLessThan(files.before + 12);
  expect(handles.after, name).toBeLessThan(handles.before + 12);
  expect(connections.after, name).toBeLessThanOrEqual(10);
}

function membersAt(vendor: InstantlySimulator): readonly string[] {
  return vendor
    .state()
    .members.map((member) => member.email)
    .filter((email) => email.startsWith("soak-"))
    .toSorted();
}

const wide = { floor: 1_000_000, fraction: 1, window: "24h" };
const mapping = {
  version: 1,
  vendor: "instantly",
  connection: { credential: "env:SOAK_VENDOR_KEY" },
  mode: "additive",
  account: { match: "email", domains: ["example.com"], leaver: "remove", create: "invite" },
  timing: { debounce: "1s", grace: "0s", verify: ["0s"] },
  rules: [
    {
      id: "sales-views-campaigns",
      when: { group: "Sales" },
      grant: [{ kind: "workspace_role", role: "view" }],
    },
  ],
  rails: { removals: wide, leavers: wide, grants: { one_cause: wide, privileged: 1 } },
};
