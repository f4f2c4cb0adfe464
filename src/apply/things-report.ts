import type { Lane } from "../accounts/lane.ts";
import type { ThingRefusal } from "../accounts/thing-store.ts";
import type { ObservedThing, ThingKind, ThingRow } from "../model/declared.ts";
import type { Actor } from "../model/records.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { kindsOf, lookAtThings, withThings } from "./keep-things.ts";
import { openLane } from "./open-lane.ts";
import { passThing, secretName, type ThingWriter } from "./write-thing.ts";

/** Everything of the declared kinds at one connection, read now. Only reads. @throws SyncError */
export async function thingsReport(deps: ApplyDeps, lane: Lane): Promise<readonly ThingRow[]> {
  const opened = await openLane(deps, lane);
  const rows: ThingRow[] = [];
  for (const kind of kindsOf(opened.connector, lane)) {
    const { comparison, observed } = await lookAtThings({ deps, lane, ...opened }, kind);
    const declared = (lane.policy.declares ?? []).filter((item) => item.kind === kind);
    const names = new Set([
      ...declared.map((item) => item.name),
      ...(observed ?? []).map((item) => item.name),
    ]);
    for (const name of [...names].sort()) {
      const wish = declared.find((item) => item.name === name);
      const shown = (observed ?? []).filter((item) => item.name === name);
      const wanted = comparison.wishes.filter((item) => item.declared.name === name);
      const said = comparison.notes.filter((note) => note.name === name);
      const notes = [
        ...said.map((note) => note.text),
        ...wanted.map((item) => `next: ${item.step}`),
      ];
      for (const item of shown.length === 0 ? [undefined] : shown) {
        rows.push({
          ...{ kind, name, notes },
          about: [...new Set(said.map((note) => note.what))],
          declared: wish ?? null,
          createdAt: item?.createdAt ?? null,
          lastUsedAt: item?.lastUsedAt ?? null,
          thingId: item?.thingId ?? null,
          state: item?.state ?? (observed === undefined ? "unseen" : "missing"),
          owner: wish?.owner ?? null,
          purpose: wish?.purpose ?? null,
          usedBy: wish?.usedBy ?? null,
          facts: item?.facts ?? {},
        });
      }
    }
  }
  return rows;
}

/** Why a person's word did not end a thing. */
export type EndRefusal = ThingRefusal | "busy" | "unknown" | "not_by_api" | "own" | "perhaps_own";

/**
 * Ends one thing on a person's word: the only way to revoke a key or to delete a tag. By id, or by a name that one thing has.
 * @throws SyncError of the vendor
 */
export async function endThing(
  deps: ApplyDeps,
  lane: Lane,
  wish: {
    readonly kind: ThingKind;
    readonly which: string;
    readonly why: string;
    readonly actor: Actor;
  },
): Promise<"ended" | EndRefusal> {
  let answer: "ended" | EndRefusal = "busy";
  await withThings(deps, lane, async (writer) => {
    const { connector, call } = writer;
    const facts = connector.facts.things?.[wish.kind];
    const end = connector.things?.end?.bind(connector.things);
    if (facts?.api.includes("end") !== true || end === undefined) {
      answer = "not_by_api";
      return;
    }
    const { observed = [] } = await lookAtThings(writer, wish.kind);
    const byId = observed.filter((item) => item.thingId === wish.which);
    const found = byId.length > 0 ? byId : observed.filter((item) => item.name === wish.which);
    const [thing] = found;
    if (thing === undefined || found.length > 1) {
      answer = "unknown";
      return;
    }
    const own = ownKey(writer, thing, observed);
    if (own !== undefined) {
      answer = own;
      return;
    }
    await forget(deps, lane, thing);
    const gate = await passThing(
      writer,
      { step: "end", kind: thing.kind, name: thing.name },
      () => end(call, thing),
      wish.actor,
      wish.why,
    );
    answer = gate.ok ? "ended" : gate.why;
  });
  return answer;
}

/** Whether a key is the one that this connection works with: ended, nothing could be done there any more, its end least of all. */
export function ownKey(
  { lane, isOwnKey }: Pick<ThingWriter, "lane" | "isOwnKey">,
  thing: ObservedThing,
  observed: readonly ObservedThing[],
): "own" | "perhaps_own" | undefined {
  if (thing.kind !== "api_key") return undefined;
  const { hint } = thing.facts;
  if (typeof hint !== "string") {
    const sealed = `sealed:${secretName(lane, thing.name)}`;
    const used = [
      lane.credential,
      ...Object.values(lane.policy.services ?? {}).map((one) => one.credential),
    ];
    return used.includes(sealed) ? "own" : undefined;
  }
  if (!isOwnKey(hint)) return undefined;
  const same = observed.filter((item) => {
    const { hint: other } = item.facts;
    return typeof other === "string" && isOwnKey(other);
  });
  return same.length === 1 ? "own" : "perhaps_own";
}

/** A write whose outcome nobody knows is over once a person ends the thing: the look of now shows it. */
async function forget(deps: ApplyDeps, lane: Lane, thing: ObservedThing): Promise<void> {
  const now = deps.clock.now();
  const open = await deps.store.openThingIntents(lane.tenantId, lane.connectionId);
  for (const intent of open) {
    const same = intent.kind === thing.kind && intent.name === thing.name;
    if (!same || intent.notAfter + deps.timing.intentGraceMs > now) continue;
    await deps.store.finishThingIntent(
      lane.tenantId,
      { intentId: intent.intentId, state: "done", facts: { readBack: true }, now },
      { records: [], recompute: [] },
    );
  }
}

/** One sentence for whoever asked. */
export const endRefusals: Readonly<Record<EndRefusal, string>> = {
  busy: "the connection's things are being looked after; try again in a minute",
  unknown: "the vendor shows no such thing, or several of the name: give its id",
  own: "it is the key that Rolecall itself works with here: give the connection another credential first",
  perhaps_own:
    "its hint is that of the key that Rolecall works with here, and of others: end it at the vendor, or give the connection another credential first",
  not_by_api: "no API ends this kind: do it at the vendor",
  lease_lost: "it took too long; try again",
  lane_paused: "the connection is paused",
  stopped: "a stop switch is on",
  report_only: "the connection is report-only: nothing is written there",
  in_flight: "an earlier write to it has no known outcome yet; try again in a minute",
  no_lane: "there is no such connection",
};
