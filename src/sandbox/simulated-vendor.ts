import { z } from "zod";
import { InputError } from "../model/errors.ts";
import type { Clock, Instant } from "../model/clock.ts";
import { FaultSchedule, scheduledFaultSchema } from "./fault-schedule.ts";
import type { Fault, FaultKind } from "./fault-schedule.ts";
import { edgePage, Refusal } from "./simulated-api.ts";
import type { Reply, SimulatedApi, SimulatedCall, SimulatedRoute } from "./simulated-api.ts";
import type { PersistedState } from "./state-file.ts";
import { TruthHistory } from "./truth-history.ts";
import type { CreateAttempts } from "./vendor-simulator.ts";

const STALE_READ_DEFAULT_MS = 30_000;

/** What the server does with the connection. */
export interface Answer {
  /** Undefined: no answer is sent, and the connection is cut or held. */
  readonly reply: Reply | undefined;
  readonly connection: "keep" | "cut" | "hold";
  /** Domain time to wait before the reply. */
  readonly delayMs: number;
  readonly fault: FaultKind | undefined;
}

const attemptsSchema = z.object({ attempted: z.int(), created: z.int(), refused: z.int() });

/** One vendor's truth, the faults that strike it and what it owes to a file. Knows no socket. */
export class SimulatedVendor<Truth, Caller> {
  readonly faults: FaultSchedule;
  readonly api: SimulatedApi<Truth, Caller>;
  readonly clock: Clock;
  readonly #truth: Truth;
  readonly #state: PersistedState | undefined;
  readonly #history = new TruthHistory();
  readonly #attempts = new Map<string, CreateAttempts>();

  /**
   * `seed` makes the first truth; it is not asked where `state` holds one.
   * @throws InputError when what `state` holds is not this vendor's truth.
   */
  constructor(
    api: SimulatedApi<Truth, Caller>,
    clock: Clock,
    state: PersistedState | undefined,
    seed: () => Truth,
  ) {
    this.api = api;
    this.clock = clock;
    this.#state = state;
    this.faults = new FaultSchedule(
      new Map(api.routes.map((route) => [route.operation, route.kind])),
      () => {
        this.#save();
      },
    );
    const stored = state?.load();
    if (stored === undefined) {
      this.#truth = seed();
      this.#save();
      return;
    }
    const document = this.#read(stored);
    this.#truth = document.truth;
    this.faults.restore(document.faults);
    for (const [email, counts] of Object.entries(document.attempts)) {
      this.#attempts.set(email, counts);
    }
  }

  get truth(): Truth {
    return this.#truth;
  }

  /** A change by the vendor's own people, outside its API. Saved before it returns. */
  change<T>(edit: (truth: Truth, now: Instant) => T): T {
    const now = this.clock.now();
    this.#remember(now);
    const result = edit(this.#truth, now);
    this.#save();
    return result;
  }

  attempts(email: string): CreateAttempts {
    return this.#attempts.get(email) ?? { attempted: 0, created: 0, refused: 0 };
  }

  allAttempts(): Readonly<Record<string, CreateAttempts>> {
    return Object.fromEntries(this.#attempts);
  }

  /** Works one request from credential to answer. Synchronous, so that concurrent requests cannot interleave. */
  answer(route: SimulatedRoute<Truth, Caller>, call: SimulatedCall): Answer {
    const { api } = this;
    let caller: Caller;
    try {
      caller = api.admit(this.#truth, call, route);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return plainly(api.seal(this.#truth, error.reply));
    }
    const subjects = [...Object.values(call.params), ...api.subjects(this.#truth, call)];
    const fault = this.faults.take({ operation: route.operation, at: call.at, subjects });
    const created = route.creates?.(call);
    if (created !== undefined) this.#count(created, "attempted");
    try {
      return this.#work(route, call, caller, fault);
    } finally {
      if (route.kind === "write" || fault !== undefined) this.#save();
    }
  }

  /** @param fault what strikes this request; decides whether the work is done and what becomes of its answer. */
  #work(
    route: SimulatedRoute<Truth, Caller>,
    call: SimulatedCall,
    caller: Caller,
    fault: Fault | undefined,
  ): Answer {
    const { api } = this;
    if (fault === undefined) return plainly(this.#handle(route, call, caller));
    const kind = fault.kind;
    const send = (reply: Reply): Answer => ({ ...plainly(reply), fault: kind });
    switch (kind) {
      case "409":
      case "429":
      case "500":
      case "503":
      case "529":
        return send(
          api.seal(
            this.#truth,
            withFaultHeaders(api.failure(kind, fault, call.path), fault, call.at),
          ),
        );
      case "html-403":
        return send(edgePage(403, "Error 1010"));
      case "reset-before":
        return { reply: undefined, connection: "cut", delayMs: 0, fault: kind };
      case "timeout":
        if (fault.work === true) this.#handle(route, call, caller);
        return { reply: undefined, connection: "hold", delayMs: 0, fault: kind };
      case "lost-answer":
        this.#handle(route, call, caller);
        return { reply: undefined, connection: "cut", delayMs: 0, fault: kind };
      case "slow":
        return { ...send(this.#handle(route, call, caller)), delayMs: fault.delayMs ?? 0 };
      case "garbage-json":
        return send(cutInHalf(this.#handle(route, call, caller)));
      case "partial-page":
        return send(
          api.shorten(this.#handle(route, call, caller), (count) => Math.floor(count / 2)),
        );
      case "empty-list":
        return send(api.shorten(this.#handle(route, call, caller), () => 0));
      case "stale-read": {
        const json = this.#history.at(call.at - (fault.staleMs ?? STALE_READ_DEFAULT_MS));
        const truth = json === undefined ? this.#truth : api.truthSchema.parse(JSON.parse(json));
        return send(this.#handle(route, call, caller, truth));
      }
      case "wrong-organization":
        return send(this.#handle(route, call, caller, api.foreign(this.#truth)));
    }
  }

  #handle(
    route: SimulatedRoute<Truth, Caller>,
    call: SimulatedCall,
    caller: Caller,
    truth = this.#truth,
  ): Reply {
    const live = truth === this.#truth;
    if (live && route.kind === "write") this.#remember(call.at);
    const created = live ? route.creates?.(call) : undefined;
    const { clock } = this;
    try {
      const reply = route.handle({ truth, caller, clock, now: call.at }, call);
      if (created !== undefined) this.#count(created, "created");
      return this.api.seal(truth, reply);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (created !== undefined) this.#count(created, "refused");
      return this.api.seal(truth, error.reply);
    }
  }

  #count(email: string, what: keyof CreateAttempts): void {
    const counts = this.attempts(email);
    this.#attempts.set(email, { ...counts, [what]: counts[what] + 1 });
  }

  /** Costs a copy of the whole truth, so it is done only while somebody will ask for it. */
  #remember(now: Instant): void {
    if (this.faults.awaits("stale-read")) this.#history.remember(this.#truth, now);
  }

  #save(): void {
    this.#state?.save(
      JSON.stringify({
        format: 1,
        vendor: this.api.vendor,
        truth: this.#truth,
        attempts: this.allAttempts(),
        faults: this.faults.list(),
      }),
    );
  }

  #read(stored: string) {
    const { vendor, truthSchema } = this.api;
    const schema = z.object({
      format: z.literal(1),
      vendor: z.literal(vendor),
      truth: truthSchema,
      attempts: z.record(z.string(), attemptsSchema),
      faults: z.array(scheduledFaultSchema),
    });
    try {
      return schema.parse(JSON.parse(stored));
    } catch (error) {
      const problems =
        error instanceof z.ZodError
          ? error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`)
          : [error instanceof Error ? error.message : String(error)];
      throw new InputError(
        `The stored state is not one of the ${vendor} simulator; remove it to start afresh:`,
        problems,
      );
    }
  }
}

function plainly(reply: Reply): Answer {
  return { reply, connection: "keep", delayMs: 0, fault: undefined };
}

function withFaultHeaders(reply: Reply, fault: Fault, now: Instant): Reply {
  const headers: Record<string, string> = { ...reply.headers };
  if (fault.retryAfter !== undefined) {
    const { seconds, as } = fault.retryAfter;
    // RFC 9110 section 10.2.3: a delay in seconds or an HTTP-date.
    headers["retry-after"] =
      as === "seconds" ? String(seconds) : new Date(now + seconds * 1000).toUTCString();
  }
  if (fault.shouldRetry !== undefined) headers["x-should-retry"] = String(fault.shouldRetry);
  return { ...reply, headers };
}

function cutInHalf(reply: Reply): Reply {
  const json = JSON.stringify(reply.body ?? {});
  const content = json.slice(0, Math.max(1, Math.floor(json.length / 2)));
  return {
    status: 200,
    ...(reply.headers === undefined ? {} : { headers: reply.headers }),
    text: { type: "application/json", content },
  };
}
