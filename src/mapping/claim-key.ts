import type { Claim } from "../model/assignment.ts";
import { fold } from "../model/fold.ts";

/** A name as it is compared: folded, outer blanks do not count. */
export function foldName(name: string): string {
  return fold(name.trim());
}

/** Kind and object of a claim as one string; equal keys are the same slot as far as the file can tell. */
export function claimKey(kind: string, object: Claim["object"]): string {
  switch (object.by) {
    case "none":
      return kind;
    case "any":
      return `${kind}\n*`;
    case "id":
      return `${kind}\nid ${object.id}`;
    case "name":
      return `${kind}\nname ${foldName(object.name)}`;
  }
}

/** `workspace Production`, `org_role`: an object in the words of the file. */
export function claimText(kind: string, object: Claim["object"]): string {
  switch (object.by) {
    case "none":
      return kind;
    case "any":
      return `every ${kind}`;
    case "id":
      return `${kind} ${object.id}`;
    case "name":
      return `${kind} ${object.name}`;
  }
}
