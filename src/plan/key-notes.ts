import type { Instant } from "../model/clock.ts";
import {
  environments,
  rotatedAt,
  type DeclaredThing,
  type Environment,
  type KeyPolicy,
  type ObservedThing,
} from "../model/declared.ts";
import { fold } from "../model/fold.ts";

/** What speaks against a key beside what its declaration says of itself. */
export interface KeyNote {
  readonly what: "rotate_soon" | "unused" | "shared" | "misplaced" | "misnamed";
  readonly severity: "info" | "warning";
  readonly text: string;
}

export interface KeyScene {
  readonly declared: DeclaredThing | undefined;
  /** Undefined: the vendor shows no keys, or not this one. */
  readonly living: ObservedThing | undefined;
  readonly policy: KeyPolicy;
  /** The name of the workspace in which the vendor says that a key works. */
  readonly workspaceName: (workspaceId: string) => string | undefined;
  readonly now: Instant;
}

/** Pure: everything that somebody should know of one key. */
export function keyNotes(scene: KeyScene): readonly KeyNote[] {
  return [dueSoon(scene), unused(scene), shared(scene), misplaced(scene), misnamed(scene)].filter(
    (note) => note !== undefined,
  );
}

function dueSoon({ declared, living, policy, now }: KeyScene): KeyNote | undefined {
  const made = rotatedAt(declared, living?.createdAt);
  if (declared?.rotateMs === undefined || made === undefined) return undefined;
  const dueAt = made + declared.rotateMs;
  // A key that is rotated often would be spoken of all the time.
  const ahead = Math.min(policy.remindMs, declared.rotateMs / 2);
  if (dueAt <= now || dueAt - ahead > now) return undefined;
  const day = new Date(dueAt).toISOString().slice(0, 10);
  return { what: "rotate_soon", severity: "info", text: `its rotation is due on ${day}` };
}

function unused({ living, policy, now }: KeyScene): KeyNote | undefined {
  if (living?.lastUsedAt === undefined) return undefined;
  const since = living.lastUsedAt ?? living.createdAt;
  if (since === undefined || since + policy.unusedMs > now) return undefined;
  const when =
    living.lastUsedAt === null
      ? "never used"
      : `last used ${new Date(since).toISOString().slice(0, 10)}`;
  return { what: "unused", severity: "warning", text: `nothing works with it (${when}): end it` };
}

function shared({ declared }: KeyScene): KeyNote | undefined {
  const consumers = declared?.consumers ?? [];
  if (consumers.length < 2) return undefined;
  return {
    what: "shared",
    severity: "warning",
    text: `${String(consumers.length)} systems work with it (${consumers.join(", ")}): make one for each, so that each can be revoked alone`,
  };
}

/** A key of one environment in a workspace of another. */
function misplaced({ declared, living, workspaceName }: KeyScene): KeyNote | undefined {
  const id = living?.facts["workspaceId"];
  const place = typeof id === "string" ? workspaceName(id) : undefined;
  const key = declared?.environment ?? environmentOf(living?.name ?? "");
  const around = place === undefined ? undefined : environmentOf(place);
  if (key === undefined || around === undefined || key === around) return undefined;
  return {
    what: "misplaced",
    severity: "warning",
    text: `it is a key for ${key} in the workspace ${place ?? ""}: make one where it belongs, and end this one`,
  };
}

const short: Readonly<Record<string, Environment>> = {
  prod: "production",
  stage: "staging",
  dev: "development",
  test: "testing",
  ci: "testing",
};

/** What a name says that a thing is for: `prod-search`, `Staging`. */
export function environmentOf(name: string): Environment | undefined {
  const words = fold(name).split(/[^a-z]+/);
  for (const word of words) {
    const found = environments.find((one) => one === word) ?? short[word];
    if (found !== undefined) return found;
  }
  return undefined;
}

function misnamed({ declared, living, policy }: KeyScene): KeyNote | undefined {
  const name = living?.name ?? declared?.name ?? "";
  if (policy.names.length === 0 || policy.names.some((form) => fits(form, name))) return undefined;
  return {
    what: "misnamed",
    severity: "info",
    text: `its name fits none of the forms ${policy.names.join(", ")}`,
  };
}

/** Whether a name has a form, `*` standing for any text. */
export function fits(form: string, name: string): boolean {
  const [first = "", ...rest] = fold(form).split("*");
  let text = fold(name);
  if (rest.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  text = text.slice(first.length);
  const last = rest.pop() ?? "";
  for (const part of rest) {
    const at = text.indexOf(part);
    if (at < 0) return false;
    text = text.slice(at + part.length);
  }
  return text.endsWith(last);
}
