import type { Lane } from "../accounts/lane.ts";
import type { Call, CheckReport, Connector } from "../connectors/connector.ts";
import { SyncError } from "../model/errors.ts";
import { newRecord } from "../model/records.ts";
import type { ApplyDeps } from "./apply-deps.ts";

/**
 * Makes sure that the credential answers for the organisation that this lane is pinned to, before any read is used. The first
 * answer pins; a known answer with the same credential is believed for a while.
 * @throws SyncError WRONG_ORGANIZATION and whatever the check itself meets
 */
export async function ensureChecked(
  deps: ApplyDeps,
  lane: Lane,
  connector: Connector,
  call: Call,
  credentialFingerprint: string,
): Promise<Lane> {
  const now = deps.clock.now();
  const fresh =
    lane.checkedAt !== null &&
    lane.checkedAt > now - deps.timing.checkMs &&
    lane.checkedCredential === credentialFingerprint &&
    lane.organization !== null;
  if (fresh) return lane;
  return believeCheck(deps, lane, await connector.check(call), credentialFingerprint);
}

/** Holds what a check answered against the pin; the first answer pins. @throws SyncError WRONG_ORGANIZATION */
export async function believeCheck(
  deps: Pick<ApplyDeps, "store" | "clock" | "actor">,
  lane: Lane,
  report: CheckReport,
  credentialFingerprint: string,
): Promise<Lane> {
  const now = deps.clock.now();
  const pinned = lane.organization;
  if (pinned !== null && pinned.id !== report.organization.id) {
    throw new SyncError(
      "WRONG_ORGANIZATION",
      `the credential answers for "${report.organization.name}" (${report.organization.id}), this connection is pinned to "${pinned.name}" (${pinned.id})`,
      { facts: { pinned: pinned.id, answered: report.organization.id } },
    );
  }
  const organization = pinned ?? report.organization;
  await deps.store.updateLane(
    lane.tenantId,
    {
      connectionId: lane.connectionId,
      set: {
        organization,
        ownAccountIds: report.ownAccountIds,
        checkedAt: now,
        checkedCredential: credentialFingerprint,
      },
      now,
    },
    {
      records:
        pinned !== null
          ? []
          : [
              newRecord(deps.clock, {
                actor: deps.actor,
                action: "connection.pinned",
                subject: { type: "connection", id: lane.connectionId },
                connectionId: lane.connectionId,
                facts: { organizationId: organization.id, organizationName: organization.name },
              }),
            ],
      recompute: [],
    },
  );
  return {
    ...lane,
    organization,
    ownAccountIds: report.ownAccountIds,
    checkedAt: now,
    checkedCredential: credentialFingerprint,
  };
}

/** Stops a lane that needs repair: nothing is lost, its targets stay due and go on when it is resumed. */
export async function pauseLane(deps: ApplyDeps, lane: Lane, error: SyncError): Promise<void> {
  const now = deps.clock.now();
  await deps.store.updateLane(
    lane.tenantId,
    {
      connectionId: lane.connectionId,
      set: {
        state: "paused",
        pause: { code: error.code, text: error.message, since: now },
        probeAt: now + 60_000,
        checkedAt: null,
      },
      now,
    },
    {
      records: [
        newRecord(deps.clock, {
          actor: deps.actor,
          action: "connection.paused",
          subject: { type: "connection", id: lane.connectionId },
          connectionId: lane.connectionId,
          facts: { code: error.code, text: error.message, ...error.facts },
        }),
      ],
      recompute: [],
    },
  );
  await deps.store.raiseFindings(lane.tenantId, {
    findings: [
      {
        key: `lane_paused:${lane.connectionId}`,
        kind: error.code === "WRONG_ORGANIZATION" ? "wrong_organization" : "lane_paused",
        severity: "urgent",
        connectionId: lane.connectionId,
        text: `the connection is paused: ${error.message}`,
        facts: { code: error.code },
      },
    ],
    now,
  });
  deps.logger.error(
    { tenantId: lane.tenantId, connectionId: lane.connectionId, code: error.code },
    "lane paused",
  );
}
