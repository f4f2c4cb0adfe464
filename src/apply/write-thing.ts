import { createHash } from "node:crypto";
import type { Lane } from "../accounts/lane.ts";
import type { IntentKind, ThingIntent, ThingRefusal, ThingStep } from "../accounts/thing-store.ts";
import type { Applied, Call, Connector } from "../connectors/connector.ts";
import type { ObservedThing, ThingKind } from "../model/declared.ts";
import { SyncError } from "../model/errors.ts";
import { newId, type IntentId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { newRecord, type Actor, type AuditRecord } from "../model/records.ts";
import type { ThingNote, ThingWish } from "../plan/compare-things.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { failureState, type WriteWindow } from "./run-step.ts";

/** What one owner of the things of a lane works with. */
export interface ThingWriter {
  readonly deps: ApplyDeps;
  readonly lane: Lane;
  readonly connector: Connector;
  readonly call: Call;
  readonly window: WriteWindow;
  readonly isOwnKey: (hint: string) => boolean;
  readonly job: string;
  readonly owner: string;
}

type Sent = Applied & { readonly secret?: string };

/** Does one wish. "stopped": the gate said no, and asks again at the next look. A refusal of the vendor is told. */
export async function writeThing(
  writer: ThingWriter,
  wish: ThingWish,
): Promise<"done" | "stopped" | ThingNote> {
  const { things } = writer.connector;
  const { kind, name } = wish.declared;
  const authoritative = writer.lane.policy.mode === "authoritative";
  const send = async (): Promise<Sent> => {
    if (wish.step === "create") {
      if (things?.create === undefined) throw new Error(`${kind} cannot be made`);
      return things.create(writer.call, wish.declared);
    }
    if (things?.adjust === undefined) throw new Error(`${kind} cannot be set`);
    return things.adjust(writer.call, wish.declared, wish.observed, authoritative);
  };
  try {
    const gate = await passThing(writer, { step: wish.step, kind, name }, send);
    return gate.ok ? "done" : "stopped";
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    // The next look shows what became of it, or sends it again.
    if (error.disposition === "retry" || error.disposition === "replan") return "stopped";
    const title = writer.connector.facts.things?.[kind]?.title ?? kind;
    return {
      what: wish.step === "create" ? "missing" : "differs",
      severity: "warning",
      kind,
      name,
      text: `${title} "${name}": the vendor refused to have it as declared: ${error.message}`,
    };
  }
}

/**
 * One write about a thing: an intent row, the call, an outcome with its record. A secret that the vendor shows once goes into the sealed
 * store before the outcome is written.
 * @throws SyncError of the call, once its outcome is written
 */
export async function passThing(
  writer: ThingWriter,
  what: { readonly step: ThingStep; readonly kind: IntentKind; readonly name: string },
  send: () => Promise<Sent>,
  actor: Actor = writer.deps.actor,
  why?: string,
): Promise<{ readonly ok: true } | { readonly ok: false; readonly why: ThingRefusal }> {
  const { deps, lane, window } = writer;
  const { tenantId, connectionId } = lane;
  const intentId = newId<IntentId>(deps.clock);
  const now = deps.clock.now();
  const windowEnd = deps.clock.monotonic() + deps.timing.intentWindowMs;
  const gate = await deps.store.insertThingIntent(tenantId, {
    ...what,
    ...{ intentId, connectionId, now, job: writer.job, owner: writer.owner },
    notAfter: now + deps.timing.intentWindowMs,
  });
  if (!gate.ok) return gate;
  const told = { ...what, intentId, ...(why === undefined ? {} : { why }) };
  window.open(windowEnd);
  try {
    const applied = await send();
    const sealedAs = applied.secret === undefined ? undefined : secretName(lane, what.name);
    if (sealedAs !== undefined && applied.secret !== undefined)
      await deps.keepSecret(tenantId, sealedAs, applied.secret);
    const facts = {
      outcome: applied.outcome,
      requestIds: applied.requestIds,
      ...(sealedAs === undefined ? {} : { sealedAs }),
    };
    await finish(writer, intentId, "done", facts, [record(writer, told, "done", facts, actor)]);
    return gate;
  } catch (error) {
    const state = failureState(error);
    const code = error instanceof SyncError ? error.code : "INTERNAL";
    const facts = { code, ...(error instanceof SyncError ? error.facts : {}) };
    const records = state === "unknown" ? [] : [record(writer, told, state, facts, actor)];
    await finish(writer, intentId, state, facts, records);
    throw error;
  } finally {
    window.close();
  }
}

/** Where the secret of a declared key is kept: `sealed:<connection>-<key>`. */
export function secretName(lane: Pick<Lane, "connectionId">, name: string): string {
  const whole = `${lane.connectionId}-${name}`;
  if (whole.length <= 64) return whole;
  return `${whole.slice(0, 55)}-${createHash("sha256").update(whole).digest("hex").slice(0, 8)}`;
}

/**
 * Judges writes whose outcome nobody knows by a complete look that is newer: what shows is done, what does not was never made. A key that
 * shows has a secret that nobody has: it stays open, and people are told.
 */
export async function settleThings(
  writer: ThingWriter,
  kind: IntentKind,
  observed: readonly Pick<ObservedThing, "name" | "state">[] | undefined,
): Promise<readonly ThingNote[]> {
  if (observed === undefined) return [];
  const { deps, lane, connector } = writer;
  const open = await deps.store.openThingIntents(lane.tenantId, lane.connectionId);
  const settledBy = deps.timing.intentGraceMs + connector.facts.settleMs;
  const notes: ThingNote[] = [];
  for (const intent of open) {
    if (intent.kind !== kind || intent.notAfter + settledBy > deps.clock.now()) continue;
    const shown = observed.some((item) => item.name === intent.name && item.state !== "ended");
    if (shown && intent.step === "create" && kind === "api_key") {
      notes.push(lostSecret(kind, intent.name));
      continue;
    }
    // A setting is judged by the comparison: whatever became of it, it is compared and sent again.
    const happened = intent.step === "end" ? !shown : shown;
    const state = happened ? "done" : "unsent";
    const facts = { readBack: true };
    const records = [record(writer, intent, state, facts, deps.actor)];
    await finish(writer, intent.intentId, state, facts, records);
  }
  return notes;
}

function lostSecret(kind: ThingKind, name: string): ThingNote {
  return {
    what: "differs",
    severity: "urgent",
    kind,
    name,
    text: `API key "${name}": it was made and the answer with its secret was lost: end it with \`rolecall things end\`, and it is made anew`,
  };
}

async function finish(
  { deps, lane }: ThingWriter,
  intentId: IntentId,
  state: Exclude<ThingIntent["state"], "sent">,
  facts: JsonObject,
  records: readonly AuditRecord[],
): Promise<void> {
  await deps.store.finishThingIntent(
    lane.tenantId,
    { intentId, state, facts, now: deps.clock.now() },
    { records, recompute: [] },
  );
}

function record(
  { deps, lane }: ThingWriter,
  what: Pick<ThingIntent, "step" | "kind" | "name" | "intentId"> & { readonly why?: string },
  outcome: string,
  facts: JsonObject,
  actor: Actor,
): AuditRecord {
  return newRecord(deps.clock, {
    actor,
    action: `thing.${what.step}`,
    subject: { type: "connection", id: lane.connectionId },
    connectionId: lane.connectionId,
    facts: {
      kind: what.kind,
      name: what.name,
      intentId: what.intentId,
      result: outcome,
      ...(what.why === undefined ? {} : { why: what.why }),
      ...facts,
    },
  });
}
