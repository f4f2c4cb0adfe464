import type { Router } from "express";
import type { Store } from "./adapters/store.ts";
import { connectReport } from "./apply/connect.ts";
import { keyHands } from "./apply/key-hands.ts";
import { endRefusals, endThing, thingsReport } from "./apply/things-report.ts";
import { checkpointPath, lastCheckpoint, readCheckpoints } from "./audit/checkpoint.ts";
import { storeSource } from "./audit/export.ts";
import { verifyAudit } from "./audit/verify.ts";
import type { Callers } from "./callers.ts";
import type { Config } from "./config/config.ts";
import { connectorOf, vendorFactsOf } from "./connectors/registry.ts";
import { createApi } from "./console/api.ts";
import { OperationError, type ConsoleDeps } from "./console/operation.ts";
import { allOperations } from "./console/operations/all.ts";
import { createConsole, type ConsoleOptions } from "./console/pages/router.ts";
import type { SecretVault } from "./credentials/secret-vault.ts";
import { endSession, makeSignInCode, openSession, useSignInCode } from "./credentials/sign-in.ts";
import { issueToken } from "./credentials/tokens.ts";
import type { Engine } from "./engine.ts";
import { loadMappings, type LoadedTenant } from "./mapping/load.ts";
import { rollOut } from "./mapping-files.ts";
import { systemClock, type Clock } from "./model/clock.ts";
import type { TenantId } from "./model/ids.ts";
import type { Logger } from "./model/log.ts";
import { homeOf } from "./open-store.ts";
import { leaverFactsOf } from "./scheduled-loops.ts";
import type { Trends } from "./telemetry/trends.ts";

export interface ConsoleParts {
  readonly engine: Engine;
  readonly store: Store;
  readonly vault: SecretVault;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly callers: Callers;
  readonly publicUrl: string;
  readonly channels: readonly string[];
  readonly hr: ConsoleDeps["hr"];
  readonly installLink: ConsoleDeps["installLink"];
  readonly trends: () => Trends;
}

/** What an operator has: `/api/v1` and, over the same operations, the console's pages. */
export interface ConsoleRoom {
  readonly api: Router;
  readonly pages: Router;
  /** Where browsers find the console, as far as this process knows: told once its port is open. */
  readonly openedAt: (operatorUrl: string) => void;
  /** Ends the streams of open pages. */
  readonly close: () => void;
}

export function createConsoleRoom(config: Config, parts: ConsoleParts): ConsoleRoom {
  const { store, clock, callers } = parts;
  const logger = parts.logger.child({ room: "console" });
  let consoleUrl = config.consoleUrl ?? `http://127.0.0.1:${String(config.operatorPort)}`;
  const deps = operationDeps(config, parts, () => consoleUrl);
  const api = createApi(deps, {
    defaultTenant: config.tenantId,
    operations: allOperations,
    logger,
    authenticate: callers.operator,
  });
  const { router, close } = createConsole(deps, {
    operations: allOperations,
    sessions: {
      who: callers.session,
      open: (code, address) => useSignInCode({ store, clock }, code, address),
      end: async (session, actor) => {
        await endSession({ store, clock }, session, actor);
        callers.tokensChanged();
      },
    },
    ...oidcPart(config, parts, () => consoleUrl),
    secure: consoleUrl.startsWith("https:"),
    // Browsers wait in wall time, however fast domain time runs.
    wallClock: systemClock(),
    logger,
  });
  return {
    api,
    pages: router,
    openedAt: (operatorUrl) => {
      consoleUrl = config.consoleUrl ?? operatorUrl;
    },
    close,
  };
}

/** Sign-in by OpenID Connect, where the environment asks for it: links are off then. */
function oidcPart(
  config: Config,
  { store, clock, logger }: ConsoleParts,
  consoleUrl: () => string,
): Pick<ConsoleOptions, "oidc"> {
  if (config.oidc === undefined) return {};
  return {
    oidc: {
      settings: config.oidc,
      consoleUrl,
      tenantId: config.tenantId,
      openSession: (tenantId, person, actor) =>
        openSession({ store, clock }, tenantId, person, actor),
      logger,
    },
  };
}

function operationDeps(config: Config, parts: ConsoleParts, consoleUrl: () => string): ConsoleDeps {
  const { engine, store, vault, clock, publicUrl, channels, hr, installLink, callers } = parts;
  const read = async (tenantId: TenantId): Promise<LoadedTenant | undefined> =>
    (await loadMappings(config.mappingsDir, vendorFactsOf, [tenantId]))[0];
  return {
    ...engine.sync,
    ...{ store, publicUrl, channels, hr, installLink, trends: parts.trends },
    tokensChanged: callers.tokensChanged,
    connect: (lane) => connectReport(engine.apply, lane),
    things: (lane) => thingsReport(engine.apply, lane),
    endThing: async (lane, wish) => {
      const answer = await endThing(engine.apply, lane, wish);
      return answer === "ended" ? undefined : endRefusals[answer];
    },
    keys: keyHands(engine.apply),
    lastCheckpoint: (tenantId) => lastCheckpoint(checkpointPath(config.checkpointsDir, tenantId)),
    version: config.version,
    world: config.world,
    instanceId: store.stamp.instanceId,
    home: homeOf(config),
    issueToken: (tenantId, draft, actor) => issueToken({ store, clock }, tenantId, draft, actor),
    signInLink: async (tenantId, person, actor) => {
      if (config.oidc !== undefined)
        throw new OperationError(
          403,
          `people sign in at ${consoleUrl()}/console with their company account: links are off`,
        );
      const { code, expiresAt } = await makeSignInCode({ store, clock }, tenantId, person, actor);
      return { url: `${consoleUrl()}/console/sign-in?code=${encodeURIComponent(code)}`, expiresAt };
    },
    verifyAudit: async (tenantId) =>
      verifyAudit(
        await storeSource(store, tenantId),
        readCheckpoints(checkpointPath(config.checkpointsDir, tenantId)),
      ),
    putCredential: (tenantId, name, secret, actor) => vault.put(tenantId, name, secret, actor),
    reseal: (tenantId, actor) => vault.reseal(tenantId, actor),
    proposeMappings: async (tenantId, actor, author) =>
      rollOut({ config, engine, store }, tenantId, await read(tenantId), actor, author),
    leaverFacts: leaverFactsOf(connectorOf),
    backlog: async () => store.recomputeBacklog(clock.now()),
  };
}
