import type { Lane } from "./accounts/lane.ts";
import type { HttpOptions, OpenedHttp } from "./apply/apply-deps.ts";
import { connectorOf, vendorAccessOf, type VendorAccess } from "./connectors/registry.ts";
import { isHintOf } from "./credentials/key-hint.ts";
import type { SecretVault } from "./credentials/secret-vault.ts";
import { createClientCredentials } from "./http/client-credentials.ts";
import type { HttpPools } from "./http/http-pools.ts";
import { createVendorHttp } from "./http/vendor-client.ts";
import type { Clock } from "./model/clock.ts";
import type { Logger } from "./model/log.ts";
import type { Tracer } from "./model/trace.ts";
import type { SandboxVendors } from "./sandbox-vendors.ts";

/** Opens the client of one connection: base URL, credential, organisation pin and report-only gate in one place. */
export function httpOpener(parts: {
  readonly vault: SecretVault;
  readonly pools: HttpPools;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly vendors: SandboxVendors | undefined;
  readonly tracer: Tracer;
}): (lane: Lane, options: HttpOptions) => Promise<OpenedHttp> {
  const tokens = createClientCredentials(parts);
  return async (lane, options) => {
    const { vendor, profile } = lane;
    const facts = connectorOf(vendor, profile, lane.policy.target)?.facts;
    const access = vendorAccessOf(vendor, profile, lane.policy.target);
    if (facts === undefined || access === undefined) {
      throw new Error(`no connector for ${vendor}/${profile}`);
    }
    // One opening for one piece of work: the secret that is used is the one whose organisation was compared.
    const { secret, fingerprint } = await parts.vault.open(lane.tenantId, lane.credential);
    const services = await openServices(parts.vault, lane, access);
    const simulated = parts.vendors?.urlOf(vendor);
    const actsIn =
      facts.actsInHeader === undefined || lane.policy.actsIn === undefined
        ? {}
        : { [facts.actsInHeader]: lane.policy.actsIn };
    const main = async () => ({ ...(await authorisation()), ...actsIn });
    const authorisation = async () => {
      const { token } = access;
      if (token === undefined || simulated !== undefined) return access.authHeaders(secret);
      const client = { tokenUrl: token.url, scope: token.scope, secret, fingerprint };
      return access.authHeaders(await tokens.token(client));
    };
    const http = createVendorHttp({
      facts,
      baseUrl: simulated ?? lane.baseUrl ?? access.defaultBaseUrl ?? "",
      clearText: simulated !== undefined,
      serviceUrls: simulated === undefined ? services.urls : {},
      headers: (service) =>
        service === undefined ? main() : Promise.resolve(services.headers(service)),
      mode: () => (lane.policy.mode === "report-only" ? "report-only" : "write"),
      governor: options.governor,
      pinnedOrganization: () => lane.organization?.id,
      beforeWrite: options.beforeWrite,
      clock: parts.clock,
      logger: parts.logger.child({ room: "http", connectionId: lane.connectionId }),
      pools: parts.pools,
      tracer: parts.tracer,
      signal: options.signal,
    });
    return {
      http,
      credentialFingerprint: [fingerprint, ...services.fingerprints].join("+"),
      isOwnKey: (hint) => isHintOf(hint, secret),
    };
  };
}

/** Opens the credentials of the vendor's services that the mapping names, in the order of their names. */
async function openServices(
  vault: SecretVault,
  lane: Lane,
  access: VendorAccess,
): Promise<{
  readonly urls: Readonly<Record<string, string>>;
  readonly fingerprints: readonly string[];
  readonly headers: (service: string) => Readonly<Record<string, string>>;
}> {
  const urls: Record<string, string> = {};
  const fingerprints: string[] = [];
  const headers = new Map<string, Readonly<Record<string, string>>>();
  for (const [name, service] of Object.entries(lane.policy.services ?? {}).sort()) {
    const opened = await vault.open(lane.tenantId, service.credential);
    const made = access.serviceHeaders?.[name]?.(opened.secret);
    if (made === undefined) throw new Error(`${lane.vendor} has no service ${name}`);
    if (service.baseUrl !== undefined) urls[name] = service.baseUrl;
    fingerprints.push(opened.fingerprint);
    headers.set(name, made);
  }
  return {
    urls,
    fingerprints,
    headers: (service) => {
      const found = headers.get(service);
      if (found === undefined) throw new Error(`no credential of ${lane.vendor} for ${service}`);
      return found;
    },
  };
}
