import type { WorkItem } from "../connectors/connector.ts";
import type { VendorObject } from "../model/account.ts";
import type { Slot } from "../model/entitlement.ts";
import type { HeirPolicy } from "../model/policy.ts";

/** Which object takes an item over: the first declared one that fits and is there. Undefined: people move it. */
export function heirOfWork(
  heirs: HeirPolicy | undefined,
  objects: readonly VendorObject[],
  toKind: string,
  item: WorkItem,
): Slot | undefined {
  const labels = new Set(item.labels.map((label) => label.name.toLowerCase()));
  for (const entry of heirs?.work ?? []) {
    if (entry.label !== undefined && !labels.has(entry.label.toLowerCase())) continue;
    const named = objects.filter(
      (object) => object.kind === toKind && object.name === entry.to && !object.archived,
    );
    const [one] = named;
    if (one !== undefined && named.length === 1) return { kind: toKind, objectId: one.objectId };
  }
  return undefined;
}
