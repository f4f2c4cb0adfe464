import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import { InputError } from "../model/errors.ts";
import type { HrSettings } from "../model/hr-settings.ts";
import type { AccessException } from "../model/identity.ts";
import { asId, isName, type ConnectionId, type TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { ConnectionPolicy } from "../model/policy.ts";
import { pulseIdp, type PulseSettings } from "../model/pulse-settings.ts";
import type { ScimTargetSettings } from "../model/scim-target.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { canonicalHash, compareText } from "./canonical.ts";
import { checkMapping } from "./check.ts";
import { foldName } from "./claim-key.ts";
import { compileChecked, type CompiledGroup, type CompiledMapping } from "./compile.ts";
import { connectionPolicy } from "./connection-policy.ts";
import { exceptionsFile, readExceptions } from "./exceptions-file.ts";
import { documentOf, expandMapping, type PlainMapping } from "./expand.ts";
import { hrFile, hrSettings } from "./hr-file.ts";
import { oneOf } from "./nearest.ts";
import { problemsOf, type Problem } from "./problem.ts";
import { pulseFile, pulseSettings } from "./pulse-file.ts";
import { mappingFile, type Condition, type MappingFile } from "./schema.ts";
import { tenantFile, tenantSettings, type TenantSettings } from "./tenant-file.ts";
import { checkTestFile, mappingTestFile, type MappingTestFile } from "./test-file.ts";
import { fileSizeMax, placed, readYaml, type YamlFile } from "./yaml-file.ts";

/**
 * Facts of a vendor; a profile of undefined means the only one. undefined: this build has no such connector.
 * @throws InputError for a `target` that contradicts itself, or that this vendor has no use for
 */
export type VendorFactsOf = (
  vendor: string,
  profile: string | undefined,
  target?: ScimTargetSettings,
) => VendorFacts | undefined;

/** One connection's file, ready to be proposed as a version. */
export interface LoadedConnection {
  readonly connectionId: ConnectionId;
  readonly vendor: string;
  readonly profile: string;
  /** The file with bundles and placeholders written out. */
  readonly document: JsonObject;
  /** SHA-256 of the canonical document. */
  readonly hash: string;
  readonly credential: string;
  /** Instead of the vendor's own address. */
  readonly baseUrl: string | undefined;
  readonly policy: ConnectionPolicy;
  readonly groups: readonly CompiledGroup[];
  readonly compiled: CompiledMapping;
  /** The `<connection>.test.yaml` beside it. */
  readonly tests: MappingTestFile | undefined;
}

export interface LoadedTenant {
  readonly tenantId: TenantId;
  readonly settings: TenantSettings;
  readonly connections: readonly LoadedConnection[];
  readonly exceptions: readonly AccessException[];
  /** Undefined: there is no `hr.yaml`. */
  readonly hr: HrSettings | undefined;
  /** Undefined: there is no `pulse.yaml`. */
  readonly pulse: PulseSettings | undefined;
}

/** File names without `.yaml` that are no connections. */
const reserved = ["tenant", "exceptions", "hr", "pulse"];

/**
 * Reads the mapping files of all tenants, or of those in `only`: `<folder>/<tenant>/*.yaml`.
 * @throws InputError with every problem of every file, each as `file:line:column path: what to write instead`
 */
export async function loadMappings(
  folder: string,
  vendorFactsOf: VendorFactsOf,
  only?: readonly string[],
): Promise<readonly LoadedTenant[]> {
  const problems: string[] = [];
  const tenants: LoadedTenant[] = [];
  for (const name of only ?? (await subfolders(folder))) {
    const path = join(folder, name);
    if (!isName(name)) {
      problems.push(
        `${path}: a tenant's folder has a lower-case name of letters, digits and hyphens`,
      );
      continue;
    }
    const reader = new TenantReader(path, vendorFactsOf, problems);
    tenants.push(await reader.read(asId<TenantId>(name)));
  }
  if (problems.length > 0) {
    throw new InputError(
      `${String(problems.length)} problem${problems.length === 1 ? "" : "s"} in the mapping files of ${folder}`,
      problems,
    );
  }
  return tenants;
}

async function subfolders(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  const kinds = await Promise.all(
    names.map(async (name) => (await stat(join(folder, name))).isDirectory()),
  );
  return names.filter((_name, at) => kinds[at] === true);
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    // Names with a leading dot are of tools: editors' swap files, the `..data` of mounted volumes.
    return (await readdir(folder)).filter((name) => !name.startsWith(".")).sort(compareText);
  } catch (error) {
    throw new InputError(`the mapping folder ${folder} cannot be read`, [
      error instanceof Error ? error.message : String(error),
    ]);
  }
}

/** Reads one tenant's folder and notes everything that is wrong with it. */
class TenantReader {
  readonly #folder: string;
  readonly #vendorFactsOf: VendorFactsOf;
  readonly #problems: string[];

  constructor(folder: string, vendorFactsOf: VendorFactsOf, problems: string[]) {
    this.#folder = folder;
    this.#vendorFactsOf = vendorFactsOf;
    this.#problems = problems;
  }

  async read(tenantId: TenantId): Promise<LoadedTenant> {
    const names = this.#fileNames(await listFolder(this.#folder));
    const tenant = names.has("tenant") ? await this.#parse("tenant", tenantFile) : undefined;
    const settings = tenantSettings(tenant?.value);
    const pulse = names.has("pulse") ? await this.#parse("pulse", pulseFile) : undefined;
    const idps = knownIdps(settings, pulse !== undefined);
    const facts = new Map<string, VendorFacts | undefined>();
    const connections: LoadedConnection[] = [];
    for (const name of names) {
      if (reserved.includes(name) || name.endsWith(".test")) continue;
      facts.set(name, undefined);
      const parsed = await this.#parse(name, mappingFile);
      const tests = names.has(`${name}.test`)
        ? await this.#parse(`${name}.test`, mappingTestFile)
        : undefined;
      if (parsed === undefined) continue;
      const known = this.#factsOf(name, parsed);
      facts.set(name, known);
      if (known === undefined) continue;
      const loaded = this.#connection(name, parsed, known, { settings, idps }, tests);
      if (loaded !== undefined) connections.push(loaded);
    }
    for (const name of names) {
      if (!name.endsWith(".test") || names.has(name.slice(0, -".test".length))) continue;
      this.#problem(
        name,
        `there is no ${name.slice(0, -".test".length)}.yaml beside it: rename one of them`,
      );
    }
    const exceptions = names.has("exceptions") ? await this.#exceptions(settings.zone, facts) : [];
    const hr = names.has("hr") ? await this.#parse("hr", hrFile) : undefined;
    return {
      tenantId,
      settings,
      connections,
      exceptions,
      hr: hr === undefined ? undefined : hrSettings(hr.value, settings),
      pulse: pulse === undefined ? undefined : this.#pulse(pulse, settings, connections),
    };
  }

  #pulse(
    { value, file }: Parsed<z.infer<typeof pulseFile>>,
    settings: TenantSettings,
    connections: readonly LoadedConnection[],
  ): PulseSettings {
    const known = connections.map((item) => item.connectionId as string);
    const problems: Problem[] = (value.connections ?? []).flatMap((name, at) =>
      known.includes(name)
        ? []
        : [{ path: ["connections", at], message: `there is no "${name}": ${oneOf(name, known)}` }],
    );
    if (settings.idps.some((idp) => idp.idpId === pulseIdp))
      problems.push({
        path: ["person"],
        message: `tenant.yaml has an IdP connection "${pulseIdp}", which is the pulse's own name: rename that one`,
      });
    this.#note("pulse", file, problems);
    return pulseSettings(value, (groups) => {
      const folded = new Set(groups.map((name) => foldName(name)));
      return connections
        .filter((item) => item.policy.mode !== "report-only")
        .filter((item) =>
          item.groups.some(
            ({ groupName, idpId }) => idpId === pulseIdp && folded.has(foldName(groupName)),
          ),
        )
        .map((item) => item.connectionId);
    });
  }

  #fileNames(entries: readonly string[]): ReadonlySet<string> {
    const names = new Set<string>();
    for (const entry of entries) {
      if (entry.endsWith(".yml")) {
        this.#problems.push(`${join(this.#folder, entry)}: mapping files end in .yaml: rename it`);
      }
      if (!entry.endsWith(".yaml")) continue;
      const name = entry.slice(0, -".yaml".length);
      if (isName(name.replace(/\.test$/, ""))) names.add(name);
      else
        this.#problem(
          name,
          "a connection has a lower-case name of letters, digits and hyphens: rename it",
        );
    }
    return names;
  }

  #problem(name: string, message: string): void {
    this.#problems.push(`${this.#path(name)}: ${message}`);
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.yaml`);
  }

  async #parse<T>(name: string, schema: z.ZodType<T>): Promise<Parsed<T> | undefined> {
    const path = this.#path(name);
    const text = await this.#text(name);
    if (text === undefined) return undefined;
    const file = readYaml(text);
    if (file.complaints.length > 0) {
      this.#problems.push(...file.complaints.map((complaint) => `${path}:${complaint}`));
      return undefined;
    }
    const parsed = schema.safeParse(file.value);
    if (!parsed.success) {
      this.#problems.push(...placed(path, file, problemsOf(parsed.error, file.value)));
      return undefined;
    }
    return { value: parsed.data, file };
  }

  async #text(name: string): Promise<string | undefined> {
    const path = this.#path(name);
    try {
      const { size } = await stat(path);
      if (size > fileSizeMax) {
        this.#problem(
          name,
          `is ${String(size)} bytes long, at most ${String(fileSizeMax)} are read: split it`,
        );
        return undefined;
      }
      return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    } catch (error) {
      if (error instanceof TypeError) this.#problem(name, "is not UTF-8 text: save it as UTF-8");
      else
        this.#problem(
          name,
          `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        );
      return undefined;
    }
  }

  #factsOf(name: string, { value, file }: Parsed<MappingFile>): VendorFacts | undefined {
    let facts: VendorFacts | undefined;
    try {
      facts = this.#vendorFactsOf(value.vendor, value.profile, value.target);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.#note(
        name,
        file,
        error.problems.map((message) => ({ path: ["target"], message })),
      );
      return undefined;
    }
    if (facts !== undefined) return facts;
    const profile = value.profile === undefined ? "" : ` with the profile "${value.profile}"`;
    this.#note(name, file, [
      {
        path: [value.profile === undefined ? "vendor" : "profile"],
        message: `there is no connector for "${value.vendor}"${profile}: \`rolecall capabilities\` lists vendors and profiles`,
      },
    ]);
    return undefined;
  }

  #connection(
    name: string,
    { value, file }: Parsed<MappingFile>,
    facts: VendorFacts,
    { settings, idps }: { readonly settings: TenantSettings; readonly idps: readonly string[] },
    tests: Parsed<MappingTestFile> | undefined,
  ): LoadedConnection | undefined {
    const expansion = expandMapping(value);
    const problems = [...checkMapping(expansion, facts), ...idpProblems(value, idps)];
    if (problems.length > 0) {
      this.#note(name, file, problems);
      return undefined;
    }
    const mapping = selfContained(expansion.mapping, facts, settings);
    const compiled = compileChecked(mapping, facts);
    if (tests !== undefined) {
      this.#note(`${name}.test`, tests.file, checkTestFile(tests.value, compiled));
    }
    const document = documentOf(mapping);
    return {
      connectionId: asId<ConnectionId>(name),
      vendor: facts.vendor,
      profile: facts.profile,
      document,
      hash: canonicalHash(document),
      credential: value.connection.credential,
      baseUrl: value.connection.url,
      policy: connectionPolicy(value, settings.domains),
      groups: compiled.groups,
      compiled,
      tests: tests?.value,
    };
  }

  async #exceptions(
    zone: string,
    connections: ReadonlyMap<string, VendorFacts | undefined>,
  ): Promise<readonly AccessException[]> {
    const parsed = await this.#parse("exceptions", exceptionsFile);
    if (parsed === undefined) return [];
    const { exceptions, problems } = readExceptions(parsed.value, zone, connections);
    this.#note("exceptions", parsed.file, problems);
    return exceptions;
  }

  #note(name: string, file: YamlFile, problems: readonly Problem[]): void {
    this.#problems.push(...placed(this.#path(name), file, problems));
  }
}

/** What the tenant's file and the connector add is written in, so that the version and its hash say everything. */
function selfContained(
  mapping: PlainMapping,
  facts: VendorFacts,
  settings: TenantSettings,
): PlainMapping {
  const domains = mapping.account?.domains ?? settings.domains;
  const account =
    domains.length === 0 ? mapping.account : { ...mapping.account, domains: [...domains] };
  return { ...mapping, profile: facts.profile, ...(account === undefined ? {} : { account }) };
}

interface Parsed<T> {
  readonly value: T;
  readonly file: YamlFile;
}

/** What `idp:` may name: the connections of `tenant.yaml`, where that lists any, and the pulse's own. Empty: anything. */
function knownIdps(settings: TenantSettings, pulse: boolean): readonly string[] {
  if (settings.idps.length === 0) return [];
  return [...settings.idps.map((item) => item.idpId), ...(pulse ? [pulseIdp] : [])];
}

/** Every `idp:` names a known connection. */
function idpProblems(file: MappingFile, known: readonly string[]): Problem[] {
  if (known.length === 0) return [];
  const problems: Problem[] = [];
  const check = (idp: string | undefined, path: Problem["path"]) => {
    if (idp === undefined || known.includes(idp)) return;
    problems.push({
      path: [...path, "idp"],
      message: `tenant.yaml lists no IdP connection "${idp}": ${oneOf(idp, known)}`,
    });
  };
  const walk = (node: Condition, path: Problem["path"]) => {
    check(node.idp, path);
    node.all?.forEach((item, at) => {
      walk(item, [...path, "all", at]);
    });
    node.any?.forEach((item, at) => {
      walk(item, [...path, "any", at]);
    });
    if (node.not !== undefined) walk(node.not, [...path, "not"]);
  };
  file.rules.forEach((rule, at) => {
    check(rule.idp, ["rules", at]);
    walk(rule.when, ["rules", at, "when"]);
  });
  return problems;
}
