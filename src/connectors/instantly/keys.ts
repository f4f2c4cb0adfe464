import type { DeclaredThing, ObservedThing } from "../../model/declared.ts";
import type { Applied, Call, EndOfList, ThingDifference } from "../connector.ts";
import { ask, askPages } from "./ask.ts";
import { requestIds } from "./members.ts";
import { saysNotFound } from "./refusals.ts";
import { keyWire, newKeyWire, nextPage, pageLimit, pageWire } from "./wire.ts";

const keysPage = pageWire(keyWire);

/** Every key of the workspace. Its maker is in no answer. */
export async function* listKeys(call: Call): AsyncGenerator<ObservedThing | EndOfList> {
  const pages = askPages(
    call,
    {
      operation: "api_keys.list",
      query: { limit: pageLimit },
      parse: (body) => keysPage.parse(body),
    },
    nextPage,
  );
  let count = 0;
  for await (const page of pages) {
    for (const key of page.value.items) {
      count += 1;
      yield {
        kind: "api_key",
        thingId: key.id,
        name: key.name,
        state: "active",
        createdAt: key.timestamp_created ?? undefined,
        facts: { scopes: [...key.scopes].sort(), ...hintOf(key.key) },
      };
    }
  }
  yield { complete: true, count };
}

/** What a list shows of a key is its beginning behind stars; a text without them could be the key itself, and is not kept. */
function hintOf(shown: string | null | undefined): { readonly hint?: string } {
  return typeof shown === "string" && /\*{3}|\.{3}|…/.test(shown) ? { hint: shown } : {};
}

/** A key with exactly the scopes of its declaration; the secret is in this answer and in no other. */
export async function createKey(
  call: Call,
  declared: DeclaredThing,
): Promise<Applied & { readonly secret: string }> {
  const answer = await ask(call, {
    operation: "api_keys.create",
    body: { name: declared.name, scopes: scopesOf(declared.wants) },
    parse: (body) => newKeyWire.parse(body),
  });
  return { outcome: "changed", requestIds: requestIds(answer), secret: answer.value.key };
}

export async function endKey(call: Call, observed: ObservedThing): Promise<Applied> {
  try {
    const answer = await ask(call, {
      operation: "api_keys.remove",
      path: { keyId: observed.thingId },
      parse: () => undefined,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (saysNotFound(error)) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

export function keyDifference(
  declared: DeclaredThing,
  observed: ObservedThing,
): ThingDifference | undefined {
  const wanted = scopesOf(declared.wants);
  const held = scopesOf(observed.facts);
  const more = held.filter((scope) => !wanted.includes(scope));
  const less = wanted.filter((scope) => !held.includes(scope));
  if (more.length + less.length === 0) return undefined;
  const said = [
    ...(more.length === 0 ? [] : [`it may ${more.join(", ")} beyond its declaration`]),
    ...(less.length === 0 ? [] : [`it lacks ${less.join(", ")}`]),
  ];
  return { text: said.join(" and "), adjustable: false };
}

/** Scopes that no single system needs (vendor guide on keys, 2026-08): everything, and every change. */
const sweeping = ["all:all", "all:update", "all:delete", "all:create"];

export function keyObjection(observed: ObservedThing): string | undefined {
  const held = scopesOf(observed.facts).filter((scope) => sweeping.includes(scope));
  if (held.length === 0) return undefined;
  return `it may do too much (${held.join(", ")}): make one with the scopes that its system needs, then end this one`;
}

function scopesOf(facts: DeclaredThing["wants"]): readonly string[] {
  const { scopes } = facts;
  return Array.isArray(scopes) ? (scopes as readonly unknown[]).map(String) : [];
}
