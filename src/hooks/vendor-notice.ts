import { createHmac, timingSafeEqual } from "node:crypto";
import type { Lane } from "../accounts/lane.ts";
import { SyncError } from "../model/errors.ts";
import type { VendorApp } from "../model/vendor-app.ts";
import type { HookDeps } from "./hook-deps.ts";

export type NoticeAnswer = "taken" | "unsigned" | "unreadable" | "other_workspace";

/**
 * A signed notice of the vendor: a hint that something changed, and never the truth. It brings the next look forward; doubled, late, out of
 * order or missing notices change nothing else.
 */
export async function takeNotice(
  deps: HookDeps,
  lane: Lane,
  app: VendorApp,
  body: Buffer,
  signature: string | undefined,
): Promise<NoticeAnswer> {
  if (!(await isSigned(deps, lane, app, body, signature))) return "unsigned";
  const notice = app.noticeOf(parsed(body));
  if (notice === undefined) return "unreadable";
  if (notice.means === "ping") return "taken";
  if (lane.organization !== null && notice.organizationId !== lane.organization.id)
    return "other_workspace";
  if (notice.means === "look") await lookSoon(deps, lane);
  return "taken";
}

/** An uninstallation is told unsigned: it only makes us ask the vendor, whose answer counts. */
export async function hearUninstalled(deps: HookDeps, lane: Lane): Promise<void> {
  const now = deps.clock.now();
  await deps.store.updateLane(
    lane.tenantId,
    { connectionId: lane.connectionId, set: { checkedAt: null, nextListAt: now }, now },
    { records: [], recompute: [] },
  );
}

async function lookSoon(deps: HookDeps, lane: Lane): Promise<void> {
  const now = deps.clock.now();
  if (lane.nextListAt !== null && lane.nextListAt <= now) return;
  await deps.store.updateLane(
    lane.tenantId,
    { connectionId: lane.connectionId, set: { nextListAt: now }, now },
    { records: [], recompute: [] },
  );
}

async function isSigned(
  deps: HookDeps,
  lane: Lane,
  app: VendorApp,
  body: Buffer,
  given: string | undefined,
): Promise<boolean> {
  const { prefix, algorithm } = app.signature;
  const ref = lane.policy.app;
  if (ref === undefined || given?.startsWith(prefix) !== true) return false;
  try {
    const { secret } = await deps.openApp(lane.tenantId, ref);
    const own = createHmac(algorithm, secret).update(body).digest();
    const told = Buffer.from(given.slice(prefix.length), "hex");
    return told.length === own.length && timingSafeEqual(told, own);
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    deps.logger.error(
      { code: error.code, connectionId: lane.connectionId },
      "a vendor's notice cannot be checked: the app's secret is missing",
    );
    return false;
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
