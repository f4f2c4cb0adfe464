import type { Lane } from "../accounts/lane.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { Instant } from "../model/clock.ts";
import type { DeclaredThing } from "../model/declared.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import type { KeyMade, KeyWish } from "../model/key-rotation.ts";
import { taskDueMs } from "../model/policy.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { endTask, keepTask } from "../tasks/keep-task.ts";
import type { TaskDeps } from "../tasks/task-deps.ts";

/** What is done at vendors for the desk. */
export interface KeyHands {
  /** Ends one key at the vendor now. Undefined: done; else why not, and whether an API could at all. @throws SyncError */
  readonly endKey: (
    lane: Lane,
    wish: KeyWish,
  ) => Promise<undefined | { readonly why: string; readonly byHand: boolean }>;
  /** Makes a declared key again beside the one that works. @throws SyncError */
  readonly makeKey: (lane: Lane, wish: KeyWish) => Promise<KeyMade>;
  /** Ends all keys of a name but the newest; none where no API ends keys. @throws SyncError */
  readonly endOlderKeys: (
    lane: Lane,
    wish: KeyWish,
  ) => Promise<{ readonly ended: readonly string[] } | { readonly refused: string }>;
}

export interface KeyDeskDeps extends TaskDeps, KeyHands {
  readonly store: TaskDeps["store"] & Pick<AuditStore, "appendRecords">;
}

/** What a person wants of a key and cannot have, with the reason. */
export class KeyRefusal extends Error {
  override readonly name = "KeyRefusal";
}

const hourMs = 3_600_000;

export interface Revoked {
  /** done: it works no more · by-hand: a task asks for it, now. */
  readonly state: "done" | "by-hand";
  /** Who stands still without it. */
  readonly consumers: readonly string[];
  readonly taskKey: string | null;
}

/**
 * Ends a key now. One that was compromised ends whoever works with it: they are named, and a task that is due in an hour asks for what they
 * need instead. Otherwise a key that the mapping gives to somebody is not ended before its rotation.
 * @throws KeyRefusal; SyncError of the vendor
 */
export async function revokeKey(
  deps: KeyDeskDeps,
  tenantId: TenantId,
  lane: Lane,
  wish: KeyWish & { readonly compromised: boolean },
): Promise<Revoked> {
  const declared = declaredKey(lane, wish.name);
  const consumers = declared?.consumers ?? [];
  if (!wish.compromised && consumers.length > 0)
    throw new KeyRefusal(
      `${consumers.join(", ")} work with it: \`rolecall key rotate\` gives them another one first; --compromised ends it now`,
    );
  const refusal = await deps.endKey(lane, wish);
  if (refusal !== undefined && !refusal.byHand) throw new KeyRefusal(refusal.why);
  const state = refusal === undefined ? "done" : "by-hand";
  const facts = { name: wish.name, why: wish.why, compromised: wish.compromised, consumers, state };
  await note(deps, tenantId, lane, wish.actor, "key.revoked", facts);
  const wanted = state === "by-hand" || (wish.compromised && consumers.length > 0);
  if (!wanted) return { state, consumers, taskKey: null };
  const taskKey = `key:${lane.connectionId}:${wish.name}:revoked`;
  await keepKeyTask(deps, tenantId, lane, {
    key: taskKey,
    title: `the key ${wish.name} ${wish.compromised ? "was compromised" : "is to be ended"}`,
    steps: [
      ...(state === "by-hand" ? [`end the key "${wish.name}" at the vendor now`] : []),
      ...(consumers.length === 0
        ? []
        : [`give ${consumers.join(", ")} a new key: nothing of theirs works until then`]),
      ...(wish.compromised ? ["look at the vendor's log for what was done with it"] : []),
    ],
    dueAt: deps.clock.now() + hourMs,
    assignee: declared?.owner ?? null,
  });
  return { state, consumers, taskKey };
}

export interface Rotation {
  readonly state: "made" | "by-hand" | "finished";
  /** Where the new secret is. */
  readonly sealedAs: string | null;
  readonly consumers: readonly string[];
  readonly ended: readonly string[];
  readonly taskKey: string;
}

const rotationKey = (connectionId: ConnectionId, name: string) =>
  `key:${connectionId}:${name}:rotate`;

/**
 * Begins a rotation: the new key is made and sealed where an API can, and a task asks whoever answers for it to hand it over and to see it
 * work. The old one goes on until the rotation is finished: nothing stands still.
 * @throws KeyRefusal; SyncError of the vendor
 */
export async function beginRotation(
  deps: KeyDeskDeps,
  tenantId: TenantId,
  lane: Lane,
  wish: KeyWish,
): Promise<Rotation> {
  const taskKey = rotationKey(lane.connectionId, wish.name);
  const declared = declaredKey(lane, wish.name);
  if (declared === undefined)
    throw new KeyRefusal(`the mapping declares no key "${wish.name}" at this connection`);
  if ((await deps.store.tasksOfKey(tenantId, taskKey)).live !== undefined)
    throw new KeyRefusal("it is being rotated: --finish ends the old one once the new one works");
  const made = await deps.makeKey(lane, wish);
  if (made.way === "refused") throw new KeyRefusal(made.why);
  const consumers = declared.consumers ?? [];
  const whom = consumers.join(", ") || "whatever works with it";
  await keepKeyTask(deps, tenantId, lane, {
    key: taskKey,
    title: `rotate the key ${wish.name}`,
    steps: [
      made.way === "api"
        ? `the new key is made, its secret sealed as ${made.sealedAs}`
        : `make a new key beside the old one: ${made.steps}`,
      `give the new one to ${whom}, and see that it works with it`,
      `\`rolecall key rotate ${lane.connectionId} ${wish.name} --finish\` ends the old one`,
    ],
    dueAt: deps.clock.now() + (lane.policy.tasks?.dueMs ?? taskDueMs).operator,
    assignee: declared.owner,
  });
  const sealedAs = made.way === "api" ? made.sealedAs : null;
  await note(deps, tenantId, lane, wish.actor, "key.rotation_begun", {
    ...{ name: wish.name, why: wish.why, way: made.way, sealedAs, older: made.older, consumers },
  });
  return {
    ...{ state: made.way === "api" ? "made" : "by-hand", sealedAs, consumers, taskKey },
    ended: [],
  };
}

/** Ends the old key on the word that the new one works. @throws KeyRefusal; SyncError of the vendor */
export async function finishRotation(
  deps: KeyDeskDeps,
  tenantId: TenantId,
  lane: Lane,
  wish: KeyWish,
): Promise<Rotation> {
  const taskKey = rotationKey(lane.connectionId, wish.name);
  const { live, last } = await deps.store.tasksOfKey(tenantId, taskKey);
  const told = live ?? (last?.state === "done" ? last : undefined);
  if (told === undefined) throw new KeyRefusal("no rotation of this key was begun");
  const declared = declaredKey(lane, wish.name);
  const outcome = await deps.endOlderKeys(lane, wish);
  if ("refused" in outcome) throw new KeyRefusal(outcome.refused);
  const { ended } = outcome;
  const note_ = "the new key works, and the old one is ended";
  const end = { state: "done", trust: ended.length > 0 ? "verified" : "attested" } as const;
  await endTask(deps, tenantId, taskKey, { ...end, note: note_ }, wish.actor);
  await note(deps, tenantId, lane, wish.actor, "key.rotation_finished", {
    ...{ name: wish.name, why: wish.why, ended, taskId: told.taskId },
    ...{ seconds: Math.round((deps.clock.now() - told.openedAt) / 1_000), trust: end.trust },
  });
  return {
    state: "finished",
    sealedAs: null,
    consumers: declared?.consumers ?? [],
    ended,
    taskKey,
  };
}

function declaredKey(lane: Lane, name: string): DeclaredThing | undefined {
  return (lane.policy.declares ?? []).find((item) => item.kind === "api_key" && item.name === name);
}

async function keepKeyTask(
  deps: KeyDeskDeps,
  tenantId: TenantId,
  lane: Lane,
  task: {
    readonly key: string;
    readonly title: string;
    readonly steps: readonly string[];
    readonly dueAt: Instant;
    readonly assignee: string | null;
  },
): Promise<void> {
  const { tasks, heirs } = lane.policy;
  await keepTask(deps, tenantId, {
    key: task.key,
    title: `${lane.connectionId}: ${task.title}`,
    connectionId: lane.connectionId,
    identityId: null,
    cause: "operator",
    lines: [
      {
        slot: null,
        roleFrom: null,
        roleTo: null,
        privileged: true,
        because: [],
        steps: task.steps,
      },
    ],
    dueAt: task.dueAt,
    fourEyes: false,
    proof: "word",
    assignee: task.assignee ?? tasks?.assignee ?? null,
    fallback: tasks?.fallback ?? heirs?.owner ?? null,
  });
}

async function note(
  deps: KeyDeskDeps,
  tenantId: TenantId,
  { connectionId }: Lane,
  actor: Actor,
  action: string,
  facts: Parameters<typeof newRecord>[1]["facts"],
): Promise<void> {
  const subject = { type: "connection" as const, id: connectionId };
  const record = newRecord(deps.clock, { actor, action, subject, connectionId, facts });
  await deps.store.appendRecords(tenantId, [record]);
}
