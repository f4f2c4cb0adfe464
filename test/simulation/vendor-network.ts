import type { Lane } from "../../src/accounts/lane.ts";
import type { HttpOptions, OpenedHttp } from "../../src/apply/apply-deps.ts";
import { SyncError } from "../../src/model/errors.ts";
import type { EndpointFacts } from "../../src/model/vendor-facts.ts";
import type { VendorAnswer, VendorHttp, VendorRequest } from "../../src/model/vendor-http.ts";
import type { Random } from "./random.ts";
import type { Life, Scheduler } from "./scheduler.ts";
import type { Landed, VendorCall, VendorOrganization } from "./vendor-organization.ts";

/** A key at a vendor: whose organisation it opens, and whether the vendor still takes it. */
export interface VendorKey {
  readonly fingerprint: string;
  readonly organization: VendorOrganization;
  readonly accepted: boolean;
}

/** The weather on the way to one vendor. Probabilities per call; `until` monotonic. */
export interface Weather {
  refused: number;
  lostBefore: number;
  lostAfter: number;
  /** 429 for everything until then. */
  limitedUntil: number;
  retryAfterMs: number;
  slowMs: number;
  /** Monotonic: fair again from then on, whatever was said. */
  endsAt: number;
}

export const fairWeather = (): Weather => ({
  refused: 0,
  lostBefore: 0,
  lostAfter: 0,
  limitedUntil: 0,
  retryAfterMs: 0,
  slowMs: 200,
  endsAt: Infinity,
});

/** Hears what leaves a process for a vendor and what arrives there. */
export interface NetworkWatch {
  sent(life: Life, lane: Lane, call: VendorCall): void;
  landed(life: Life, lane: Lane, what: Landed): Promise<void>;
  listed(life: Life, lane: Lane, operation: string, whole: boolean): void;
  trouble(lane: Lane, what: string): void;
}

/** How long a call that left may still be on its way: less than the grace that a new owner waits. */
const flightMaxMs = 4_000;
const timeoutMs = 10_000;

/** The way from a process to the vendors: a client for one lease, as `http` gives it, over a network that the seed makes fail. */
export class VendorNetwork {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #watch: NetworkWatch;
  /** Calls on their way belong to nobody: they arrive although their sender died. */
  readonly #wire: Life;
  readonly keys = new Map<string, VendorKey>();
  readonly weather = new Map<string, Weather>();

  constructor(scheduler: Scheduler, random: Random, wire: Life, watch: NetworkWatch) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#wire = wire;
    this.#watch = watch;
  }

  open(life: Life, lane: Lane, options: HttpOptions): Promise<OpenedHttp> {
    return this.#scheduler.call(life, "vault.open", () => {
      const key = this.keys.get(`${lane.tenantId} ${lane.credential}`);
      if (key === undefined)
        throw new SyncError("CREDENTIAL_MISSING", `no secret for ${lane.credential}`);
      return {
        http: this.#client(life, lane, key, options),
        credentialFingerprint: key.fingerprint,
      };
    });
  }

  weatherOf(lane: Pick<Lane, "tenantId" | "connectionId">): Weather {
    const place = `${lane.tenantId} ${lane.connectionId}`;
    const kept = this.weather.get(place);
    const known =
      kept === undefined || kept.endsAt <= this.#scheduler.monotonic ? fairWeather() : kept;
    this.weather.set(place, known);
    return known;
  }

  #client(life: Life, lane: Lane, key: VendorKey, options: HttpOptions): VendorHttp {
    return {
      request: <T>(request: VendorRequest<T>) => this.#request(life, lane, key, options, request),
      pages: () => {
        throw new Error("the simulated connectors walk their pages themselves");
      },
    };
  }

  async #request<T>(
    life: Life,
    lane: Lane,
    key: VendorKey,
    options: HttpOptions,
    request: VendorRequest<T>,
  ): Promise<VendorAnswer<T>> {
    const endpoint = key.organization.facts.endpoints.find(
      (item) => item.operation === request.operation,
    );
    if (endpoint === undefined) throw new Error(`${request.operation} is not declared`);
    await options.governor.admit(endpoint.bucket, options.signal);
    const report = (
      failure: "none" | "rate_limited" | "unavailable" | "refused",
      retryAfterMs?: number,
    ) => {
      options.governor.settled({
        operation: endpoint.operation,
        bucket: endpoint.bucket,
        status: failure === "unavailable" ? undefined : 200,
        durationMs: 1,
        failure,
        retryAfterMs,
      });
    };
    const call = request.body as VendorCall;
    try {
      const value = await this.#exchange(life, lane, key, options, endpoint, call);
      report("none");
      return {
        status: 200,
        value: request.parse(value),
        requestId: undefined,
        etag: undefined,
        location: undefined,
        bodyHash: "",
      };
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      if (error.code === "VENDOR_RATE_LIMITED") report("rate_limited", error.retryAfterMs);
      else if (["VENDOR_UNAVAILABLE", "VENDOR_TIMEOUT", "WRITE_AMBIGUOUS"].includes(error.code))
        report("unavailable");
      else report("refused");
      throw error;
    }
  }

  async #exchange(
    life: Life,
    lane: Lane,
    key: VendorKey,
    options: HttpOptions,
    endpoint: EndpointFacts,
    call: VendorCall,
  ): Promise<unknown> {
    const weather = this.weatherOf(lane);
    const writes = endpoint.access === "write";
    const lost = () =>
      writes
        ? new SyncError("WRITE_AMBIGUOUS", "no answer to a write")
        : new SyncError("VENDOR_TIMEOUT", "no answer in time");
    const fate = await this.#scheduler.call(life, `vendor.${endpoint.operation}`, () => {
      if (options.signal.aborted) throw new SyncError("GATE_REFUSED", "aborted before it was sent");
      const refused = this.#refusal(lane, weather, key);
      if (refused !== undefined) throw refused;
      if (writes) {
        options.beforeWrite();
        this.#watch.sent(life, lane, call);
      }
      if (this.#random.chance(weather.lostBefore)) return "lost_before" as const;
      return this.#random.chance(weather.lostAfter) ? ("lost_after" as const) : ("fine" as const);
    });
    if (fate !== "fine") this.#watch.trouble(lane, fate);
    if (fate === "lost_before") {
      await this.#scheduler.call(life, "vendor.timeout", () => undefined, timeoutMs);
      throw lost();
    }
    const flightMs = Math.min(flightMaxMs, this.#latency(weather));
    const lagMs = this.#random.int(key.organization.lagMs + 1);
    const arrival = this.#scheduler.call(
      this.#wire,
      "vendor.takes",
      async () => {
        const landed: Landed[] = [];
        const value = key.organization.take(call, lagMs, (what) => landed.push(what));
        if (call.operation.endsWith(".list")) this.#listed(life, lane, call.operation, value);
        for (const what of landed) await this.#watch.landed(life, lane, what);
        return value;
      },
      flightMs,
    );
    const answer = await arrival.then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error as Error }),
    );
    // The caller may have died while its call was under way: then nobody hears the answer.
    if (fate === "lost_after") {
      await this.#scheduler.call(life, "vendor.timeout", () => undefined, timeoutMs);
      throw lost();
    }
    await this.#scheduler.call(life, "vendor.answers", () => undefined, this.#latency(weather));
    if (options.signal.aborted && writes) throw lost();
    if ("error" in answer) throw answer.error;
    return answer.value;
  }

  /** Most calls take no time worth telling: each instant has its price. */
  #latency(weather: Weather): number {
    return this.#random.chance(0.25) ? this.#random.int(weather.slowMs + 1) : 0;
  }

  #listed(life: Life, lane: Lane, operation: string, page: unknown): void {
    const { next, whole } = page as { readonly next: number | null; readonly whole: boolean };
    this.#watch.listed(life, lane, operation, next === null && whole);
  }

  #refusal(lane: Lane, weather: Weather, key: VendorKey): SyncError | undefined {
    if (this.#scheduler.monotonic < weather.limitedUntil) {
      this.#watch.trouble(lane, "429");
      return new SyncError("VENDOR_RATE_LIMITED", "slow down", {
        retryAfterMs: weather.retryAfterMs,
      });
    }
    if (!this.#current(lane, key).accepted)
      return new SyncError("CREDENTIAL_REFUSED", "the key is revoked");
    if (!this.#random.chance(weather.refused)) return undefined;
    this.#watch.trouble(lane, "refused");
    return new SyncError("VENDOR_UNAVAILABLE", "connection refused");
  }

  /** A key that was revoked after it was opened is refused all the same. */
  #current(lane: Lane, key: VendorKey): VendorKey {
    const now = this.keys.get(`${lane.tenantId} ${lane.credential}`);
    return now?.fingerprint === key.fingerprint ? now : key;
  }
}
