import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { verifyStore } from "../../src/cli/verify-record.ts";
import { systemClock } from "../../src/model/clock.ts";
import { asId, type TenantId } from "../../src/model/ids.ts";
import type { JsonObject } from "../../src/model/json.ts";
import {
  startAnthropicSimulator,
  type AnthropicSimulator,
} from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { eventually } from "./eventually.ts";
import { startRolecall, type RolecallProcess } from "./rolecall-process.ts";
import { patchOf, person, ScimClient } from "./scim-client.ts";

export const fleetTenant = asId<TenantId>("acme");
/** The operator's. */
export const fleetToken = `rco_${"o".repeat(43)}`;
const scimToken = `rcs_${"s".repeat(43)}`;

const mapping = `version: 1
vendor: anthropic
profile: console
connection: { credential: sealed:anthropic-admin }
mode: additive
account: { match: email, leaver: remove, create: invite }
rules:
  - id: engineers
    when: { group: Engineering }
    grant: [{ kind: org_role, role: claude_code_user }]
`;

export interface Hired {
  readonly id: string;
  readonly email: string;
}

/** A tenant whose engineers have accounts at one simulated vendor, served by real processes on real servers. */
export class FleetWorld {
  readonly vendor: AnthropicSimulator;
  /** Looks into the database, beside the processes; another one after `reconnect`. */
  database: Client;
  readonly #folder: string;
  /** What every process is told, and a command line beside them. */
  readonly env: Readonly<Record<string, string>>;
  readonly #started: RolecallProcess[] = [];
  #scim: ScimClient | undefined;
  #engineering = "";

  static async open(servers: {
    readonly databaseUrl: string;
    readonly brokers: readonly string[];
    readonly prefix: string;
  }): Promise<FleetWorld> {
    const folder = await mkdtemp(join(tmpdir(), "rolecall-fleet-"));
    await mkdir(join(folder, "mappings", fleetTenant), { recursive: true });
    await writeFile(join(folder, "mappings", fleetTenant, "anthropic.yaml"), mapping);
    const vendor = await startAnthropicSimulator({ clock: systemClock() });
    return new FleetWorld(vendor, await connected(servers.databaseUrl), folder, {
      DATABASE_URL: servers.databaseUrl,
      KAFKA_BROKERS: servers.brokers.join(","),
      KAFKA_REPLICATION: "1",
      KAFKA_PARTITIONS: "3",
      KAFKA_TOPIC_PREFIX: servers.prefix,
      ROLECALL_SANDBOX: "1",
      ROLECALL_SEAL_KEY: "0".repeat(64),
      ROLECALL_SCIM_TOKEN: scimToken,
      ROLECALL_INSTANCE: "fleet",
      ROLECALL_TENANT: fleetTenant,
      ROLECALL_MAPPINGS: join(folder, "mappings"),
      ROLECALL_DATA_DIR: folder,
    });
  }

  private constructor(
    vendor: AnthropicSimulator,
    database: Client,
    folder: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.vendor = vendor;
    this.database = database;
    this.#folder = folder;
    this.env = env;
  }

  /** Who answers identity providers and runs leased jobs; the first one to start. The vendor's key and the group are there then. */
  async startApi(): Promise<RolecallProcess> {
    const api = await this.#start("api,relay,scheduler", {});
    await api.api("PUT", "/credentials/anthropic-admin", { secret: this.vendor.apiKey });
    this.#scim = new ScimClient(api.scimUrl, scimToken);
    this.#engineering = await this.scim.create("/Groups", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName: "Engineering",
    });
    await api.api("POST", "/idps/default/loaded", {});
    return api;
  }

  /** @param vendorUrl what stands between it and the vendor */
  startWorker(
    vendorUrl = this.vendor.url,
    env: Readonly<Record<string, string>> = {},
  ): Promise<RolecallProcess> {
    return this.#start("relay,worker", {
      ROLECALL_SANDBOX_VENDORS: `anthropic=${vendorUrl}`,
      ...env,
    });
  }

  get scim(): ScimClient {
    if (this.#scim === undefined) throw new Error("startApi comes first");
    return this.#scim;
  }

  /** An engineer; asks again where the service says to come again, as identity providers do. */
  async hire(name: string): Promise<Hired> {
    const email = `${name}@example.com`;
    const id = await this.#persist(async () => {
      const found = await this.scim.find("/Users", `userName eq "${email}"`);
      const [known] = (found.body["Resources"] ?? []) as { readonly id: string }[];
      if (known !== undefined) return known.id;
      return this.scim.create("/Users", person(email));
    });
    await this.#persist(() =>
      this.#patch(`/Groups/${this.#engineering}`, {
        op: "add",
        path: "members",
        value: [{ value: id }],
      }),
    );
    return { id, email };
  }

  async leave({ id }: Hired): Promise<void> {
    await this.#persist(() =>
      this.#patch(`/Users/${id}`, { op: "replace", value: { active: false } }),
    );
  }

  /** Somebody whose account at the vendor is older than Rolecall, hired and matched. */
  async hireWithAccount(name: string): Promise<Hired> {
    this.vendor.control.seedUser({ email: `${name}@example.com`, role: "claude_code_user" });
    const hired = await this.hire(name);
    await eventually(
      async () => {
        const { rows } = await this.database.query(
          "SELECT 1 FROM links JOIN targets USING (tenant_id, connection_id, identity_id) WHERE email = $1 AND state = 'idle'",
          [hired.email],
        );
        return rows.length === 1;
      },
      { timeoutMs: 120_000, everyMs: 100 },
    );
    return hired;
  }

  /** Open invitations of an address at the vendor. */
  invitations(email: string): number {
    return this.vendor
      .state()
      .invites.filter((invite) => invite.email === email && invite.state === "pending").length;
  }

  hasAccount(email: string): boolean {
    return this.vendor.state().users.some((user) => user.email === email);
  }

  /** Vendor writes by their state: what is open is neither known to have happened nor known not to have. */
  async intents(): Promise<Readonly<Record<string, number>>> {
    const { rows } = await this.database.query<{ state: string; count: string }>(
      "SELECT state, count(*) FROM intents GROUP BY state",
    );
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
  }

  /** A minute passes for leases and for writes whose window is open: for stories in which nobody lives who waits it out. */
  async aMinutePasses(): Promise<void> {
    await this.database.query(
      "UPDATE targets SET lease_until = lease_until - 60000, ready_at = ready_at - 60000 WHERE lease_owner IS NOT NULL",
    );
    await this.database.query(
      "UPDATE intents SET sent_at = sent_at - 60000, not_after = not_after - 60000 WHERE state = 'sent'",
    );
  }

  /** Resolves when a statement that has this text in it waits for a lock. */
  async waitsForLock(text: string): Promise<void> {
    await eventually(
      async () => {
        // Inside a transaction this view stands still unless told.
        await this.database.query("SELECT pg_stat_clear_snapshot()");
        const { rows } = await this.database.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND position($1 in query) > 0 AND datname = current_database()",
          [text],
        );
        return rows.length > 0;
      },
      { timeoutMs: 60_000, everyMs: 20 },
    );
  }

  /** How many outcome records each closed intent has: one, where all is right. */
  async recordsPerIntent(api: RolecallProcess): Promise<readonly number[]> {
    const { records } = await api.api("GET", "/audit/records?limit=1000");
    const told = (records as { readonly facts?: Readonly<Record<string, unknown>> }[]).map(
      (record) => JSON.stringify(record),
    );
    const { rows } = await this.database.query<{ intent_id: string }>(
      "SELECT intent_id FROM intents WHERE state IN ('done', 'refused')",
    );
    return rows.map(({ intent_id: id }) => told.filter((text) => text.includes(id)).length);
  }

  /** After the server was away. */
  async reconnect(): Promise<void> {
    this.database = await connected(this.env["DATABASE_URL"] ?? "");
  }

  /** Ends every process, verifies the record, closes. @throws Error with what is wrong with the record */
  async close(): Promise<void> {
    await Promise.all(this.#started.map((process) => process.stop()));
    const place = { dataDir: this.#folder, databaseUrl: this.env["DATABASE_URL"] };
    try {
      const record = await verifyStore(place, fleetTenant);
      if (!record.ok) throw new Error(record.problems.join("; "));
    } finally {
      await this.database.end();
      await this.vendor.close();
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  async #start(roles: string, env: Readonly<Record<string, string>>): Promise<RolecallProcess> {
    const process = await startRolecall({
      roles,
      adminToken: fleetToken,
      env: {
        ...this.env,
        ROLECALL_SANDBOX_VENDORS: `anthropic=${this.vendor.url}`,
        ...env,
      },
    });
    this.#started.push(process);
    return process;
  }

  async #patch(path: string, operation: JsonObject): Promise<void> {
    const reply = await this.scim.patch(path, patchOf(operation));
    if (reply.status >= 300)
      throw new Error(`PATCH ${path}: ${String(reply.status)} ${reply.text}`);
  }

  /** Until it is acknowledged. */
  async #persist<Result>(ask: () => Promise<Result>): Promise<Result> {
    let result: { readonly value: Result } | undefined;
    await eventually(
      async () => {
        result = { value: await ask() };
      },
      { timeoutMs: 120_000, everyMs: 250 },
    );
    if (result === undefined) throw new Error("not acknowledged");
    return result.value;
  }
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  // Servers of some stories are killed.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
