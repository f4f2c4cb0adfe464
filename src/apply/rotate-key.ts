import type { Lane } from "../accounts/lane.ts";
import type { ObservedThing } from "../model/declared.ts";
import type { KeyMade, KeyWish } from "../model/key-rotation.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import { lookAtThings, withThings } from "./keep-things.ts";
import { endRefusals, ownKey, type EndRefusal } from "./things-report.ts";
import { passThing, secretName, type ThingWriter } from "./write-thing.ts";

/**
 * Makes a declared key a second time beside the one that works, its secret sealed where the first one's was. Nothing is ended.
 * @throws SyncError of the vendor
 */
export async function makeKeyAnew(deps: ApplyDeps, lane: Lane, wish: KeyWish): Promise<KeyMade> {
  let answer: KeyMade = refused("busy");
  await withThings(deps, lane, async (writer) => {
    const { connector, call } = writer;
    const facts = connector.facts.things?.api_key;
    const declared = (lane.policy.declares ?? []).find(
      (item) => item.kind === "api_key" && item.name === wish.name,
    );
    if (facts === undefined || declared === undefined) {
      answer = { way: "refused", why: `the mapping declares no key "${wish.name}" here` };
      return;
    }
    const older = (await livingKeys(writer, wish.name)).map((key) => key.thingId);
    const create = connector.things?.create?.bind(connector.things);
    // A provider's key is made at the provider, whatever this vendor's API can.
    if (!facts.api.includes("create") || create === undefined || declared.provider !== undefined) {
      answer = { way: "by-hand", steps: facts.byHand, older };
      return;
    }
    if (older.length > 1) {
      answer = { way: "refused", why: "two keys have this name: finish that rotation first" };
      return;
    }
    const step = { step: "create", kind: "api_key", name: wish.name } as const;
    const gate = await passThing(writer, step, () => create(call, declared), wish.actor, wish.why);
    answer = gate.ok
      ? { way: "api", sealedAs: secretName(lane, wish.name), older }
      : refused(gate.why);
  });
  return answer;
}

/**
 * Ends all keys of a name but the newest, once whoever works with it has that one.
 * @throws SyncError of the vendor
 */
export async function endOlderKeys(
  deps: ApplyDeps,
  lane: Lane,
  wish: KeyWish,
): Promise<{ readonly ended: readonly string[] } | { readonly refused: string }> {
  let answer: { readonly ended: readonly string[] } | { readonly refused: string } = {
    refused: endRefusals.busy,
  };
  await withThings(deps, lane, async (writer) => {
    const { connector, call } = writer;
    const end = connector.things?.end?.bind(connector.things);
    if (connector.facts.things?.api_key?.api.includes("end") !== true || end === undefined) {
      answer = { ended: [] };
      return;
    }
    const { observed = [] } = await lookAtThings(writer, "api_key");
    const keys = await livingKeys(writer, wish.name);
    const [newest, ...older] = keys;
    if (newest?.createdAt === undefined || older.some((key) => key.createdAt === undefined)) {
      answer = {
        refused: "the vendor does not say which of them is the newest: end the old one by id",
      };
      return;
    }
    if (older.length === 0) {
      answer = { refused: "there is one key of this name only: make the new one first" };
      return;
    }
    const ended: string[] = [];
    for (const key of older) {
      const own = ownKey(writer, key, observed);
      if (own !== undefined) {
        answer = { refused: endRefusals[own] };
        return;
      }
      const step = { step: "end", kind: "api_key", name: wish.name } as const;
      const gate = await passThing(writer, step, () => end(call, key), wish.actor, wish.why);
      if (!gate.ok) {
        answer = { refused: endRefusals[gate.why] };
        return;
      }
      ended.push(key.thingId);
    }
    answer = { ended };
  });
  return answer;
}

/** Keys of a name that work, newest first. */
async function livingKeys(writer: ThingWriter, name: string): Promise<readonly ObservedThing[]> {
  const { observed = [] } = await lookAtThings(writer, "api_key");
  return observed
    .filter((key) => key.name === name && key.state === "active")
    .toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0));
}

const refused = (why: EndRefusal): KeyMade => ({ way: "refused", why: endRefusals[why] });
