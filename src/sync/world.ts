import { compileMapping, type CompiledMapping } from "../mapping/compile.ts";
import type { GroupBinding, MappingVersion } from "../mapping/version-store.ts";
import type { VendorObject } from "../model/account.ts";
import type { MappingVersionId, TenantId } from "../model/ids.ts";
import type { Lane } from "../accounts/lane.ts";
import { targetSettingsOf } from "../model/scim-target.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** One connection as a recompute sees it: what the file says, where its names point, what is at the vendor. */
export interface ConnectionWorld {
  readonly version: MappingVersion;
  readonly compiled: CompiledMapping;
  readonly bindings: readonly GroupBinding[];
  readonly facts: VendorFacts;
  readonly lane: Lane;
  /** undefined: the vendor's objects were never read completely. */
  readonly objects: readonly VendorObject[] | undefined;
}

export interface World {
  readonly connections: readonly ConnectionWorld[];
}

interface Compiled {
  readonly version: MappingVersion;
  readonly compiled: CompiledMapping;
  readonly bindings: readonly GroupBinding[];
  readonly facts: VendorFacts;
}

/**
 * Reads the active mappings of a tenant. Compiling is kept per version; bindings and the choice of version are read again
 * whenever the tenant's epoch moved, lanes and objects before each batch, so that every worker evaluates the same rows.
 */
export class Worlds {
  readonly #deps: SyncDeps;
  readonly #byTenant = new Map<TenantId, { epoch: number; compiled: readonly Compiled[] }>();
  readonly #compiled = new Map<MappingVersionId, CompiledMapping>();

  constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  async read(tenantId: TenantId): Promise<World> {
    const { store } = this.#deps;
    const compiled = await this.#active(tenantId);
    const lanes = new Map(
      (await store.listLanes(tenantId)).map((lane) => [lane.connectionId, lane]),
    );
    const connections: ConnectionWorld[] = [];
    for (const item of compiled) {
      const lane = lanes.get(item.version.connectionId);
      if (lane === undefined) continue;
      const known = await store.listObjects(tenantId, item.version.connectionId);
      connections.push({
        ...item,
        lane,
        objects: known.readAt === undefined ? undefined : known.objects,
      });
    }
    return { connections };
  }

  async #active(tenantId: TenantId): Promise<readonly Compiled[]> {
    const { store } = this.#deps;
    const epoch = await store.mappingEpoch(tenantId);
    const kept = this.#byTenant.get(tenantId);
    if (kept?.epoch === epoch) return kept.compiled;
    const compiled: Compiled[] = [];
    for (const version of await store.activeMappings(tenantId)) {
      const facts = this.#deps.vendorFacts(
        version.vendor,
        version.profile,
        targetSettingsOf(version.document),
      );
      if (facts === undefined) {
        this.#deps.logger.error(
          {
            tenantId,
            connectionId: version.connectionId,
            vendor: version.vendor,
            profile: version.profile,
          },
          "active mapping names a vendor that this build has no connector for; its people are left as they are",
        );
        continue;
      }
      const bindings = await store.listBindings(tenantId, version.versionId);
      compiled.push({ version, facts, bindings, compiled: this.#compile(version, facts) });
    }
    this.#byTenant.set(tenantId, { epoch, compiled });
    return compiled;
  }

  #compile(version: MappingVersion, facts: VendorFacts): CompiledMapping {
    const kept = this.#compiled.get(version.versionId);
    if (kept !== undefined) return kept;
    const compiled = compileMapping(version.document, facts);
    this.#compiled.set(version.versionId, compiled);
    return compiled;
  }
}
