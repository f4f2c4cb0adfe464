import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { PulseSettings } from "../model/pulse-settings.ts";
import { newRecord, type Actor } from "../model/records.ts";
import type { PulseStore } from "./pulse-store.ts";

/** Stores what pulse.yaml says, where it changed; without the file there is no pulse any more. */
export async function declarePulse(
  { store, clock }: { readonly store: PulseStore; readonly clock: Clock },
  tenantId: TenantId,
  settings: PulseSettings | undefined,
  actor: Actor,
): Promise<void> {
  const known = await store.getPulse(tenantId);
  if (isDeepStrictEqual(known?.settings, settings)) return;
  const facts =
    settings === undefined
      ? {}
      : {
          groups: settings.groups,
          connections: settings.connections,
          everyMs: settings.everyMs,
          withinMs: settings.withinMs,
        };
  await store.setPulse(
    tenantId,
    { settings, now: clock.now() },
    {
      records: [
        newRecord(clock, {
          actor,
          action: settings === undefined ? "pulse.removed" : "pulse.declared",
          subject: { type: "tenant", id: tenantId },
          facts,
        }),
      ],
      recompute: [],
    },
  );
}
