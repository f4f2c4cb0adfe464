import type { Router } from "express";
import type { Store } from "./adapters/store.ts";
import { connectorOf, vendorAccessOf, vendorApps } from "./connectors/registry.ts";
import type { SealKey } from "./credentials/seal.ts";
import type { SecretVault } from "./credentials/secret-vault.ts";
import type { Lane } from "./accounts/lane.ts";
import type { HookDeps } from "./hooks/hook-deps.ts";
import { installationLink, type InstallationLink } from "./hooks/installation.ts";
import { createHooksRouter, createOauthRouter } from "./hooks/router.ts";
import { exchangeCode } from "./http/code-exchange.ts";
import type { HttpPools } from "./http/http-pools.ts";
import { createVendorHttp } from "./http/vendor-client.ts";
import type { Clock } from "./model/clock.ts";
import { SyncError } from "./model/errors.ts";
import type { Logger } from "./model/log.ts";

export interface HookRoom {
  readonly oauth: Router;
  readonly hooks: Router;
  /** @throws InstallationRefusal */
  readonly link: (lane: Lane, by: string) => InstallationLink;
}

/** Vendors' way in, wired: installations by browser, signed notices. */
export function createHookRoom(parts: {
  readonly store: Store;
  readonly vault: SecretVault;
  readonly sealKey: SealKey;
  readonly pools: HttpPools;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly publicUrl: string;
  /** Where a sandbox's vendors are. */
  readonly simulated: (vendor: string) => string | undefined;
}): HookRoom {
  const { store, vault, pools, clock, publicUrl } = parts;
  const logger = parts.logger.child({ room: "hooks" });
  const baseUrlOf = (lane: Lane): string =>
    parts.simulated(lane.vendor) ??
    lane.baseUrl ??
    vendorAccessOf(lane.vendor, lane.profile)?.defaultBaseUrl ??
    "";
  const deps: HookDeps = {
    ...{ store, clock, logger, publicUrl, baseUrlOf },
    actor: { kind: "system", id: "hooks" },
    sealKey: parts.sealKey.bytes,
    appOf: (vendor) => (Object.hasOwn(vendorApps, vendor) ? vendorApps[vendor] : undefined),
    openApp: async (tenantId, ref) => {
      const { secret } = await vault.open(tenantId, ref);
      const at = secret.indexOf(":");
      if (at <= 0)
        throw new SyncError(
          "CREDENTIAL_MISSING",
          `the credential ${ref} is not of the form id:secret`,
        );
      return { id: secret.slice(0, at), secret: secret.slice(at + 1) };
    },
    exchangeCode: ({ url, body }) =>
      exchangeCode(pools, { url, body, clearText: url.startsWith("http://127.0.0.1:") }),
    tryToken: (lane, token) => tryToken(parts, logger, baseUrlOf(lane), lane, token),
    keepToken: async (tenantId, name, token, actor) => {
      await vault.put(tenantId, name, token, actor);
    },
  };
  return {
    oauth: createOauthRouter(deps),
    hooks: createHooksRouter(deps),
    link: (lane, by) => installationLink(deps, lane, by),
  };
}

/** One look with a token that is not kept yet: only reads. */
async function tryToken(
  { pools, clock }: { readonly pools: HttpPools; readonly clock: Clock },
  logger: Logger,
  baseUrl: string,
  lane: Lane,
  token: string,
): ReturnType<HookDeps["tryToken"]> {
  const connector = connectorOf(lane.vendor, "default") ?? connectorOf(lane.vendor, lane.profile);
  const access = vendorAccessOf(lane.vendor, lane.profile);
  if (connector === undefined || access === undefined)
    throw new Error(`no connector for ${lane.vendor}/${lane.profile}`);
  const abort = new AbortController();
  const http = createVendorHttp({
    facts: connector.facts,
    baseUrl,
    clearText: baseUrl.startsWith("http://127.0.0.1:"),
    headers: () => Promise.resolve(access.authHeaders(token)),
    mode: () => "report-only",
    governor: { admit: () => Promise.resolve(), settled: () => undefined },
    signal: abort.signal,
    ...{ clock, logger, pools },
  });
  const report = await connector.check({ http, signal: abort.signal, now: () => clock.now() });
  return {
    organization: report.organization,
    installedBy: report.credential.owner,
    notes: report.notes,
  };
}
