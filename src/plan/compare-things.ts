import type { Instant } from "../model/clock.ts";
import {
  keyPolicyDefault,
  rotatedAt,
  type DeclaredThing,
  type KeyPolicy,
  type ObservedThing,
  type ThingKind,
} from "../model/declared.ts";
import type { ThingFacts } from "../model/vendor-facts.ts";
import { keyNotes, type KeyNote } from "./key-notes.ts";

/** Something about a thing that somebody should know. */
export interface ThingNote {
  readonly what:
    | "missing"
    | "pending"
    | "ended"
    | "differs"
    | "undeclared"
    | "objection"
    | "rotate"
    | "owner_left"
    | KeyNote["what"];
  readonly severity: "info" | "warning" | "urgent";
  readonly kind: ThingKind;
  readonly name: string;
  readonly text: string;
}

/** A write that brings a thing nearer to its declaration. Nothing is ever ended by declaration. */
export type ThingWish =
  | { readonly step: "create"; readonly declared: DeclaredThing }
  | {
      readonly step: "adjust";
      readonly declared: DeclaredThing;
      readonly observed: ObservedThing;
    };

export interface ThingComparison {
  readonly notes: readonly ThingNote[];
  readonly wishes: readonly ThingWish[];
}

/** What is compared: one kind at one connection. */
export interface ThingScene {
  readonly kind: ThingKind;
  readonly facts: ThingFacts;
  readonly declared: readonly DeclaredThing[];
  /** Undefined: the vendor shows none, and only what the declarations say of themselves can be judged. */
  readonly observed: readonly ObservedThing[] | undefined;
  readonly difference: (
    declared: DeclaredThing,
    observed: ObservedThing,
  ) => { readonly text: string; readonly adjustable: boolean } | undefined;
  readonly objection: (observed: ObservedThing) => string | undefined;
  /** Folded addresses of owners who have left. */
  readonly gone: ReadonlySet<string>;
  readonly now: Instant;
  /** Absent: the defaults. */
  readonly keys?: KeyPolicy;
  /** The name of a workspace, where the vendor tells one. */
  readonly workspaceName?: (workspaceId: string) => string | undefined;
  /** Whether this kind may be written here. */
  readonly writes: boolean;
}

/** Holds what is declared against what is there. Names are compared as the vendor writes them. */
export function compareThings(scene: ThingScene): ThingComparison {
  const notes: ThingNote[] = [];
  const wishes: ThingWish[] = [];
  for (const declared of scene.declared) {
    const same = scene.observed?.filter((item) => item.name === declared.name) ?? [];
    const living = same.find((item) => item.state !== "ended");
    notes.push(...ownNotes(scene, declared, living));
    if (scene.observed === undefined) continue;
    if (living === undefined) {
      const wish = missing(scene, declared, same[0]);
      notes.push(...wish.notes);
      wishes.push(...wish.wishes);
      continue;
    }
    const found = judge(scene, declared, living);
    notes.push(...found.notes);
    wishes.push(...found.wishes);
  }
  notes.push(...strangers(scene), ...keysSaid(scene));
  return { notes, wishes };
}

/** What a declaration says of itself: an owner who left, a rotation that is due. */
function ownNotes(
  scene: ThingScene,
  declared: DeclaredThing,
  living: ObservedThing | undefined,
): readonly ThingNote[] {
  const notes: ThingNote[] = [];
  const say = noteOf(scene, declared.name);
  if (scene.gone.has(declared.owner))
    notes.push(say("owner_left", "warning", "whoever answers for it has left: name another owner"));
  const madeAt = rotatedAt(declared, living?.createdAt);
  if (declared.rotateMs !== undefined && madeAt !== undefined) {
    const dueAt = madeAt + declared.rotateMs;
    if (dueAt <= scene.now) {
      const used = declared.usedBy === undefined ? "" : `, give the new one to ${declared.usedBy}`;
      notes.push(say("rotate", "warning", `its rotation is due: make it anew${used}`));
    }
  }
  return notes;
}

function missing(
  scene: ThingScene,
  declared: DeclaredThing,
  ended: ObservedThing | undefined,
): ThingComparison {
  const { facts, writes } = scene;
  const say = noteOf(scene, declared.name);
  if (ended !== undefined && scene.kind !== "api_key") {
    // Made again beside an archived one of its name it would be another thing that looks the same.
    const text = `it is declared and was ended at the vendor: take it out of the file, or give it another name`;
    return { notes: [say("ended", "warning", text)], wishes: [] };
  }
  if (!facts.api.includes("create"))
    return {
      notes: [say("missing", "warning", `it is declared and not there: ${facts.byHand}`)],
      wishes: [],
    };
  if (!writes)
    return {
      notes: [
        say("missing", "info", "it is declared and not there: it would be made, were this written"),
      ],
      wishes: [],
    };
  return { notes: [], wishes: [{ step: "create", declared }] };
}

function judge(scene: ThingScene, declared: DeclaredThing, living: ObservedThing): ThingComparison {
  const say = noteOf(scene, declared.name);
  if (living.state === "pending")
    return {
      notes: [say("pending", "info", "it waits for its owner at the vendor to accept")],
      wishes: [],
    };
  const found = scene.difference(declared, living);
  if (found === undefined) return { notes: [], wishes: [] };
  const mendable = found.adjustable && scene.facts.api.includes("adjust");
  if (mendable && scene.writes)
    return { notes: [], wishes: [{ step: "adjust", declared, observed: living }] };
  const how = mendable ? "it would be set, were this written" : scene.facts.byHand;
  return { notes: [say("differs", "warning", `${found.text}: ${how}`)], wishes: [] };
}

/** What nobody declared, and what speaks against a thing whoever declared it. */
function strangers(scene: ThingScene): readonly ThingNote[] {
  const declared = new Set(scene.declared.map((item) => item.name));
  return (scene.observed ?? []).flatMap((item) => {
    if (item.state === "ended") return [];
    const say = noteOf(scene, item.name);
    const objection = scene.objection(item);
    return [
      ...(declared.has(item.name) || item.ours === false
        ? []
        : [
            say(
              "undeclared",
              "info",
              "nobody declared it: declare it with an owner, or end it at the vendor",
            ),
          ]),
      ...(objection === undefined ? [] : [say("objection", "warning", objection)]),
    ];
  });
}

/** What is to be said of each living key, and of those that only a declaration knows. */
function keysSaid(scene: ThingScene): readonly ThingNote[] {
  if (scene.kind !== "api_key") return [];
  const living = (scene.observed ?? []).filter(
    (item) => item.state !== "ended" && item.ours !== false,
  );
  const unseen = scene.declared.filter((item) => !living.some((key) => key.name === item.name));
  const pairs = [
    ...living.map((key) => ({
      living: key,
      declared: scene.declared.find((item) => item.name === key.name),
    })),
    ...unseen.map((declared) => ({ living: undefined, declared })),
  ];
  const { keys: policy = keyPolicyDefault, workspaceName = () => undefined, now } = scene;
  return pairs.flatMap((pair) =>
    keyNotes({ ...pair, policy, workspaceName, now }).map(({ what, severity, text }) =>
      noteOf(scene, pair.living?.name ?? pair.declared?.name ?? "")(what, severity, text),
    ),
  );
}

function noteOf({ kind, facts }: ThingScene, name: string) {
  return (what: ThingNote["what"], severity: ThingNote["severity"], text: string): ThingNote => ({
    what,
    severity,
    kind,
    name,
    text: `${facts.title} "${name}": ${text}`,
  });
}
