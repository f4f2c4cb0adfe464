import { openSqliteStore } from "../../src/adapters/sqlite/sqlite-store.ts";
import type { Lane } from "../../src/accounts/lane.ts";
import type { Store } from "../../src/adapters/store.ts";
import type { RecomputeMark } from "../../src/events/recompute-store.ts";
import { laneNeedsKeeping } from "../../src/apply/lane-keeper.ts";
import { allOperations } from "../../src/console/operations/all.ts";
import { canonicalHash } from "../../src/mapping/canonical.ts";
import { compileMapping } from "../../src/mapping/compile.ts";
import { connectionPolicy } from "../../src/mapping/connection-policy.ts";
import { mappingFile } from "../../src/mapping/schema.ts";
import { StoreError } from "../../src/model/errors.ts";
import { asId, type ConnectionId, type IdpId, type TenantId } from "../../src/model/ids.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { newRecord, type Actor } from "../../src/model/records.ts";
import type { MappingProposal } from "../../src/sync/proposal.ts";
import { proposeMappings } from "../../src/sync/roll-out.ts";
import type { UploadAnswer } from "../../src/hr/accept.ts";
import { defaultEmploymentPolicy } from "../../src/model/employment.ts";
import { defaultSourceSettings, type HrSettings } from "../../src/model/hr-settings.ts";
import { HumanResources } from "./human-resources.ts";
import { IdentityProvider } from "./identity-provider.ts";
import { variantsOf } from "./mapping-variants.ts";
import { MessageLog } from "./message-log.ts";
import { hrSource, Node, type NodeParts, type ScimAnswer } from "./node.ts";
import { Random } from "./random.ts";
import { Life, Scheduler, type DueTimes, type Fate } from "./scheduler.ts";
import { Truth } from "./truth.ts";
import { simulatedConnector } from "./vendor-connector.ts";
import { VendorNetwork } from "./vendor-network.ts";
import { VendorOrganization } from "./vendor-organization.ts";
import { shapes } from "./vendor-shapes.ts";
import { Watch } from "./watch.ts";
import type { BucketFacts } from "../../src/model/vendor-facts.ts";

export const tenants = ["acme", "globex"] as const;
export const connections = ["desk", "seats"] as const;
const nodeCount = 2;
const operator: Actor = { kind: "operator", id: "ida" };

/** What the next adapter calls of one process meet. */
interface Ambush {
  readonly node: number;
  /** Beginning of the name of the call: `store.insertIntent`, `vendor.`, or everything. */
  readonly call: string;
  /** How many such calls pass before. */
  left: number;
  readonly fate: "crash_before" | "crash_after" | "refused" | "lost" | "stall";
}

const hrSettings: HrSettings = {
  employment: { ...defaultEmploymentPolicy, order: [hrSource] },
  zone: undefined,
  domains: ["example.com"],
  sources: { [hrSource]: defaultSourceSettings },
};

/** Longer than a lease and the time in which a write may leave. */
const stallMs = 95_000;

interface Seen {
  readonly changes: number;
  readonly marks: readonly RecomputeMark[];
  readonly unpublished: readonly RecomputeMark[];
  readonly targetAt: number | undefined;
  readonly caseAt: number | undefined;
  /** Whether a mapping version is being rolled out. */
  readonly rolling: boolean;
  readonly lanes: readonly Lane[];
}

/** Everything there is: two tenants with an identity provider and two vendors each, two processes on one store, a log, time. */
export class World {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly store: Store;
  readonly truth: Truth;
  readonly watch: Watch;
  readonly hr = new Map<TenantId, HumanResources>();
  readonly log: MessageLog;
  readonly network: VendorNetwork;
  readonly nodes: (Node | undefined)[] = [];
  readonly ambushes: Ambush[] = [];
  /** Every store command of every process fails until then. */
  storeDownUntil = 0;
  readonly outside = new Life("outside");
  readonly #parts: NodeParts;
  readonly #buckets: BucketFacts[] = [{ name: "requests", capacity: 50, perMs: 60_001 }];
  #lives = 0;
  #lastSeen: Seen | undefined;

  static async open(seed: number, tracing: boolean): Promise<World> {
    const random = new Random(seed);
    const scheduler = new Scheduler(random.fork());
    scheduler.tracing = tracing;
    const clock = scheduler.clockOf(new Life("store"), random.fork());
    const store = await openSqliteStore({ folder: ":memory:", world: "test", clock });
    return new World(random, scheduler, store);
  }

  private constructor(random: Random, scheduler: Scheduler, store: Store) {
    this.random = random;
    this.scheduler = scheduler;
    this.store = store;
    this.truth = new Truth(scheduler, store);
    this.watch = new Watch(scheduler, store, this.truth);
    this.log = new MessageLog(scheduler, random.fork(), this.outside);
    this.network = new VendorNetwork(scheduler, random.fork(), this.outside, this.watch);
    const connectors = new Map(
      shapes.map((facts) => [
        facts.vendor,
        simulatedConnector({ ...facts, buckets: this.#buckets }),
      ]),
    );
    this.#parts = {
      scheduler,
      random: random.fork(),
      store,
      log: this.log,
      network: this.network,
      connectorOf: (vendor) => connectors.get(vendor),
      storeWatch: this.watch.storeWatch,
      callers: new Map(
        tenants.map((tenant) => [
          `token-${tenant}`,
          { tenantId: asId<TenantId>(tenant), idpId: asId<IdpId>("idp") },
        ]),
      ),
    };
    scheduler.attach({
      fateOf: (life, name) => this.#fateOf(life, name),
      onCrash: (life) => {
        this.#crashed(life);
      },
      halted: () => this.watch.violations.length > 0,
      nextDue: () => this.#nextDue(),
    });
  }

  /** Tenants, vendors, mappings and processes, before anything happens. */
  async begin(): Promise<void> {
    for (const tenant of tenants) await this.#addTenant(asId<TenantId>(tenant));
    for (let index = 0; index < nodeCount; index += 1) await this.startNode(index);
    for (const tenant of tenants) {
      for (const connection of connections) await this.applyMapping(tenant, connection, 0);
    }
  }

  async #addTenant(tenantId: TenantId): Promise<void> {
    const now = this.scheduler.now;
    const idpId = asId<IdpId>("idp");
    const clock = this.scheduler.clockOf(this.outside, this.random);
    const also = (action: string) => ({
      records: [
        newRecord(clock, {
          actor: operator,
          action,
          subject: { type: "tenant", id: tenantId },
          facts: {},
        }),
      ],
      recompute: [],
    });
    await this.store.createTenant(tenantId, { now }, also("tenant.created"));
    await this.store.createIdp(tenantId, { idpId, kind: "okta", now }, also("idp.created"));
    await this.store.setIdpLoaded(tenantId, { idpId, loadedAt: now }, also("idp.loaded"));
    const idp = new IdentityProvider(
      { tenantId, idpId, token: `token-${tenantId}` },
      this.scheduler,
      this.random.fork(),
      this.outside,
      (method, path, body) => this.#scim(`token-${tenantId}`, method, path, body),
    );
    this.truth.idps.set(tenantId, idp);
    await this.store.addHrSource(tenantId, { sourceId: hrSource, now }, also("hr.source_added"));
    await this.store.setHrSettings(tenantId, { settings: hrSettings }, also("hr.settings_changed"));
    this.hr.set(
      tenantId,
      new HumanResources(this.scheduler, this.outside, idp, (key, event) =>
        this.#hrEvent(tenantId, key, event),
      ),
    );
    for (const facts of shapes) {
      const organization = new VendorOrganization(
        this.scheduler,
        facts,
        tenantId,
        `org-${tenantId}-${facts.vendor}`,
        [
          { email: "rolecall@example.com", role: "owner" },
          { email: "breakglass@example.com", role: facts.vendor === "desk" ? "lead" : "admin" },
          { email: "somebody@elsewhere.example", role: facts.vendor === "desk" ? "user" : "view" },
        ],
      );
      this.truth.add(asId<ConnectionId>(facts.vendor), organization);
      this.network.keys.set(`${tenantId} sealed:${facts.vendor}`, {
        fingerprint: `key-1-${facts.vendor}`,
        organization,
        accepted: true,
      });
    }
  }

  // — processes —

  async startNode(index: number): Promise<void> {
    if (this.nodes[index] !== undefined) return;
    this.#lives += 1;
    const node = new Node(this.#parts, `node${String(index)}-${String(this.#lives)}`);
    this.nodes[index] = node;
    this.scheduler.tell(node.life.name, () => "starts");
    await this.scheduler.until(Promise.race([node.engine.start(), node.life.death]));
  }

  /** A process that lives, or undefined. */
  anyNode(): Node | undefined {
    const living = this.nodes.filter((node) => node !== undefined);
    return living.length === 0 ? undefined : this.random.pick(living);
  }

  crash(index: number): void {
    const node = this.nodes[index];
    if (node !== undefined) this.scheduler.kill(node.life);
  }

  #crashed(life: Life): void {
    const index = this.nodes.findIndex((node) => node?.life === life);
    if (index < 0) return;
    this.nodes[index] = undefined;
    this.watch.excuse("all", 180_000);
    // The group notices a lost member after its session; a new life comes a little later.
    this.scheduler.after(this.outside, 10_000, () => {
      this.log.rebalance();
    });
    this.scheduler.after(this.outside, this.random.between(1_000, 60_000), () => {
      void this.#restart(index);
    });
  }

  async #restart(index: number): Promise<void> {
    if (this.nodes[index] !== undefined) return;
    this.#lives += 1;
    const node = new Node(this.#parts, `node${String(index)}-${String(this.#lives)}`);
    this.nodes[index] = node;
    this.scheduler.tell(node.life.name, () => "starts");
    await node.engine.start();
  }

  /** One SCIM request to some process; undefined: it died over it, or its answer was lost. */
  async #scim(
    token: string,
    method: string,
    path: string,
    body: unknown,
  ): Promise<ScimAnswer | undefined> {
    const node = this.anyNode();
    if (node === undefined) return undefined;
    const answer = await Promise.race([node.scim(token, method, path, body), node.life.death]);
    if (method !== "GET") this.truth.refresh();
    return this.random.chance(0.03) ? undefined : answer;
  }

  /** One HR event to some process; undefined: it died over it, could not store it, or its answer was lost. */
  async #hrEvent(
    tenantId: TenantId,
    key: string,
    event: object,
  ): Promise<UploadAnswer | undefined> {
    const node = this.anyNode();
    if (node === undefined) return undefined;
    const told = node.hr(tenantId, key, event).catch((error: unknown) => {
      this.scheduler.tell("hr", () => `was told: ${String(error)}`);
      return undefined;
    });
    const answer = await Promise.race([told, node.life.death]);
    this.truth.refresh();
    return this.random.chance(0.03) ? undefined : answer;
  }

  // — faults —

  #fateOf(life: Life, name: string): Fate {
    if (life === this.outside) return { kind: "run" };
    if (this.ambushes.length === 0 && this.scheduler.monotonic >= this.storeDownUntil)
      return { kind: "run" };
    const index = this.nodes.findIndex((node) => node?.life === life);
    const at = this.ambushes.findIndex((item) => item.node === index && name.startsWith(item.call));
    const ambush = this.ambushes[at];
    if (ambush !== undefined) {
      if (ambush.left > 0) ambush.left -= 1;
      else {
        this.ambushes.splice(at, 1);
        this.scheduler.tell(life.name, () => `${ambush.fate} at ${name}`);
        this.watch.excuse("all", ambush.fate === "stall" ? stallMs + 180_000 : 0);
        if (ambush.fate === "stall") return { kind: "stall", ms: stallMs };
        if (ambush.fate === "crash_before" || ambush.fate === "crash_after")
          return { kind: ambush.fate };
        return { kind: ambush.fate, error: errorOf(name) };
      }
    }
    if (name.startsWith("store.") && this.scheduler.monotonic < this.storeDownUntil)
      return { kind: "refused", error: errorOf(name) };
    return { kind: "run" };
  }

  /** How many calls a minute every vendor takes from now on. */
  narrow(perMinute: number): void {
    this.#buckets[0] = { name: "requests", capacity: perMinute, perMs: 60_001 };
  }

  // — work in sight —

  /** For each kind of loop the next instant at which it would find something to do. */
  async #nextDue(): Promise<DueTimes> {
    const { now } = this.scheduler;
    const { marks, unpublished, targetAt, caseAt, rolling, lanes } = await this.#seen();
    const times: { -readonly [Kind in keyof DueTimes]: DueTimes[Kind] } = {};
    const note = (kind: keyof DueTimes, at: number | undefined) => {
      if (at !== undefined) times[kind] = Math.min(times[kind] ?? Infinity, at);
    };
    for (const mark of unpublished) note("hints", mark.dueAt);
    for (const mark of marks)
      note("marks", Math.max(mark.dueAt, mark.since + (mark.urgent ? 2_000 : 10_000)));
    note("fanouts", this.watch.nextFanoutAt());
    note("targets", targetAt);
    note("cases", caseAt);
    if (rolling) note("rollouts", now);
    note("night", this.watch.nextNightAt());
    for (const lane of lanes) {
      const rest = lane.breakerUntil ?? 0;
      if (laneNeedsKeeping(lane, now)) note("lanes", now);
      else if (lane.state === "paused") {
        if (lane.probeAt !== null && lane.pause?.code !== "OPERATOR") note("lanes", lane.probeAt);
      } else {
        note("lanes", Math.max(rest, lane.nextListAt ?? now));
        if (lane.openInvitations > 0) note("lanes", Math.max(rest, (lane.listedAt ?? 0) + 300_000));
      }
    }
    return times;
  }

  /** What the store says of work to come; read again only after it may have changed. */
  async #seen(): Promise<Seen> {
    if (this.#lastSeen?.changes === this.watch.changes) return this.#lastSeen;
    const far = this.scheduler.now + 1e12;
    const marks = await this.store.listOverdue({ now: far, ageMs: 0, urgentAgeMs: 0, limit: 50 });
    this.#lastSeen = {
      changes: this.watch.changes,
      marks,
      unpublished:
        marks.length > 0 ? await this.store.listUnpublished({ now: far, limit: 50 }) : [],
      targetAt: await this.store.nextTargetDueAt(),
      caseAt: await this.store.nextCaseDueAt(),
      rolling: (
        await Promise.all(tenants.map((id) => this.store.rollingMappings(asId<TenantId>(id))))
      ).some((versions) => versions.length > 0),
      lanes: await this.store.listLanes(undefined),
    };
    return this.#lastSeen;
  }

  // — people with a console —

  /** An operator's operation at a process that lives; a fault of it is told, as it would be to them. */
  async operate(tenant: string, name: string, input: JsonObject): Promise<void> {
    const node = this.anyNode();
    const operation = allOperations.find((item) => item.name === name);
    if (operation === undefined) throw new Error(`there is no operation ${name}`);
    if (node === undefined) return;
    const via = { purpose: undefined, expiresAt: undefined };
    const context = { tenantId: asId<TenantId>(tenant), actor: operator, via };
    await this.#asPerson(node, operation.run(node.console, context, operation.input.parse(input)));
  }

  async applyMapping(tenant: string, connection: string, variant: number): Promise<void> {
    const node = this.anyNode();
    const document = variantsOf[connection]?.[variant];
    const facts = shapes.find((item) => item.vendor === connection);
    if (node === undefined || document === undefined || facts === undefined) return;
    const file = mappingFile.parse(document);
    const proposal: MappingProposal = {
      connectionId: asId<ConnectionId>(connection),
      vendor: file.vendor,
      profile: "default",
      document,
      hash: canonicalHash(document),
      credential: file.connection.credential,
      baseUrl: undefined,
      policy: connectionPolicy(file, []),
      groups: compileMapping(document, facts).groups,
    };
    await this.#asPerson(
      node,
      proposeMappings(node.engine.sync, asId<TenantId>(tenant), [proposal], {
        approvals: "auto",
        live: false,
        actor: operator,
      }),
    );
  }

  async #asPerson(node: Node, work: Promise<unknown>): Promise<void> {
    const told = work.catch((error: unknown) => {
      this.scheduler.tell("operator", () => `was told: ${String(error)}`);
    });
    await this.scheduler.until(Promise.race([told, node.life.death]));
  }

  async close(): Promise<void> {
    await this.store.close();
  }
}

function errorOf(name: string): Error {
  return name.startsWith("store.")
    ? new StoreError("UNAVAILABLE", "the database does not answer")
    : new Error(`${name} failed`);
}
