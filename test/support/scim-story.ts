import { readdirSync, readFileSync } from "node:fs";
import { expect } from "vitest";
import type { Store } from "../../src/adapters/store.ts";
import { StoreError } from "../../src/model/errors.ts";
import type { Json, JsonObject } from "../../src/model/json.ts";
import type { ScimService } from "./scim-service.ts";

/** What every client does, or does not and says why. */
export const chapters = [
  "test connection",
  "create",
  "conflict",
  "update",
  "disable",
  "re-enable",
  "import",
  "group push",
  "membership",
  "rename",
  "delete",
  "absent",
  "retry after 5xx",
] as const;

/** Requests of one client in their order, as its maker documents them or as they were seen: a file `*.story.json`. */
export interface ScimStory {
  readonly client: string;
  readonly source: string;
  /** `Bearer` where absent. */
  readonly authorization?: "without scheme";
  readonly headers: Readonly<Record<string, string>>;
  /** Chapters that the client does not have, and why. */
  readonly neverSends?: Readonly<Record<string, string>>;
  readonly steps: readonly ScimStep[];
}

interface ScimStep {
  readonly chapter: string;
  /** Method and target as they stand in the request line; `{{name}}` is what an earlier step kept. */
  readonly send: string;
  readonly body?: Json;
  readonly status: number;
  /** What the answer holds at least. */
  readonly answer?: JsonObject;
  /** Names of the answer's attributes to remember. */
  readonly keep?: Readonly<Record<string, string>>;
  /** Attributes that the answer must not have. */
  readonly absent?: readonly string[];
  /** Attributes that are missing or an empty list. */
  readonly none?: readonly string[];
  /** Lists of `answer` whose order is not promised. */
  readonly unordered?: readonly string[];
  readonly noText?: readonly string[];
  /** The store is away while this is worked on. */
  readonly storeFails?: boolean;
}

const fixtures = new URL("../fixtures/", import.meta.url);

/** All stories by `client/name`, in order. */
export function scimStories(): ReadonlyMap<string, ScimStory> {
  const names = readdirSync(fixtures, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".story.json"))
    .toSorted();
  return new Map(
    names.map((name) => [
      name.slice(0, -".story.json".length),
      JSON.parse(readFileSync(new URL(name, fixtures), "utf8")) as ScimStory,
    ]),
  );
}

/** A store that can be away: until told otherwise, every write is refused as one that cannot be reached. */
export function awayStore(): { readonly around: (store: Store) => Store; away: boolean } {
  const writes: ReadonlySet<unknown> = new Set([
    "createUser",
    "replaceUser",
    "createGroup",
    "updateGroup",
  ]);
  const state = {
    away: false,
    around: (store: Store): Store =>
      new Proxy(store, {
        get: (target, name) =>
          state.away && writes.has(name)
            ? () => Promise.reject(new StoreError("UNAVAILABLE", "the store is away"))
            : (Reflect.get(target, name) as unknown),
      }),
  };
  return state;
}

/** Sends the whole story and checks every answer. */
export async function tell(
  story: ScimStory,
  service: Pick<ScimService, "baseUrl" | "token">,
  store: { away: boolean },
): Promise<void> {
  const kept = new Map<string, string>();
  const authorization =
    story.authorization === "without scheme" ? service.token : `Bearer ${service.token}`;
  for (const [index, step] of story.steps.entries()) {
    const place = `step ${String(index + 1)}, ${step.chapter}: ${step.send}`;
    const [method = "", target = ""] = filled(step.send, kept).split(" ");
    store.away = step.storeFails === true;
    const response = await fetch(`${service.baseUrl}${target}`, {
      method,
      headers: { ...story.headers, authorization },
      ...(step.body === undefined ? {} : { body: filled(JSON.stringify(step.body), kept) }),
    });
    const text = await response.text();
    store.away = false;
    expect(response.status, `${place}\n${text}`).toBe(step.status);
    if (text !== "") {
      expect(response.headers.get("content-type"), place).toMatch(/^application\/scim\+json/);
    }
    if (step.status >= 500) expect(response.headers.get("retry-after"), place).toMatch(/^\d+$/);
    check(step, text, kept, place);
  }
}

function check(step: ScimStep, text: string, kept: Map<string, string>, place: string): void {
  const body = (text === "" ? {} : JSON.parse(text)) as JsonObject;
  if (step.answer !== undefined) {
    const expected = JSON.parse(filled(JSON.stringify(step.answer), kept)) as JsonObject;
    for (const name of step.unordered ?? []) {
      const parts = (expected[name] as readonly JsonObject[]).map((part): unknown =>
        expect.objectContaining(part),
      );
      expect(body[name], place).toHaveLength(parts.length);
      expect(body[name], place).toEqual(expect.arrayContaining(parts));
    }
    const ordered = Object.entries(expected).filter(([name]) => !step.unordered?.includes(name));
    expect(body, place).toMatchObject(Object.fromEntries(ordered));
  }
  for (const name of step.absent ?? []) expect(body, place).not.toHaveProperty(name);
  for (const name of step.none ?? []) expect(body[name] ?? [], place).toEqual([]);
  for (const part of step.noText ?? []) expect(text, place).not.toContain(part);
  for (const [name, attribute] of Object.entries(step.keep ?? {})) {
    expect(body[attribute], place).toEqual(expect.any(String));
    kept.set(name, String(body[attribute]));
  }
}

function filled(text: string, kept: ReadonlyMap<string, string>): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = kept.get(name);
    if (value === undefined) throw new Error(`no earlier step kept {{${name}}}`);
    return value;
  });
}
