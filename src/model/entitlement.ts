/**
 * A slot is a place that holds at most one role per account: the organisation role (no object), the membership of one
 * workspace, one team. So an entitlement is slot + role, an exclusive set is a slot, and "the highest rank wins" is said once.
 */
export interface Slot {
  /** A kind of the connector: `org_role`, `workspace`, … */
  readonly kind: string;
  /** The vendor's id of the object; "" where the kind has none. */
  readonly objectId: string;
}

/** Desired or observed: this role in this slot. Kinds without roles use `member`. */
export interface Entitlement extends Slot {
  readonly role: string;
}

/** How a mapping file points to a vendor object; names are resolved on a complete read. */
export type ObjectRef =
  | { readonly by: "none" }
  | { readonly by: "id"; readonly id: string }
  | { readonly by: "name"; readonly name: string };

/** A slot as one string, for maps and primary keys. Neither part may hold a newline. */
export function slotKey(slot: Slot): string {
  return slot.objectId === "" ? slot.kind : `${slot.kind}\n${slot.objectId}`;
}

export function parseSlotKey(key: string): Slot {
  const at = key.indexOf("\n");
  return at < 0
    ? { kind: key, objectId: "" }
    : { kind: key.slice(0, at), objectId: key.slice(at + 1) };
}
