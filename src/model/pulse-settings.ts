import type { IdentityFacts } from "./identity.ts";
import type { ConnectionId, IdpId } from "./ids.ts";

/** `pulse.yaml`, defaults filled in: the synthetic person who joins and leaves every day to show that both still work. */
export interface PulseSettings {
  /** Folded address; the userName too. A mailbox that nobody works with. */
  readonly email: string;
  readonly givenName: string;
  readonly familyName: string;
  /** SCIM attributes that rules may ask. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Groups of the pulse's own IdP connection that hold the person. At least one. */
  readonly groups: readonly string[];
  /** Where they must arrive. Empty: the files have no such place, so that every run is missed. */
  readonly connections: readonly ConnectionId[];
  /** From one join to the next. */
  readonly everyMs: number;
  /** From the join until they have arrived everywhere, and from the leave until they are gone everywhere. */
  readonly withinMs: number;
}

/** The IdP connection that the pulse owns: what it says never mixes with what an identity provider says. */
export const pulseIdp = "pulse" as IdpId;

/** Whether nobody but the pulse ever spoke of the identity. */
export function isSynthetic({
  sources,
  employment,
}: Pick<IdentityFacts, "sources" | "employment">): boolean {
  return (
    employment === undefined &&
    sources.length > 0 &&
    sources.every((source) => source.idpId === pulseIdp)
  );
}
