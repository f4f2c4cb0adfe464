import type { FindingDraft } from "../accounts/finding.ts";
import type { LeasedTarget } from "../accounts/target.ts";
import type { Call, Connector } from "../connectors/connector.ts";
import { slotKey } from "../model/entitlement.ts";
import type { Plan } from "../plan/step.ts";
import type { ApplyDeps } from "./apply-deps.ts";
import type { Look } from "./look.ts";

const planPrefix = ({ connectionId, identityId }: LeasedTarget) =>
  `plan:${connectionId}:${identityId}:`;

/** The keys of what the last plan of a target says and is open. */
export async function toldOf(
  deps: Pick<ApplyDeps, "store">,
  target: LeasedTarget,
): Promise<readonly string[]> {
  const { tenantId, connectionId, identityId } = target;
  const filter = { identityId, connectionId, open: true, limit: 200 };
  const findings = await deps.store.listFindings(tenantId, filter);
  const prefix = planPrefix(target);
  return findings.flatMap(({ key }) => (key.startsWith(prefix) ? [key] : []));
}

/** Says what a plan leaves alone, and takes back what is no longer so. Answers the keys of what it says, as `toldOf`. */
export async function reportPlan(
  deps: ApplyDeps,
  target: LeasedTarget,
  plan: Plan,
  look: Look,
  told: readonly string[],
): Promise<readonly string[]> {
  const { connectionId, identityId } = target;
  const prefix = planPrefix(target);
  const base = { connectionId, identityId };
  const findings: FindingDraft[] = plan.observations.map((item) => ({
    ...base,
    key: `${prefix}${item.kind}:${item.slot === null ? "" : slotKey(item.slot)}`,
    kind: item.kind,
    severity: item.kind === "unmanaged_admin" ? "warning" : "info",
    text: item.text,
    facts: item.facts,
  }));
  for (const item of plan.blocked) {
    // People have a task for it.
    if (item.line !== undefined) continue;
    findings.push({
      ...base,
      key: `${prefix}blocked:${item.code}:${item.slot === null ? "" : slotKey(item.slot)}`,
      kind: item.code === "OBJECT_UNKNOWN" ? "object_unknown" : "change_blocked",
      severity: target.desired.lifecycle === "departed" ? "urgent" : "warning",
      text: item.text,
      facts: { code: item.code },
    });
  }
  for (const account of look.lookalikes) {
    findings.push({
      ...base,
      key: `lookalike:${connectionId}:${account.accountId}`,
      kind: "unlinked_lookalike",
      severity: "urgent",
      text: "a leaver's address is on an account that is linked to nobody: link it with `rolecall link set`, or name its owner",
      facts: { accountId: account.accountId, role: account.role, state: account.state },
    });
  }
  const now = deps.clock.now();
  const keys = new Set(findings.map((item) => item.key));
  const over = told.filter((key) => !keys.has(key));
  if (over.length > 0) await deps.store.resolveFindings(target.tenantId, { keys: over, now });
  if (findings.length > 0) await deps.store.raiseFindings(target.tenantId, { findings, now });
  return [...keys].filter((key) => key.startsWith(prefix));
}

/** API keys outlive their maker at some vendors: before an account goes, its keys are named so that somebody rotates them. */
export async function reportRemainingKeys(
  deps: ApplyDeps,
  connector: Connector,
  call: Call,
  target: LeasedTarget,
  look: Look,
): Promise<void> {
  if (connector.keys === undefined || look.account === undefined || look.account.state !== "active")
    return;
  const keyIds: string[] = [];
  for await (const item of connector.keys.list(call, look.account)) {
    if ("complete" in item) break;
    const survives = item.principal === undefined || item.principal !== look.account.accountId;
    if (item.status === "active" && survives) keyIds.push(item.keyId);
  }
  if (keyIds.length === 0) return;
  await deps.store.raiseFindings(target.tenantId, {
    findings: [
      {
        key: `keys:${target.connectionId}:${target.identityId}`,
        kind: "api_keys_remain",
        severity: "urgent",
        connectionId: target.connectionId,
        identityId: target.identityId,
        text: "API keys that a leaver made go on working after the account is gone: rotate or deactivate them",
        facts: { keyIds },
      },
    ],
    now: deps.clock.now(),
  });
}
