import { compileMapping, type CompiledMapping } from "../mapping/compile.ts";
import { isInRollout } from "../mapping/rollout.ts";
import type { GroupBinding, MappingVersion } from "../mapping/version-store.ts";
import type { VendorObject } from "../model/account.ts";
import type { IdentityId, MappingVersionId, TenantId } from "../model/ids.ts";
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
  /** Versions that decide about some people already, under the head (mode, rails, timing) of the active one. */
  readonly rolling: readonly ConnectionWorld[];
}

/** The world as it is for one person: what is being rolled out counts where it has reached them. */
export function worldOf(world: World, identityId: IdentityId): World {
  const reached = world.rolling.filter(
    ({ version }) =>
      version.rollout !== undefined && isInRollout(version.rollout, version.versionId, identityId),
  );
  if (reached.length === 0) return world;
  const byConnection = new Map(reached.map((item) => [item.version.connectionId, item]));
  return {
    ...world,
    connections: world.connections.map(
      (item) => byConnection.get(item.version.connectionId) ?? item,
    ),
  };
}

interface Compiled {
  readonly version: MappingVersion;
  readonly compiled: CompiledMapping;
  readonly bindings: readonly GroupBinding[];
  readonly facts: VendorFacts;
}

interface Kept {
  readonly epoch: number;
  readonly active: readonly Compiled[];
  readonly rolling: readonly Compiled[];
}

/**
 * Reads the active mappings of a tenant, and those that are being rolled out. Compiling is kept per version; bindings and the choice of version are read again
 * whenever the tenant's epoch moved, lanes and objects before each batch, so that every worker evaluates the same rows.
 */
export class Worlds {
  readonly #deps: SyncDeps;
  readonly #byTenant = new Map<TenantId, Kept>();
  readonly #compiled = new Map<MappingVersionId, CompiledMapping>();

  constructor(deps: SyncDeps) {
    this.#deps = deps;
  }

  async read(tenantId: TenantId): Promise<World> {
    const { store } = this.#deps;
    const kept = await this.#kept(tenantId);
    const lanes = new Map(
      (await store.listLanes(tenantId)).map((lane) => [lane.connectionId, lane]),
    );
    const connections: ConnectionWorld[] = [];
    for (const item of kept.active) {
      const lane = lanes.get(item.version.connectionId);
      if (lane === undefined) continue;
      const known = await store.listObjects(tenantId, item.version.connectionId);
      connections.push({
        ...item,
        lane,
        objects: known.readAt === undefined ? undefined : known.objects,
      });
    }
    const byConnection = new Map(connections.map((item) => [item.version.connectionId, item]));
    const rolling = kept.rolling.flatMap((item): readonly ConnectionWorld[] => {
      const base = byConnection.get(item.version.connectionId);
      return base === undefined ? [] : [{ ...base, ...item }];
    });
    return { connections, rolling };
  }

  async #kept(tenantId: TenantId): Promise<Kept> {
    const { store } = this.#deps;
    const epoch = await store.mappingEpoch(tenantId);
    const known = this.#byTenant.get(tenantId);
    if (known?.epoch === epoch) return known;
    const kept = {
      epoch,
      active: await this.#compileAll(tenantId, await store.activeMappings(tenantId)),
      rolling: await this.#compileAll(tenantId, await store.rollingMappings(tenantId)),
    };
    this.#byTenant.set(tenantId, kept);
    return kept;
  }

  async #compileAll(
    tenantId: TenantId,
    versions: readonly MappingVersion[],
  ): Promise<readonly Compiled[]> {
    const compiled: Compiled[] = [];
    for (const version of versions) {
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
      const bindings = await this.#deps.store.listBindings(tenantId, version.versionId);
      compiled.push({ version, facts, bindings, compiled: this.#compile(version, facts) });
    }
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
