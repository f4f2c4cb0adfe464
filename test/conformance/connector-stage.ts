import { expect } from "vitest";
import type { Call, Connector, EndOfList, VendorAccount } from "../../src/connectors/connector.ts";
import type { VendorAccess } from "../../src/connectors/registry.ts";
import { createHttpPools, type HttpPools } from "../../src/http/http-pools.ts";
import type { VendorHttpOptions } from "../../src/http/vendor-client.ts";
import type { Slot } from "../../src/model/entitlement.ts";
import { isOver } from "../../src/model/account.ts";
import { SyncError } from "../../src/model/errors.ts";
import type { AccountId } from "../../src/model/ids.ts";
import type { Roster } from "../../src/model/roster.ts";
import type { Fault } from "../../src/sandbox/fault-schedule.ts";
import type { VendorSimulator } from "../../src/sandbox/vendor-simulator.ts";
import { fakeClock, type FakeClock } from "../support/fake-clock.ts";
import { failureOf, openVendorHttp } from "../support/vendor-http.ts";

/** One connector and how to run its vendor. */
export interface ConnectorWorld {
  readonly connector: Connector;
  readonly access: Pick<VendorAccess, "authHeaders" | "serviceHeaders">;
  start(clock: FakeClock): Promise<SuiteVendor>;
  /** Two account roles that the API can give; one where the vendor has no other. */
  readonly roles: readonly [string, string?];
  /** Largest page of the accounts list; undefined: the vendor answers with all of them. */
  readonly pageSize: number | undefined;
  /**
   * The simulator's names of the list of active accounts (of any read, where those come from a roster), and of the create; of a grant
   * where accounts are made by hand.
   */
  readonly operations: { readonly list: string; readonly create?: string; readonly grant?: string };
  /** Who is created is in at once: no invitation. */
  readonly instant?: true;
  /** Operations whose refusals always say when to come back. */
  readonly tellsReset?: readonly string[];
  /** Roles of a slot that is no account slot, where the vendor has such; a second one where a slot can hold another. */
  readonly grantRoles?: readonly [string, string?];
}

export interface SuiteVendor {
  readonly simulator: VendorSimulator;
  readonly secret: string;
  readonly organizationId: string;
  /** Somebody who is in already. */
  seed(email: string, role: string): AccountId;
  /** The person takes an open invitation. */
  accept(email: string): void;
  /** An object to grant in. */
  readonly slot?: Slot;
  /** Secrets of the vendor's services. */
  readonly serviceSecrets?: Readonly<Record<string, string>>;
  /** Who is in, as somebody brings it: where the vendor shows its members to people only. */
  roster?(): Roster;
  /** A credential that may do less than the connector needs. */
  readonly weakSecret?: string;
  /** The subscription lapses. */
  lapse?(): void;
}

/** One running vendor and a connector's way to it. */
export class ConnectorStage {
  readonly world: ConnectorWorld;
  readonly connector: Connector;
  #vendor: SuiteVendor | undefined;
  #pools: HttpPools | undefined;
  #said: string[] = [];
  #loggers: { readonly lines: readonly string[] }[] = [];
  clock = fakeClock();

  constructor(world: ConnectorWorld) {
    this.world = world;
    this.connector = world.connector;
  }

  get vendor(): SuiteVendor {
    if (this.#vendor === undefined) throw new Error("the stage is not open");
    return this.#vendor;
  }

  async open(): Promise<void> {
    this.clock = fakeClock();
    this.#said = [];
    this.#loggers = [];
    this.#pools = createHttpPools();
    this.#vendor = await this.world.start(this.clock);
  }

  async close(): Promise<void> {
    await this.#pools?.close();
    await this.#vendor?.simulator.close();
  }

  call(options: Partial<VendorHttpOptions> & { readonly secret?: string } = {}) {
    const { secret = this.vendor.secret, ...more } = options;
    const opened = openVendorHttp({
      facts: this.connector.facts,
      baseUrl: this.vendor.simulator.url,
      headers: (service) => Promise.resolve(this.#headers(secret, service)),
      clock: this.clock,
      ...(this.#pools === undefined ? {} : { pools: this.#pools }),
      ...more,
    });
    this.#loggers.push(opened.logger);
    const call: Call = {
      http: opened.http,
      signal: opened.abort.signal,
      now: () => this.clock.now(),
      ...(this.vendor.roster === undefined ? {} : { roster: this.vendor.roster() }),
    };
    return Object.assign(call, { abort: opened.abort, reports: opened.reports });
  }

  #headers(secret: string, service: string | undefined): Readonly<Record<string, string>> {
    const { access } = this.world;
    if (service === undefined) return access.authHeaders(secret);
    const opened = this.vendor.serviceSecrets?.[service];
    const headers = access.serviceHeaders?.[service];
    if (opened === undefined || headers === undefined) throw new Error(`no way to ${service}`);
    return headers(opened);
  }

  fault(fault: Fault): void {
    this.vendor.simulator.faults.add(fault);
  }

  /** The SyncError of a call that must fail. */
  async failure(promise: Promise<unknown>): Promise<SyncError> {
    const error = await failureOf(promise);
    for (let at = error; at instanceof Error; at = at.cause) {
      this.#said.push(`${at.message}\n${at.stack ?? ""}`);
      if (at instanceof SyncError) this.#said.push(JSON.stringify(at.facts));
    }
    expect(error).toBeInstanceOf(SyncError);
    return error as SyncError;
  }

  /** A read that goes to the vendor. */
  look(call: Call): Promise<unknown> {
    if (this.connector.facts.roster !== undefined) return this.connector.check(call);
    return this.connector.findAccounts(call, { emails: [jane] });
  }

  async one(email: string): Promise<VendorAccount> {
    const found = await this.connector.findAccounts(this.call(), { emails: [email] });
    expect(found).toHaveLength(1);
    return found[0] as VendorAccount;
  }

  /** Accounts of the address that somebody can use. */
  async living(email: string): Promise<readonly VendorAccount[]> {
    const found = await this.connector.findAccounts(this.call(), { emails: [email] });
    return found.filter((account) => !isOver(account, this.connector.facts));
  }

  /** Calls that the facts do not call reads. */
  writes(): readonly string[] {
    const reads = this.#patterns("read");
    return this.vendor.simulator.requests
      .map((item) => `${item.method} ${item.path}`)
      .filter((line) => !reads.some((pattern) => pattern.test(line)));
  }

  #patterns(access?: "read"): readonly RegExp[] {
    const { endpoints, services } = this.connector.facts;
    return endpoints
      .filter((item) => access === undefined || item.access === access)
      .map((item) => {
        const path = `${services?.[item.service ?? ""]?.path ?? ""}${item.path}`;
        return new RegExp(`^${item.method} ${path.replace(/\{\w+\}/g, "[^/?]+")}(\\?|$)`);
      });
  }

  expectOnlyDeclaredCalls(): void {
    const declared = this.#patterns();
    for (const request of this.vendor.simulator.requests) {
      const line = `${request.method} ${request.path}`;
      expect(declared.some((pattern) => pattern.test(line)) ? "declared" : line).toBe("declared");
      expect(request.operation).toBeDefined();
    }
  }

  expectNoSecretSaid(): void {
    const secrets = [
      this.vendor.secret,
      this.vendor.weakSecret ?? this.vendor.secret,
      badSecret,
      ...Object.values(this.vendor.serviceSecrets ?? {}),
    ];
    for (const text of [...this.#said, ...this.#loggers.flatMap((logger) => logger.lines)]) {
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).not.toMatch(/@example\.com/);
    }
  }
}

export const badSecret = "sk-ant-admin01-not-a-key-of-anybody";
export const jane = "jane@example.com";
export const person = (email: string, role: string) => ({ email, role, displayName: "Jane Doe" });

/** A list read to its end or to its error. */
export async function drain<T>(list: AsyncIterable<T | EndOfList>): Promise<{
  readonly items: readonly T[];
  readonly end: EndOfList | undefined;
  readonly error: unknown;
}> {
  const items: T[] = [];
  let end: EndOfList | undefined;
  try {
    for await (const item of list) {
      if (typeof item === "object" && item !== null && "complete" in item) end = item;
      else items.push(item);
    }
  } catch (error) {
    return { items, end, error };
  }
  return { items, end, error: undefined };
}
