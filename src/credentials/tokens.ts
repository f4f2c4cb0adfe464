import { hash as hashOnce, timingSafeEqual } from "node:crypto";
import type { Clock, Instant } from "../model/clock.ts";
import { InputError } from "../model/errors.ts";
import { newId, type IdpId, type TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import { newRecord, type Actor, type OperatorRole } from "../model/records.ts";
import type { CredentialStore, Token } from "./credential-store.ts";

export interface TokenDraft {
  readonly kind: Token["kind"];
  /** For `scim`: the IdP connection that the token speaks for. */
  readonly idpId: IdpId | undefined;
  readonly label: string;
  /** For `operator`; absent: it may do everything. */
  readonly role?: OperatorRole;
  readonly purpose?: NonNullable<Token["purpose"]>;
  readonly expiresAt: Instant | undefined;
}

export interface IssueDeps {
  readonly store: Pick<CredentialStore, "createToken" | "listLiveTokens">;
  readonly clock: Clock;
}

const prefixes = { scim: "rc_scim_", operator: "rc_op_", access: "rc_access_" } as const;
const secretBytes = 32;
/** Of a token that a person brings along: enough that guessing is hopeless if it is random. */
const ownTokenMin = 24;

/** SHA-256 (hex) of a token: all that is kept of it. */
export function tokenHash(token: string): string {
  return hashOnce("sha256", token, "hex");
}

/** The text of a new token, 256 random bits behind a prefix that secret scanners know it by. */
export function makeToken(kind: Token["kind"], clock: Clock): string {
  return `${prefixes[kind]}${Buffer.from(clock.bytes(secretBytes)).toString("base64url")}`;
}

/** Makes a token with 256 random bits. The answer is the only place where it is ever seen. */
export async function issueToken(
  deps: IssueDeps,
  tenantId: TenantId,
  draft: TokenDraft,
  actor: Actor,
): Promise<{ readonly tokenId: string; readonly token: string }> {
  const token = makeToken(draft.kind, deps.clock);
  return { tokenId: await keepToken(deps, tenantId, draft, token, actor), token };
}

/**
 * Makes a token of the operator's own choosing valid (ROLECALL_SCIM_TOKEN, ROLECALL_ADMIN_TOKEN); one that is live stays as it is.
 * @throws InputError when it is too short to be a secret, or already speaks for something else
 */
export async function ensureToken(
  deps: IssueDeps,
  tenantId: TenantId,
  draft: TokenDraft,
  token: string,
  actor: Actor,
): Promise<{ readonly tokenId: string; readonly made: boolean }> {
  if (token.length < ownTokenMin || /\s/.test(token)) {
    throw new InputError("the given token cannot be used", [
      `a token has at least ${String(ownTokenMin)} characters and no white space: make one with \`openssl rand -hex 32\``,
    ]);
  }
  const hash = tokenHash(token);
  const live = await deps.store.listLiveTokens(draft.kind, deps.clock.now());
  const known = live.find((item) => item.hash === hash);
  if (known === undefined)
    return { tokenId: await keepToken(deps, tenantId, draft, token, actor), made: true };
  if (known.tenantId !== tenantId || known.idpId !== draft.idpId) {
    throw new InputError("the given token cannot be used", [
      "it speaks for another tenant or IdP connection already: take another one",
    ]);
  }
  return { tokenId: known.tokenId, made: false };
}

async function keepToken(
  deps: IssueDeps,
  tenantId: TenantId,
  draft: TokenDraft,
  token: string,
  actor: Actor,
): Promise<string> {
  const tokenId = newId(deps.clock);
  const hash = tokenHash(token);
  await deps.store.createToken(
    tenantId,
    { ...draft, tokenId, hash, createdAt: deps.clock.now() },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: "token.created",
          subject: { type: "token", id: tokenId },
          facts: {
            kind: draft.kind,
            label: draft.label,
            ...(draft.role === undefined ? {} : { role: draft.role }),
            ...(draft.purpose === undefined ? {} : { purpose: draft.purpose }),
            fingerprint: hash.slice(0, 12),
            ...(draft.idpId === undefined ? {} : { idpId: draft.idpId }),
            ...(draft.expiresAt === undefined ? {} : { expiresAt: draft.expiresAt }),
          },
        }),
      ],
      recompute: [],
    },
  );
  return tokenId;
}

export interface TokenCheck {
  /**
   * The live token that was presented; undefined for any other text. A change by another process is seen within a quarter of a
   * second, a new token at once.
   */
  check(presented: string): Promise<Token | undefined>;
  /** Tokens changed here: the next check asks the store. */
  forget(): void;
}

export interface TokenCheckDeps {
  readonly store: Pick<CredentialStore, "listLiveTokens" | "tokenEpoch" | "touchToken">;
  readonly kind: Token["kind"];
  readonly clock: Clock;
  readonly logger: Logger;
}

type LiveTokens = ReadonlyMap<string, Token>;

const touchMs = 60_000;
/** A session that nobody used for so long is over, whenever it would have ended. */
export const sessionIdleMs = 2 * 3_600_000;
/** How long the store is not asked again whether tokens changed: asking costs a request as much as its log line. */
const trustMs = 250;

/** Checks presented tokens of one kind against the live ones, kept in memory until any token changes. */
export function createTokenCheck(deps: TokenCheckDeps): TokenCheck {
  let cache: { readonly epoch: number; readonly live: Promise<LiveTokens> } | undefined;
  let trustedUntil = -Infinity;
  let forgotten = 0;
  const touchedAt = new Map<string, Instant>();

  const load = async (): Promise<LiveTokens> => {
    const tokens = await deps.store.listLiveTokens(deps.kind, deps.clock.now());
    return new Map(tokens.map((token) => [token.hash, token]));
  };
  const liveTokens = async (): Promise<LiveTokens> => {
    // Taken before the question, so that a change while it is asked is asked about again.
    const [until, before] = [deps.clock.monotonic() + trustMs, forgotten];
    // The epoch is read before the list: what changes between the two is seen again by the next request.
    const epoch = await deps.store.tokenEpoch();
    if (cache?.epoch !== epoch) cache = { epoch, live: load() };
    const mine = cache;
    try {
      const tokens = await mine.live;
      if (forgotten === before) trustedUntil = until;
      return tokens;
    } catch (error) {
      if (cache === mine) cache = undefined;
      throw error;
    }
  };
  const touch = (token: Token, now: Instant): void => {
    const last = touchedAt.get(token.tokenId) ?? token.lastUsedAt;
    if (last !== undefined && now - last < touchMs) return;
    touchedAt.set(token.tokenId, now);
    deps.store
      .touchToken(token.tenantId, { tokenId: token.tokenId, at: now })
      .catch((error: unknown) => {
        deps.logger.warn({ err: error, tokenId: token.tokenId }, "use of a token not noted");
      });
  };
  const idle = (token: Token, now: Instant): boolean => {
    const seen = [token.createdAt, token.lastUsedAt ?? 0, touchedAt.get(token.tokenId) ?? 0];
    return token.purpose === "session" && now - Math.max(...seen) > sessionIdleMs;
  };
  return {
    check: async (presented) => {
      const hash = tokenHash(presented);
      // The look-up's time tells about the hash of a guess only, from which no token can be had.
      const trusted = deps.clock.monotonic() < trustedUntil ? await cache?.live : undefined;
      const token = trusted?.get(hash) ?? (await liveTokens()).get(hash);
      if (token === undefined) return undefined;
      if (!timingSafeEqual(Buffer.from(token.hash, "hex"), Buffer.from(hash, "hex")))
        return undefined;
      const now = deps.clock.now();
      if (token.expiresAt !== undefined && token.expiresAt <= now) return undefined;
      // What another process saw of it is in the store alone.
      if (idle(token, now) && idle((await load()).get(hash) ?? token, now)) return undefined;
      touch(token, now);
      return token;
    },
    forget: () => {
      forgotten += 1;
      trustedUntil = -Infinity;
    },
  };
}
