import type { Clock } from "./clock.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** One customer organisation. Lower-case kebab, 1 to 64 characters; the first part of every key. */
export type TenantId = Branded<"TenantId">;
/** One IdP connection of a tenant: the owner of its source users and groups. */
export type IdpId = Branded<"IdpId">;
/** A person as one IdP connection describes them; the SCIM `id` of a User. UUIDv7. */
export type SourceUserId = Branded<"SourceUserId">;
/** The SCIM `id` of a Group. UUIDv7. */
export type GroupId = Branded<"GroupId">;
/** The person. UUIDv7. */
export type IdentityId = Branded<"IdentityId">;
/** One tenant's workspace or organisation at one vendor; the name of its mapping file. */
export type ConnectionId = Branded<"ConnectionId">;
/** The vendor's own id of an account or of an open invitation; opaque. */
export type AccountId = Branded<"AccountId">;
/** One HR system of a tenant: the owner of its HR records and secrets. */
export type HrSourceId = Branded<"HrSourceId">;
/** One mapping version of one connection. UUIDv7. */
export type MappingVersionId = Branded<"MappingVersionId">;
/** One batch that waits for approval. UUIDv7. */
export type HoldId = Branded<"HoldId">;
/** One vendor write that was allowed. UUIDv7. */
export type IntentId = Branded<"IntentId">;
/** One thing that a person does by hand. UUIDv7. */
export type TaskId = Branded<"TaskId">;
/** One list of members that a person brought. UUIDv7. */
export type RosterId = Branded<"RosterId">;
/** One campaign in which people look at who has what. UUIDv7. */
export type ReviewId = Branded<"ReviewId">;
/** One piece of evidence beside a task. UUIDv7. */
export type EvidenceId = Branded<"EvidenceId">;

/** One leaver case. UUIDv7. */
export type CaseId = Branded<"CaseId">;

const namePattern = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** Whether `text` can name a tenant, an IdP connection or a connection. */
export function isName(text: string): boolean {
  return namePattern.test(text);
}

/** Brands a string that this process made or read back from its own store. */
export function asId<Id extends Branded<string>>(text: string): Id {
  return text as Id;
}

/** A new UUIDv7 (RFC 9562 §5.7): 48 bits of domain time, 74 random bits, so keys grow in time order. */
export function newId<Id extends Branded<string>>(clock: Clock): Id {
  const bytes = clock.bytes(16);
  const now = clock.now();
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) & 0xff;
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Buffer.from(bytes).toString("hex");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-") as Id;
}
