import { join } from "node:path";
import type { Config } from "./config/config.ts";
import type { SecretVault } from "./credentials/secret-vault.ts";
import type { LoadedTenant } from "./mapping/load.ts";
import type { Clock } from "./model/clock.ts";
import { SyncError } from "./model/errors.ts";
import type { TenantId } from "./model/ids.ts";
import type { Logger } from "./model/log.ts";
import type { Actor } from "./model/records.ts";
import { startAnthropicSimulator } from "./sandbox/anthropic/anthropic-simulator.ts";
import {
  startIntercomSimulator,
  type IntercomSimulator,
} from "./sandbox/intercom/intercom-simulator.ts";
import { startClaySimulator } from "./sandbox/clay/clay-simulator.ts";
import { startInstantlySimulator } from "./sandbox/instantly/instantly-simulator.ts";
import { startScimTargetSimulator } from "./sandbox/scim-target/scim-target-simulator.ts";
import { fileState } from "./sandbox/state-file.ts";

/** Where the connections of a sandbox lead. */
export interface SandboxVendors {
  urlOf(vendor: string): string | undefined;
  /** Seals the simulators' keys under the names that the mapping files use, where nothing is sealed yet. */
  sealCredentials(
    vault: SecretVault,
    tenantId: TenantId,
    tenant: LoadedTenant | undefined,
    actor: Actor,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Simulators in this process, with their truth in the data folder; or those that run elsewhere. */
export async function startSandboxVendors(
  config: Config,
  clock: Clock,
  logger: Logger,
): Promise<SandboxVendors> {
  const elsewhere = config.sandboxVendors;
  if (elsewhere !== undefined) {
    return {
      urlOf: (vendor) => elsewhere[vendor],
      sealCredentials: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }
  const options = (vendor: string) => ({
    clock,
    log: logger.child({ room: "sandbox", vendor }),
    state: fileState(join(config.dataDir, "vendors", `${vendor}.json`)),
  });
  const anthropic = await startAnthropicSimulator(options("anthropic"));
  for (const name of ["Production", "Staging", "Research"]) {
    if (!anthropic.state().workspaces.some((workspace) => workspace.name === name))
      anthropic.control.addWorkspace(name);
  }
  const instantly = await startInstantlySimulator(options("instantly"));
  const intercom = await startIntercomSimulator(options("intercom"));
  furnish(intercom);
  const scim = await startScimTargetSimulator(options("scim"));
  for (const name of ["Handbook Authors", "Incident Responders"]) {
    if (!scim.state().groups.some((group) => group.displayName === name))
      scim.control.addGroup(name);
  }
  const clay = await startClaySimulator(options("clay"));
  if (!clay.state().groups.some((group) => group.name === "GTM")) clay.control.addGroup("GTM");
  const simulators = { anthropic, clay, instantly, intercom, scim };
  /** The simulators' secrets by vendor and service; "" is the main interface. */
  const secrets: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    anthropic: { "": anthropic.apiKey },
    clay: { "": clay.apiKey },
    instantly: { "": instantly.apiKey },
    intercom: { "": intercom.apiKey, scim: intercom.scimToken },
    scim: { "": scim.apiKey },
  };
  return {
    urlOf: (vendor) =>
      Object.hasOwn(simulators, vendor)
        ? simulators[vendor as keyof typeof simulators].url
        : undefined,
    async sealCredentials(vault, tenantId, tenant, actor) {
      for (const connection of tenant?.connections ?? []) {
        const references = Object.entries(connection.policy.services ?? {}).map(
          ([service, access]): [string, string] => [service, access.credential],
        );
        for (const [service, reference] of [["", connection.credential] as const, ...references]) {
          const name = /^sealed:(.+)$/.exec(reference)?.[1];
          const secret = secrets[connection.vendor]?.[service];
          if (name === undefined || secret === undefined) continue;
          if (!(await isSealed(vault, tenantId, reference)))
            await vault.put(tenantId, name, secret, actor);
        }
      }
    },
    async close() {
      await Promise.all(Object.values(simulators).map((simulator) => simulator.close()));
    },
  };
}

/** Roles, teams and somebody who holds each role: what the example's mapping names. */
function furnish(intercom: IntercomSimulator): void {
  const { control } = intercom;
  const { teams, roles } = intercom.state();
  for (const name of ["Workspace Owner", "Support Lead", "Support Agent"]) {
    if (roles.some((role) => role.name === name)) continue;
    control.addRole(name);
    const local = name.toLowerCase().replace(" ", ".");
    control.seedAdmin({ email: `${local}@example.com`, name, role: name });
  }
  for (const name of ["Technical", "Sales", "Billing"]) {
    if (teams.some((team) => team.name === name)) continue;
    const method = name === "Billing" ? "load_balanced" : "round_robin";
    control.addTeam({ name, method, emails: ["support.lead@example.com"] });
  }
}

async function isSealed(vault: SecretVault, tenantId: TenantId, ref: string): Promise<boolean> {
  try {
    await vault.open(tenantId, ref);
    return true;
  } catch (error) {
    if (error instanceof SyncError && error.code === "CREDENTIAL_MISSING") return false;
    throw error;
  }
}
