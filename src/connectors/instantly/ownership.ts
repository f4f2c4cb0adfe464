import type { DeclaredThing, ObservedThing } from "../../model/declared.ts";
import { foldEmail } from "../../model/fold.ts";
import type { Call, EndOfList, ThingDifference } from "../connector.ts";
import { listMembers } from "./members.ts";

/** The workspace and who owns it: one thing. Its call wants a token that only the owner sees, so that people hand it over. */
export async function* listOwnership(call: Call): AsyncGenerator<ObservedThing | EndOfList> {
  const holders: string[] = [];
  for await (const account of listMembers(call)) {
    if (account.role === "owner") holders.push(account.email, ...account.otherEmails);
  }
  yield {
    kind: "ownership",
    thingId: "workspace",
    name: "workspace",
    state: "active",
    createdAt: undefined,
    facts: { holders },
  };
  yield { complete: true, count: 1 };
}

export function ownershipDifference(
  declared: DeclaredThing,
  observed: ObservedThing,
): ThingDifference | undefined {
  const { holders } = observed.facts;
  const holder = foldEmail(String(declared.wants["holder"]));
  const held = Array.isArray(holders) && (holders as readonly unknown[]).includes(holder);
  return held ? undefined : { text: "somebody else owns it", adjustable: false };
}
