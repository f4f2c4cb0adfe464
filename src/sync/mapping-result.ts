import type { MappingVersion } from "../mapping/version-store.ts";
import type { TenantId } from "../model/ids.ts";
import type { SyncDeps } from "./sync-deps.ts";

const pageSize = 500;

/** What became of the people whose wish a version changed. Each is counted once. */
export interface MappingResult {
  readonly [count: string]: number;
  readonly changed: number;
  /** The vendor shows what the version wishes. */
  readonly reached: number;
  readonly held: number;
  readonly parked: number;
  /** Invited, to be done by a person, or still under way. */
  readonly waiting: number;
}

/** As it is now; whoever was changed since by something else is another version's, or nobody's. */
export async function mappingResult(
  deps: SyncDeps,
  tenantId: TenantId,
  { connectionId, versionId }: Pick<MappingVersion, "connectionId" | "versionId">,
): Promise<MappingResult> {
  const counts = { changed: 0, reached: 0, held: 0, parked: 0, waiting: 0 };
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listTargets(tenantId, {
      connectionId,
      limit: pageSize,
      ...(after === undefined ? {} : { after }),
    });
    for (const target of page) {
      if (target.desired.mappingVersion !== versionId) continue;
      counts.changed += 1;
      if (target.state === "held" || target.state === "parked") counts[target.state] += 1;
      else if (target.appliedGeneration === target.generation) counts.reached += 1;
      else counts.waiting += 1;
    }
    if (page.length < pageSize) return counts;
    after = page.at(-1)?.identityId;
  }
}
