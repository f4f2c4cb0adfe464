import type { Router } from "express";
import type { Store } from "./adapters/store.ts";
import type { Config } from "./config/config.ts";
import { sealBytes, unsealBytes } from "./credentials/seal-bytes.ts";
import type { SealKey } from "./credentials/seal.ts";
import type { SecretVault } from "./credentials/secret-vault.ts";
import type { HrDeps } from "./hr/hr-deps.ts";
import { createHrDesk, type HrDesk } from "./hr/hr-desk.ts";
import { createHrLoop, type HrLoop } from "./hr/hr-loop.ts";
import { createHrRouter } from "./hr/router.ts";
import { sealedUploads } from "./hr/sealed-uploads.ts";
import type { Clock } from "./model/clock.ts";
import { SyncError } from "./model/errors.ts";
import { asId, type IdentityId, type TenantId } from "./model/ids.ts";
import type { Logger, Metrics } from "./model/log.ts";

export interface HrRoom extends HrLoop {
  readonly router: Router;
  readonly desk: HrDesk;
}

/** HR's way in, wired: the signed endpoints, the desk of operators, and what looks after uploads and files. */
export function createHrRoom(
  config: Pick<Config, "tenantId" | "hrFolder">,
  parts: {
    readonly store: Store;
    readonly vault: SecretVault;
    readonly sealKey: SealKey;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly metrics: Metrics;
    readonly onCommit: () => void;
  },
): HrRoom {
  const { store, vault, sealKey, clock, metrics, onCommit } = parts;
  const named = (tenantId: TenantId, uploadId: string) => ({ tenantId, name: `hr/${uploadId}` });
  const logger = parts.logger.child({ room: "hr" });
  const deps: HrDeps = {
    store: sealedUploads(store, {
      seal: (tenantId, id, body) => sealBytes(sealKey, named(tenantId, id), body, clock),
      open: (tenantId, id, body) => unsealBytes(sealKey, named(tenantId, id), body),
    }),
    clock,
    logger,
    metrics,
    onCommit,
    raiseFinding: async (tenantId, { identityId, ...finding }) => {
      const whose = identityId === undefined ? {} : { identityId: asId<IdentityId>(identityId) };
      await store.raiseFindings(tenantId, {
        findings: [{ ...finding, ...whose }],
        now: clock.now(),
      });
    },
  };
  const desk = createHrDesk({
    ...deps,
    putSecret: (tenantId, name, secret, actor) => vault.put(tenantId, name, secret, actor),
  });
  const router = createHrRouter({
    ...deps,
    defaultTenant: config.tenantId,
    openSecrets: async (tenantId, sourceId) => {
      const secrets = await store.listHrSecrets(tenantId, sourceId, clock.now());
      const opened = await Promise.all(
        secrets.map(({ secretName }) => openOrMiss(vault, tenantId, secretName, logger)),
      );
      return opened.flatMap((item) => (item === undefined ? [] : [item]));
    },
  });
  const loop = createHrLoop({ ...deps, desk, folder: config.hrFolder, tenantId: config.tenantId });
  return { router, desk, ...loop };
}

/** One secret that cannot be opened (another seal key, removed by hand) does not silence the others. */
async function openOrMiss(
  vault: SecretVault,
  tenantId: TenantId,
  secretName: string,
  logger: Logger,
) {
  try {
    return await vault.open(tenantId, `sealed:${secretName}`);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    logger.error({ err: error, tenantId, secretName }, "an HR secret cannot be opened");
    return undefined;
  }
}
