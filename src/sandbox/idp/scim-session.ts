import type { Clock } from "../../model/clock.ts";
import type { JsonObject } from "../../model/json.ts";
import { ExchangeLog } from "./exchange-log.ts";
import { readDetail, readPage, readResource, ScimRequestError } from "./scim-message.ts";
import type { ScimPage, ScimResource } from "./scim-message.ts";
import { roundTrip } from "./scim-transport.ts";
import type { Answer, Outgoing } from "./scim-transport.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
/** In sending order; a name without value (a flag) has `undefined`. */
export type Query = readonly (readonly [name: string, value: string | undefined])[];

/** How one kind of IdP speaks HTTP and what it does about 429. */
export interface ClientHabits {
  readonly userAgent: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How a blank in the query is written. */
  readonly blank: "%20" | "+";
  readonly rateLimited: {
    /** Requests sent in total before the failure is final; `persist` lifts this. */
    readonly attemptsMax: number;
    /** The wait when Retry-After is absent or not whole seconds. Undefined: the failure is final at once. */
    readonly defaultWaitMs: number | undefined;
    /** Whether each further 429 doubles the wait. */
    readonly doubles: boolean;
  };
}

export interface ScimSessionOptions {
  /** Base URL of the SCIM service; its query (a flag of Entra's tenant URL) is sent with every request. */
  readonly baseUrl: string;
  /** Bearer token. */
  readonly token: string;
  readonly habits: ClientHabits;
  readonly clock: Clock;
  /**
   * Repeat what got no answer (connection refused, cut or late answer) or a 5xx, with the same body, until it is
   * answered, as the next cycles would: for a service that may be stopped and started at any moment.
   */
  readonly persist?: boolean;
  /** Domain time between two tries of a persistent session. */
  readonly persistWaitMs?: number;
  /** Wall time without a byte after which an answer counts as lost. */
  readonly answerTimeoutMs?: number;
  /** Ends waits and requests; everything under way then fails. */
  readonly signal?: AbortSignal;
  readonly log?: ExchangeLog;
}

/** Okta closes a socket that gave no answer in 60 s (Okta SCIM FAQs, 2026-08); Entra's limit is not documented. */
const ANSWER_TIMEOUT_MS = 60_000;
const PERSIST_WAIT_MS = 5_000;

/** One IdP's connection to one SCIM service. Every request goes to `log`, answered or not. */
export class ScimSession {
  readonly log: ExchangeLog;
  readonly #base: URL;
  readonly #options: ScimSessionOptions;

  /** @throws TypeError when `baseUrl` is not an absolute URL, RangeError when it is neither http nor https. */
  constructor(options: ScimSessionOptions) {
    this.#base = new URL(options.baseUrl);
    if (this.#base.protocol !== "http:" && this.#base.protocol !== "https:") {
      throw new RangeError(`A SCIM base URL is http or https, got ${this.#base.protocol}`);
    }
    this.#options = options;
    this.log = options.log ?? new ExchangeLog();
  }

  /** Whether its signal has ended it. */
  get stopped(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** @throws ScimRequestError for every status but 2xx, and for a body that is not a resource with an id. */
  async get(path: string, query: Query = []): Promise<ScimResource> {
    const answer = await this.#send("GET", path, query);
    return readResource(answer.status, answer.body, `GET ${path}`);
  }

  async put(path: string, body: JsonObject): Promise<void> {
    await this.#send("PUT", path, [], body);
  }

  async patch(path: string, body: JsonObject): Promise<void> {
    await this.#send("PATCH", path, [], body);
  }

  /** A resource that is already gone (404) counts as deleted. */
  async delete(path: string): Promise<void> {
    try {
      await this.#send("DELETE", path, []);
    } catch (error) {
      if (!(error instanceof ScimRequestError && error.status === 404)) throw error;
    }
  }

  async list(path: string, query: Query): Promise<ScimPage> {
    const answer = await this.#send("GET", path, query);
    return readPage(answer.status, answer.body, `GET ${path}`);
  }

  /**
   * Looks a resource up and creates it when there is none. A create whose answer was lost is looked up before it is
   * sent again: what the lookup finds then was made by us and is linked like any match.
   * @returns `matched` when the resource was there, so that its content must still be pushed.
   */
  async matchOrCreate(
    path: string,
    lookup: Query,
    body: JsonObject,
  ): Promise<{ readonly resource: ScimResource; readonly matched: boolean }> {
    for (;;) {
      const found = (await this.list(path, lookup)).resources[0];
      if (found !== undefined) return { resource: found, matched: true };
      try {
        const answer = await this.#waitOutRateLimit("POST", path, [], body);
        const made = readResource(answer.status, answer.body, `POST ${path}`);
        return { resource: made, matched: false };
      } catch (error) {
        if (!this.#persists(error)) throw error;
        await this.#pause(this.#persistWaitMs);
      }
    }
  }

  async #send(method: Method, path: string, query: Query, body?: JsonObject): Promise<Answer> {
    for (;;) {
      try {
        return await this.#waitOutRateLimit(method, path, query, body);
      } catch (error) {
        if (!this.#persists(error)) throw error;
        await this.#pause(this.#persistWaitMs);
      }
    }
  }

  async #waitOutRateLimit(
    method: Method,
    path: string,
    query: Query,
    body?: JsonObject,
  ): Promise<Answer> {
    const { attemptsMax, defaultWaitMs, doubles } = this.#options.habits.rateLimited;
    const persist = this.#options.persist === true;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#exchange(method, path, query, body);
      if (answer.status >= 200 && answer.status < 300) return answer;
      const refused = new ScimRequestError(
        answer.status,
        `${method} ${path}: ${String(answer.status)} ${readDetail(answer.body)}`,
      );
      if (answer.status !== 429 || (attempt >= attemptsMax && !persist)) throw refused;
      const waitMs =
        wholeSecondsMs(answer.retryAfter) ??
        defaultWaitMs ??
        (persist ? this.#persistWaitMs : undefined);
      if (waitMs === undefined) throw refused;
      await this.#pause(doubles && !persist ? waitMs * 2 ** (attempt - 1) : waitMs);
    }
  }

  async #exchange(method: Method, path: string, query: Query, body?: JsonObject): Promise<Answer> {
    const target = this.#target(path, query);
    const entry = { at: this.#options.clock.now(), method, path: target, requestBody: body };
    try {
      const answer = await roundTrip(this.#outgoing(method, target, body));
      this.log.add({
        ...entry,
        status: answer.status,
        responseBody: answer.body,
        failure: undefined,
      });
      return answer;
    } catch (error) {
      const failure = error instanceof Error ? error.message : String(error);
      const status = error instanceof ScimRequestError ? error.status : undefined;
      this.log.add({ ...entry, status, responseBody: undefined, failure });
      if (error instanceof ScimRequestError) throw error;
      throw new ScimRequestError(undefined, `${method} ${target}: no answer (${failure})`, error);
    }
  }

  #outgoing(method: Method, target: string, body: JsonObject | undefined): Outgoing {
    const { token, habits, signal, answerTimeoutMs } = this.#options;
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body), "utf8");
    return {
      method,
      url: new URL(target, this.#base),
      headers: {
        ...habits.headers,
        "User-Agent": habits.userAgent,
        Authorization: `Bearer ${token}`,
        ...(payload === undefined
          ? {}
          : {
              "Content-Type": "application/scim+json; charset=utf-8",
              "Content-Length": payload.byteLength,
            }),
      },
      body: payload,
      timeoutMs: answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
      signal,
    };
  }

  #target(path: string, query: Query): string {
    const { blank } = this.#options.habits;
    const encode = (text: string) => encodeURIComponent(text).replaceAll("%20", blank);
    const pairs = query.map(([name, value]) =>
      value === undefined ? encode(name) : `${encode(name)}=${encode(value)}`,
    );
    const flags = this.#base.search.slice(1);
    const all = [...(flags === "" ? [] : [flags]), ...pairs].join("&");
    return `${this.#base.pathname.replace(/\/+$/, "")}${path}${all === "" ? "" : `?${all}`}`;
  }

  get #persistWaitMs(): number {
    return this.#options.persistWaitMs ?? PERSIST_WAIT_MS;
  }

  #persists(error: unknown): boolean {
    return (
      this.#options.persist === true &&
      !this.stopped &&
      error instanceof ScimRequestError &&
      error.lost
    );
  }

  async #pause(ms: number): Promise<void> {
    const { clock, signal } = this.#options;
    await clock.sleep(ms, signal);
    if (this.stopped) throw new ScimRequestError(undefined, "The session was stopped");
  }
}

/** Retry-After in milliseconds when it is whole seconds; an HTTP date is not understood by either IdP. */
function wholeSecondsMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header.trim())
    ? Number(header) * 1_000
    : undefined;
}
