import type { Roster } from "../model/roster.ts";

/** What a new roster is held against. */
export interface RosterContext {
  readonly workspaceId: string;
  readonly now: number;
  /** The last one that was accepted, if any. */
  readonly last: { readonly capturedAt: number; readonly count: number } | undefined;
  /** A roster older than this proves nothing any more, milliseconds. */
  readonly ageMaxMs: number;
  readonly adminRoles: readonly string[];
  /** A person says that the workspace really is so much smaller. */
  readonly shrinkAccepted: boolean;
}

/** Clocks of whoever captures may be ahead of ours by this much. */
const skewMaxMs = 5 * 60_000;

/**
 * Why a roster is not believed; empty: it is. One that is believed still removes nothing by itself: who is missing proves a removal
 * that waits for proof, and is no reason to write anything.
 */
export function objections(roster: Roster, context: RosterContext): readonly string[] {
  const { last, now } = context;
  const count = roster.members.length;
  const said: string[] = [];
  if (roster.workspaceId !== context.workspaceId) {
    said.push("it is of another workspace than the connection");
  }
  if (roster.capturedAt > now + skewMaxMs) said.push("it is from the future: look at the clock");
  if (now - roster.capturedAt > context.ageMaxMs) said.push("it is too old to prove anything");
  if (last !== undefined && roster.capturedAt <= last.capturedAt) {
    said.push("it is no newer than the one that was accepted last");
  }
  if (
    !roster.members.some(
      (member) => context.adminRoles.includes(member.role) && member.status === "active",
    )
  ) {
    said.push("nobody in it is an admin, which no workspace is without: it is not whole");
  }
  if (last !== undefined && !context.shrinkAccepted && shrinks(count, last.count)) {
    said.push(
      `it holds ${String(count)} members where there were ${String(last.count)}: say that this is right, or capture it again`,
    );
  }
  return said;
}

function shrinks(count: number, before: number): boolean {
  return before - count > Math.max(5, Math.floor(before * 0.1));
}
