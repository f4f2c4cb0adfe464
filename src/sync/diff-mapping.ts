import { changesBetween, type MappingChanges } from "../mapping/changes.ts";
import { canonicalHash } from "../mapping/canonical.ts";
import { mappingFile } from "../mapping/schema.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import { InputError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import { bindingsOf, proposalOf, simulateBetween, type BoundProposal } from "./proposal.ts";
import type { PersonChange, Simulation } from "./simulate.ts";
import type { SyncDeps } from "./sync-deps.ts";

/**
 * What one document in place of another would change, in the file and for people, with what the directory and the vendor show now.
 * Stores nothing: for a change that is still being reviewed.
 * @throws InputError for a document that is not valid
 */
export async function diffMapping(
  deps: SyncDeps,
  tenantId: TenantId,
  documents: {
    readonly connectionId: ConnectionId;
    readonly before: JsonObject | undefined;
    readonly after: JsonObject;
  },
  tell: (change: PersonChange) => void,
): Promise<{ readonly changes: MappingChanges; readonly simulation: Simulation }> {
  const { connectionId, before, after } = documents;
  const active = (await deps.store.activeMappings(tenantId)).find(
    (item) => item.connectionId === connectionId,
  );
  const bound = async (document: JsonObject): Promise<BoundProposal> => {
    const parsed = mappingFile.safeParse(document);
    if (!parsed.success) throw new InputError("the mapping is not valid", [parsed.error.message]);
    const { vendor, profile } = parsed.data;
    const proposal = proposalOf(deps, {
      ...{ connectionId, vendor, profile: profile ?? "default", document },
      hash: canonicalHash(document),
    });
    return { proposal, bindings: await bindingsOf(deps, tenantId, proposal, active) };
  };
  const simulation = await simulateBetween(
    deps,
    tenantId,
    before === undefined ? undefined : await bound(before),
    await bound(after),
    tell,
  );
  return { changes: changesBetween(before, after), simulation };
}
