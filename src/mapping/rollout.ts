import { createHash } from "node:crypto";
import type { IdentityId, MappingVersionId } from "../model/ids.ts";
import type { Rollout } from "./version-store.ts";

/** The share of people whom the second stage evaluates by the new version. */
const tenthShare = 0.1;

/** Whether a version that is being rolled out decides about somebody already: always the same people, other ones for each version. */
export function isInRollout(
  rollout: Rollout,
  versionId: MappingVersionId,
  identityId: IdentityId,
): boolean {
  if (rollout.identityId === identityId) return true;
  return rollout.stage === "tenth" && shareOf(versionId, identityId) < tenthShare;
}

/** A number in [0, 1) that nobody chose. */
function shareOf(versionId: MappingVersionId, identityId: IdentityId): number {
  const digest = createHash("sha256").update(`${versionId} ${identityId}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}
