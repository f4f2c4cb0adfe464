import type { IdentityId, MappingVersionId, TenantId } from "../model/ids.ts";
import { StoreError } from "../model/errors.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";
import { previewUndo, undo, type UndoStep } from "./undo.ts";

const page = 500;

/** What one person got or lost by a mapping version, and what taking it back means. */
export interface VersionUndo {
  readonly identityId: IdentityId;
  /** Of the plan that is taken back. */
  readonly generation: number;
  readonly steps: readonly UndoStep[];
}

/**
 * Streams the people for whom the last thing that was done at the connection came from this version. Whoever was changed since by another
 * cause is not among them: their last plan is another one. @throws StoreError NOT_FOUND
 */
export async function* previewVersionUndo(
  deps: SyncDeps,
  tenantId: TenantId,
  versionId: MappingVersionId,
): AsyncGenerator<VersionUndo> {
  const version = (await deps.store.listMappings(tenantId)).find(
    (item) => item.versionId === versionId,
  );
  if (version === undefined)
    throw new StoreError("NOT_FOUND", `there is no mapping version ${versionId}`);
  const { connectionId } = version;
  const cause = `mapping:${versionId}`;
  let after: string | undefined;
  for (;;) {
    const targets = await deps.store.listTargets(tenantId, {
      connectionId,
      limit: page,
      ...(after === undefined ? {} : { after }),
    });
    for (const { identityId, generation, ...target } of targets) {
      if (target.cause !== cause) continue;
      const steps = await previewUndo(deps, tenantId, connectionId, identityId, generation);
      if (steps.length > 0) yield { identityId, generation, steps };
    }
    if (targets.length < page) return;
    after = targets.at(-1)?.identityId;
  }
}

const isWay = ({ way }: UndoStep): boolean => way === "undo";

/**
 * Takes back what a mapping version did, person by person, as exceptions for 90 days: what many lose by that is counted by the same rails, and
 * waits as one batch where it is too much. Whoever gets another plan meanwhile is left as they are. The version itself stays active for whoever comes next: correct the file as well. Said twice it
 * changes nothing more. @throws StoreError NOT_FOUND
 */
export async function undoVersion(
  deps: SyncDeps,
  tenantId: TenantId,
  wish: { readonly versionId: MappingVersionId; readonly why: string; readonly actor: Actor },
): Promise<{ readonly people: number; readonly steps: number; readonly left: number }> {
  const { versionId, why, actor } = wish;
  const [version] = (await deps.store.listMappings(tenantId)).filter(
    (item) => item.versionId === versionId,
  );
  const chosen: VersionUndo[] = [];
  // Read whole before the first write: each undo moves the target that it is read from.
  for await (const item of previewVersionUndo(deps, tenantId, versionId)) chosen.push(item);
  let [people, steps, left] = [0, 0, 0];
  for (const item of chosen) {
    const { identityId, generation } = item;
    const taken =
      version === undefined || !item.steps.some(isWay)
        ? []
        : await undo(deps, tenantId, {
            ...{ connectionId: version.connectionId, identityId, generation, why, actor },
          });
    const ways = taken.filter(isWay).length;
    left += Math.max(item.steps.length, taken.length) - ways;
    if (ways === 0) continue;
    people += 1;
    steps += ways;
  }
  if (version !== undefined && people > 0)
    await deps.store.updateLane(
      tenantId,
      { connectionId: version.connectionId, set: {}, now: deps.clock.now() },
      {
        records: [
          newRecord(deps.clock, {
            actor,
            action: "mapping.undone",
            subject: { type: "mapping", id: versionId },
            connectionId: version.connectionId,
            mappingVersion: versionId,
            facts: { why, people, steps, left },
          }),
        ],
        recompute: [],
      },
    );
  return { people, steps, left };
}
