import type { DeclaredThing, ObservedThing } from "../../model/declared.ts";
import { SyncError } from "../../model/errors.ts";
import type { ThingAbility } from "../connector.ts";
import { createKey, endKey, keyDifference, keyObjection, listKeys } from "./keys.ts";
import { listOwnership, ownershipDifference } from "./ownership.ts";
import { createTag, endTag, listTags, markTag, tagDifference } from "./tags.ts";
import { endSubWorkspace, inviteSubWorkspace, listSubWorkspaces } from "./sub-workspaces.ts";

/** Keys, tags and an agency's workspaces. */
export const instantlyThings: ThingAbility = {
  async *list(call, kind, declared) {
    switch (kind) {
      case "api_key":
        yield* listKeys(call);
        break;
      case "tag":
        yield* listTags(call, declared);
        break;
      case "sub_workspace":
        yield* listSubWorkspaces(call, declared);
        break;
      case "ownership":
        yield* listOwnership(call);
        break;
      case "workspace":
        throw noSuch(kind);
    }
  },
  difference(declared, observed, authoritative) {
    if (declared.kind === "api_key") return keyDifference(declared, observed);
    if (declared.kind === "ownership") return ownershipDifference(declared, observed);
    return declared.kind === "tag" ? tagDifference(observed, authoritative) : undefined;
  },
  objection: (observed) => (observed.kind === "api_key" ? keyObjection(observed) : undefined),
  create(call, declared) {
    if (declared.kind === "api_key") return createKey(call, declared);
    if (declared.kind === "tag") return createTag(call, declared);
    return inviteSubWorkspace(call, declared);
  },
  adjust(call, declared, observed, authoritative) {
    if (declared.kind !== "tag") return Promise.reject(noSuch(declared.kind));
    return markTag(call, observed, authoritative);
  },
  end(call, observed) {
    if (observed.kind === "api_key") return endKey(call, observed);
    return observed.kind === "tag" ? endTag(call, observed) : endSubWorkspace(call, observed);
  },
};

function noSuch(kind: DeclaredThing["kind"] | ObservedThing["kind"]): SyncError {
  return new SyncError(
    "VENDOR_REJECTED",
    `instantly: nothing like that can be done with a ${kind}`,
  );
}
