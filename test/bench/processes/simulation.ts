/** Simulates a change of one mapping for a whole company, as `mapping apply` does before it asks for approval. */
import type { Lane } from "../../../src/accounts/lane.ts";
import type { Store } from "../../../src/adapters/store.ts";
import { vendorFactsOf } from "../../../src/connectors/registry.ts";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { connectionPolicy } from "../../../src/mapping/connection-policy.ts";
import { mappingFile } from "../../../src/mapping/schema.ts";
import type { GroupBinding } from "../../../src/mapping/version-store.ts";
import { systemClock } from "../../../src/model/clock.ts";
import { asId, type IdentityId, type MappingVersionId } from "../../../src/model/ids.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import { simulate, type Simulation } from "../../../src/sync/simulate.ts";
import type { SyncDeps } from "../../../src/sync/sync-deps.ts";
import type { ConnectionWorld } from "../../../src/sync/world.ts";
import { ruleBook } from "../rule-book.ts";
import { groupIdOf, openTenant, tenantId } from "./company.ts";
import { serveParent, startArgument } from "./serve-parent.ts";

const { folder } = startArgument<{ readonly folder: string }>();
const clock = systemClock();
const store = await openTenant(folder, clock);
const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const deps: SyncDeps = {
  store,
  clock,
  logger: silent,
  metrics: { count() {}, gauge() {}, observe() {} },
  actor: { kind: "system", id: "bench" },
  vendorFacts: vendorFactsOf,
  ringWorkers: () => undefined,
  ringRelay: () => undefined,
};

serveParent(
  {
    /** Before: without the first two rules, so that somebody gains. */
    simulate: async ({ rules }: { readonly rules: number }) => {
      const book = ruleBook(rules);
      const before = { ...book, rules: (book["rules"] as readonly JsonObject[]).slice(2) };
      const spent = spending();
      const result: Simulation = await simulate(
        deps,
        tenantId,
        worldOf(before, rules),
        worldOf(book, rules),
      );
      return { ...spent(), people: result.people, gain: result.gain };
    },
    /** The floor: reads everybody in the same pages, and asks nothing. */
    walk: async () => {
      const spent = spending();
      return { people: await walk(store), ...spent() };
    },
  },
  () => store.close(),
);

/** Wall time and processor time from here to the call of what it answers. */
function spending(): () => { readonly ms: number; readonly cpuMs: number } {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { ms: performance.now() - startedAt, cpuMs: (user + system) / 1_000 };
  };
}

async function walk(over: Store): Promise<number> {
  let after: IdentityId | undefined;
  let people = 0;
  for (;;) {
    const ids = await over.listIdentities(tenantId, { after, limit: 500 });
    people += (await over.readIdentities(tenantId, ids)).length;
    if (ids.length < 500) return people;
    after = ids.at(-1);
  }
}

function worldOf(document: JsonObject, groups: number): ConnectionWorld {
  const file = mappingFile.parse(document);
  const facts = vendorFactsOf("anthropic", "console");
  if (facts === undefined) throw new Error("this build has no Anthropic connector");
  const compiled = compileMapping(document, facts);
  const bindings = compiled.groups.map(({ groupName, idpId }): GroupBinding => {
    const at = Number(groupName.slice("Team ".length));
    if (at >= groups) throw new Error(`${groupName} is no team`);
    return { groupName, idpId, state: "bound", groupId: groupIdOf(at) };
  });
  return {
    version: { versionId: asId<MappingVersionId>("bench"), connectionId: "anthropic" },
    compiled,
    bindings,
    facts,
    lane: { policy: connectionPolicy(file, []) } as Lane,
    objects: ["Production", "Staging", "Research"].map((name) => ({
      kind: "workspace",
      id: `id-${name}`,
      name,
    })),
  } as unknown as ConnectionWorld;
}
