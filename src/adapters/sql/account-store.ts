import type { AccountStore } from "../../accounts/account-store.ts";
import type { HoldId } from "../../model/ids.ts";
import type { Asked, Commanded } from "./account-args.ts";
import * as findings from "./account-findings.ts";
import * as gate from "./account-gate.ts";
import * as holds from "./account-holds.ts";
import * as lanes from "./account-lanes.ts";
import * as links from "./account-links.ts";
import * as observations from "./account-observations.ts";
import { lockRails, reserveEntries } from "./account-rails.ts";
import * as sync from "./account-sync.ts";
import * as targets from "./account-targets.ts";
import { writeAlso } from "./also.ts";
import type { Database, Steps } from "./database.ts";
import type { Commands, Engine, Queries } from "./engine.ts";

function* reserveRail(
  db: Database,
  { tenantId, command, also }: Commanded<"reserveRail">,
): Steps<{ readonly opened: readonly HoldId[] }> {
  const { connectionId, identityId, rail, now } = command;
  const target = { tenantId, connectionId, identityId };
  yield* lockRails(db, tenantId, [{ connectionId, rail }]);
  yield* db.lock(
    "SELECT 1 FROM targets WHERE tenant_id = ? AND connection_id = ? AND identity_id = ? FOR NO KEY UPDATE",
    tenantId,
    connectionId,
    identityId,
  );
  const opened = yield* reserveEntries(db, target, rail, { cancelOthers: false, now });
  yield* writeAlso(db, tenantId, also, now);
  return { opened };
}

export const accountCommands = {
  commitSync: sync.commitSync,
  leaseTargets: targets.leaseTargets,
  renewLease: targets.renewLease,
  releaseTarget: targets.releaseTarget,
  wakeTargets: targets.wakeTargets,
  insertIntent: gate.insertIntent,
  finishIntent: gate.finishIntent,
  noteNegativeRead: gate.noteNegativeRead,
  changeLink: links.changeLink,
  changeLedger: links.changeLedger,
  recordLook: observations.recordLook,
  recordListing: observations.recordListing,
  finishListing: observations.finishListing,
  recordObjects: observations.recordObjects,
  reserveRail,
  decideHold: holds.decideHold,
  upsertLane: lanes.upsertLane,
  updateLane: lanes.updateLane,
  drawTokens: lanes.drawTokens,
  restBucket: lanes.restBucket,
  setStop: lanes.setStop,
  raiseFindings: findings.raiseFindings,
  resolveFindings: findings.resolveFindings,
} satisfies Commands;

export const accountQueries = {
  readPeople: sync.readPeople,
  getTarget: targets.getTarget,
  listTargets: targets.listTargets,
  targetCounts: targets.targetCounts,
  nextTargetDueAt: targets.nextTargetDueAt,
  openIntents: gate.openIntents,
  listIntents: gate.listIntents,
  getLink: links.getLink,
  findLinks: links.findLinks,
  listLinks: links.listLinks,
  listLedger: links.listLedger,
  listObserved: observations.listObserved,
  listObservedGrants: observations.listObservedGrants,
  countObserved: observations.countObserved,
  listObjects: observations.listObjects,
  listRailEntries: holds.listRailEntries,
  listHolds: holds.listHolds,
  getHold: holds.getHold,
  getLane: lanes.getLane,
  listLanes: lanes.listLanes,
  listStops: lanes.listStops,
  listFindings: findings.listFindings,
} satisfies Queries;

/** The account port over an engine: shapes arguments and answers, decides nothing. */
export function accountStore(engine: Engine): AccountStore {
  return {
    ...targetMethods(engine),
    ...gateMethods(engine),
    ...linkMethods(engine),
    ...observationMethods(engine),
    ...railMethods(engine),
    ...laneMethods(engine),
    ...findingMethods(engine),
  };
}

type Methods<Name extends keyof AccountStore> = Pick<AccountStore, Name>;

function targetMethods(
  engine: Engine,
): Methods<
  | "readPeople"
  | "commitSync"
  | "leaseTargets"
  | "renewLease"
  | "releaseTarget"
  | "wakeTargets"
  | "getTarget"
  | "listTargets"
  | "targetCounts"
  | "nextTargetDueAt"
> {
  return {
    readPeople: (tenantId, identityIds) => engine.read(sync.readPeople, { tenantId, identityIds }),
    commitSync: (tenantId, command, also) =>
      engine.write(sync.commitSync, { tenantId, command, also }),
    leaseTargets: (command) => engine.write(targets.leaseTargets, command),
    renewLease: (tenantId, command) => engine.write(targets.renewLease, { tenantId, command }),
    releaseTarget: (tenantId, command, also) =>
      engine.write(targets.releaseTarget, { tenantId, command, also }),
    wakeTargets: (tenantId, command, also) =>
      engine.write(targets.wakeTargets, { tenantId, command, also }),
    getTarget: (tenantId, connectionId, identityId) =>
      engine.read(targets.getTarget, { tenantId, connectionId, identityId }),
    listTargets: (tenantId, command) => engine.read(targets.listTargets, { tenantId, command }),
    targetCounts: (tenantId) => engine.read(targets.targetCounts, { tenantId: tenantId ?? null }),
    nextTargetDueAt: () => engine.read(targets.nextTargetDueAt, null),
  };
}

function gateMethods(
  engine: Engine,
): Methods<"insertIntent" | "finishIntent" | "openIntents" | "noteNegativeRead" | "listIntents"> {
  return {
    insertIntent: (tenantId, command) => engine.write(gate.insertIntent, { tenantId, command }),
    finishIntent: async (tenantId, command, also) => {
      await engine.write(gate.finishIntent, { tenantId, command, also });
    },
    openIntents: (tenantId, connectionId, identityId) =>
      engine.read(gate.openIntents, { tenantId, connectionId, identityId }),
    noteNegativeRead: async (tenantId, command) => {
      await engine.write(gate.noteNegativeRead, { tenantId, command });
    },
    listIntents: (tenantId, connectionId, identityId, limit) =>
      engine.read(gate.listIntents, { tenantId, connectionId, identityId, limit }),
  };
}

function linkMethods(
  engine: Engine,
): Methods<"getLink" | "findLinks" | "listLinks" | "changeLink" | "listLedger" | "changeLedger"> {
  return {
    getLink: (tenantId, connectionId, identityId) =>
      engine.read(links.getLink, { tenantId, connectionId, identityId }),
    findLinks: (tenantId, connectionId, accountIds) =>
      engine.read(links.findLinks, { tenantId, connectionId, accountIds }),
    listLinks: (tenantId, command) => engine.read(links.listLinks, { tenantId, command }),
    changeLink: async (tenantId, command, also) => {
      await engine.write(links.changeLink, { tenantId, command, also });
    },
    listLedger: (tenantId, connectionId, identityId) =>
      engine.read(links.listLedger, { tenantId, connectionId, identityId }),
    changeLedger: async (tenantId, command, also) => {
      await engine.write(links.changeLedger, { tenantId, command, also });
    },
  };
}

function observationMethods(
  engine: Engine,
): Methods<
  | "recordLook"
  | "recordListing"
  | "finishListing"
  | "listObserved"
  | "listObservedGrants"
  | "countObserved"
  | "recordObjects"
  | "listObjects"
> {
  return {
    recordLook: async (tenantId, command) => {
      await engine.write(observations.recordLook, { tenantId, command });
    },
    recordListing: (tenantId, command) =>
      engine.write(observations.recordListing, { tenantId, command }),
    finishListing: (tenantId, command) =>
      engine.write(observations.finishListing, { tenantId, command }),
    listObserved: (tenantId, command) =>
      engine.read(observations.listObserved, { tenantId, command }),
    listObservedGrants: (tenantId, connectionId, accountIds) =>
      engine.read(observations.listObservedGrants, { tenantId, connectionId, accountIds }),
    countObserved: (tenantId, connectionId, roles) =>
      engine.read(observations.countObserved, { tenantId, connectionId, roles }),
    recordObjects: (tenantId, command) =>
      engine.write(observations.recordObjects, { tenantId, command }),
    listObjects: (tenantId, connectionId) =>
      engine.read(observations.listObjects, { tenantId, connectionId }),
  };
}

function railMethods(
  engine: Engine,
): Methods<"reserveRail" | "listRailEntries" | "listHolds" | "getHold" | "decideHold"> {
  return {
    reserveRail: (tenantId, command, also) =>
      engine.write(reserveRail, { tenantId, command, also }),
    listRailEntries: (tenantId, command) =>
      engine.read(holds.listRailEntries, { tenantId, command }),
    listHolds: (tenantId, command) => engine.read(holds.listHolds, { tenantId, command }),
    getHold: (tenantId, holdId) => engine.read(holds.getHold, { tenantId, holdId }),
    decideHold: (tenantId, command, also) =>
      engine.write(holds.decideHold, { tenantId, command, also }),
  };
}

function laneMethods(
  engine: Engine,
): Methods<
  | "upsertLane"
  | "getLane"
  | "listLanes"
  | "updateLane"
  | "drawTokens"
  | "restBucket"
  | "setStop"
  | "listStops"
> {
  return {
    upsertLane: async (tenantId, command, also) => {
      await engine.write(lanes.upsertLane, { tenantId, command, also });
    },
    getLane: (tenantId, connectionId) => engine.read(lanes.getLane, { tenantId, connectionId }),
    listLanes: (tenantId) => engine.read(lanes.listLanes, { tenantId: tenantId ?? null }),
    updateLane: async (tenantId, command, also) => {
      await engine.write(lanes.updateLane, { tenantId, command, also });
    },
    drawTokens: (tenantId, command) => engine.write(lanes.drawTokens, { tenantId, command }),
    restBucket: async (tenantId, command) => {
      await engine.write(lanes.restBucket, { tenantId, command });
    },
    setStop: async (tenantId, command, also) => {
      await engine.write(lanes.setStop, { tenantId, command, also });
    },
    listStops: (tenantId) => engine.read(lanes.listStops, { tenantId }),
  };
}

function findingMethods(
  engine: Engine,
): Methods<"raiseFindings" | "resolveFindings" | "listFindings"> {
  return {
    raiseFindings: (tenantId, command) =>
      engine.write(findings.raiseFindings, { tenantId, command } satisfies Asked<"raiseFindings">),
    resolveFindings: (tenantId, command) =>
      engine.write(findings.resolveFindings, { tenantId, command }),
    listFindings: (tenantId, command) => engine.read(findings.listFindings, { tenantId, command }),
  };
}
