import type { Clock, Instant } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import { newRecord, type Actor, type OperatorRole } from "../model/records.ts";
import type { CredentialStore, Token } from "./credential-store.ts";
import { issueToken, tokenHash } from "./tokens.ts";

export interface SignInDeps {
  readonly store: Pick<CredentialStore, "createToken" | "revokeToken" | "listLiveTokens">;
  readonly clock: Clock;
}

/** Who signs in: the name that the audit record has, and what they may do. */
export interface SignInPerson {
  readonly label: string;
  /** Undefined: everything. */
  readonly role: OperatorRole | undefined;
}

/** Long enough to go from a terminal to a browser. */
export const linkLifeMs = 10 * 60_000;
/** A working day: who works longer signs in again. */
export const sessionLifeMs = 12 * 3_600_000;

/** A code that can be changed for a session, once. */
export async function makeSignInCode(
  deps: SignInDeps,
  tenantId: TenantId,
  person: SignInPerson,
  actor: Actor,
): Promise<{ readonly code: string; readonly expiresAt: Instant }> {
  const expiresAt = deps.clock.now() + linkLifeMs;
  const { token } = await issueToken(
    deps,
    tenantId,
    { ...draftOf(person), purpose: "link", expiresAt },
    actor,
  );
  return { code: token, expiresAt };
}

/** Changes a code for a session; undefined: the code is unknown, over, or was used before. */
export async function useSignInCode(
  deps: SignInDeps,
  code: string,
  address: string,
): Promise<{ readonly session: string; readonly expiresAt: Instant } | undefined> {
  const link = await liveToken(deps, code, "link");
  if (link === undefined) return undefined;
  const { tenantId, label, role } = link;
  const actor: Actor = {
    kind: "operator",
    id: label,
    ...(role === undefined ? {} : { role }),
    address,
    credentialFingerprint: link.hash.slice(0, 12),
  };
  // Of two browsers that hold the same link one is let in.
  if (!(await end(deps, link, "sign_in.link_used", actor))) return undefined;
  return openSession(deps, tenantId, { label, role }, actor);
}

/** A session for somebody who proved who they are. */
export async function openSession(
  deps: SignInDeps,
  tenantId: TenantId,
  person: SignInPerson,
  actor: Actor,
): Promise<{ readonly session: string; readonly expiresAt: Instant }> {
  const expiresAt = deps.clock.now() + sessionLifeMs;
  const { token } = await issueToken(
    deps,
    tenantId,
    { ...draftOf(person), purpose: "session", expiresAt },
    actor,
  );
  return { session: token, expiresAt };
}

/** Ends a session; one that is over already stays so. */
export async function endSession(deps: SignInDeps, session: string, actor: Actor): Promise<void> {
  const token = await liveToken(deps, session, "session");
  if (token !== undefined) await end(deps, token, "session.ended", actor);
}

function draftOf({ label, role }: SignInPerson) {
  return {
    kind: "operator" as const,
    idpId: undefined,
    label,
    ...(role === undefined ? {} : { role }),
  };
}

async function liveToken(
  { store, clock }: SignInDeps,
  presented: string,
  purpose: Token["purpose"],
): Promise<Token | undefined> {
  const hash = tokenHash(presented);
  const live = await store.listLiveTokens("operator", clock.now());
  return live.find((token) => token.hash === hash && token.purpose === purpose);
}

function end(
  { store, clock }: SignInDeps,
  { tenantId, tokenId }: Token,
  action: string,
  actor: Actor,
): Promise<boolean> {
  const record = newRecord(clock, {
    actor,
    action,
    subject: { type: "token", id: tokenId },
    facts: {},
  });
  return store.revokeToken(
    tenantId,
    { tokenId, now: clock.now() },
    { records: [record], recompute: [] },
  );
}
