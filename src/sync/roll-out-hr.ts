import { isDeepStrictEqual } from "node:util";
import type { HrSettings } from "../model/hr-settings.ts";
import { newId, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { SyncDeps } from "./sync-deps.ts";

/** Stores what hr.yaml says, where it changed, and has everybody looked at again: which source decides may be another one now. */
export async function rollOutHr(
  deps: SyncDeps,
  tenantId: TenantId,
  settings: HrSettings | undefined,
  actor: Actor,
): Promise<void> {
  if (settings === undefined) return;
  // As it will be read back: JSON forgets what is undefined.
  const next = JSON.parse(JSON.stringify(settings)) as HrSettings;
  if (isDeepStrictEqual(await deps.store.getHrSettings(tenantId), next)) return;
  await deps.store.setHrSettings(
    tenantId,
    { settings: next },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: "hr.settings_changed",
          subject: { type: "tenant", id: tenantId },
          facts: {
            decide: next.employment.decide,
            sources: next.employment.order,
            leadMs: next.employment.leadMs,
            absence: next.employment.absence,
          },
        }),
      ],
      recompute: [],
      fanouts: [
        {
          fanoutId: newId(deps.clock),
          scope: { kind: "tenant" },
          cause: { kind: "hr" },
          urgent: false,
        },
      ],
    },
  );
  deps.ringRelay();
}
