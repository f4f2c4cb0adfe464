import type { MappingVersionStore } from "../mapping/version-store.ts";
import type { AccessMatrix } from "../model/access-matrix.ts";
import type { ConnectionId, TenantId } from "../model/ids.ts";
import type { MappingVersion } from "../mapping/version-store.ts";

export interface MatricesDeps {
  readonly store: Pick<MappingVersionStore, "mappingEpoch" | "activeMappings">;
  /** The matrix that a version declares; undefined: none. */
  readonly matrixOf: (version: MappingVersion) => AccessMatrix | undefined;
}

type Kept = ReadonlyMap<ConnectionId, AccessMatrix>;

/**
 * The permission matrices of active mapping versions. They are kept while the tenant's mapping epoch stands still, which is asked each
 * time: a version that was activated anywhere decides the next question.
 */
export class Matrices {
  readonly #deps: MatricesDeps;
  readonly #byTenant = new Map<TenantId, { readonly epoch: number; readonly kept: Kept }>();

  constructor(deps: MatricesDeps) {
    this.#deps = deps;
  }

  async read(tenantId: TenantId): Promise<Kept> {
    const { store, matrixOf } = this.#deps;
    const epoch = await store.mappingEpoch(tenantId);
    const known = this.#byTenant.get(tenantId);
    if (known?.epoch === epoch) return known.kept;
    const versions = await store.activeMappings(tenantId);
    const kept = new Map(
      versions.flatMap((version) => {
        const matrix = matrixOf(version);
        return matrix === undefined ? [] : [[version.connectionId, matrix] as const];
      }),
    );
    this.#byTenant.set(tenantId, { epoch, kept });
    return kept;
  }
}
