import { createHash } from "node:crypto";
import {
  createLocalJWKSet,
  decodeJwt,
  errors,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
} from "jose";
import { z } from "zod";
import type { Clock } from "../model/clock.ts";
import type { IdpId, TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import type { ScimDeps } from "./scim-call.ts";
import { ScimError } from "./scim-error.ts";

/** Whose tokens speak for an IdP connection (RFC 9068, RFC 7519): all three have to be in the token. */
export interface TokenSigner {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  /** `iss`. */
  readonly issuer: string;
  /** `aud`, or one of them. */
  readonly audience: string;
  /** The client that the token was given to: `client_id`, `azp`, `appid`, `cid`, else `sub`. */
  readonly client: string;
  /** Where the issuer shows its public keys (RFC 7517 section 5). */
  readonly keysUrl: string;
}

export interface SignedTokenDeps {
  /** Of all tenants, as they are now. */
  readonly signers: () => Promise<readonly TokenSigner[]>;
  /** A JSON document of the internet; refuses addresses that lead inside. */
  readonly fetchDocument: (url: string) => Promise<unknown>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Asymmetric ones only: who can check a token must not be able to make one. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];
const clockToleranceSeconds = 60;
/** A token that was made longer ago is not taken, whatever it says of its end. */
const ageMax = "24h";
/** Keys are asked for again after this, or, at most every half minute, for a key id that is not among them. */
const keysMs = 10 * 60_000;
const againMs = 30_000;
/** While the issuer does not answer, known keys serve for this long. */
const staleMs = 24 * 3_600_000;

const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

interface Keys {
  readonly find: JWTVerifyGetKey;
  readonly at: number;
}

/** Whether the text has the form of a signed token; our own tokens never have. */
export function looksSigned(token: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
}

/**
 * Checks signed tokens of identity providers that get them by the client credentials grant (RFC 6749 section 4.4) from an authorization server of
 * their own. Undefined: nobody's. @throws ScimError 503 where the issuer's keys cannot be had, so that nobody takes an outage for a refusal
 */
export function createSignedTokens(deps: SignedTokenDeps): ScimDeps["authenticate"] {
  const keys = new IssuerKeys(deps);
  return async (token, address) => {
    const claims = claimsOf(token);
    if (claims === undefined) return undefined;
    const signer = (await deps.signers()).find((item) => isMeant(item, claims));
    if (signer === undefined) return undefined;
    const good = await verify(deps, keys, signer, token);
    if (!good) return undefined;
    const { tenantId, idpId, issuer, audience, client } = signer;
    const fingerprint = createHash("sha256")
      .update(`${issuer}\n${audience}\n${client}`)
      .digest("hex");
    return {
      tenantId,
      idpId,
      actor: {
        ...{ kind: "idp", id: idpId, address },
        credentialFingerprint: fingerprint.slice(0, 12),
      },
    };
  };
}

async function verify(
  deps: SignedTokenDeps,
  keys: IssuerKeys,
  signer: TokenSigner,
  token: string,
): Promise<boolean> {
  try {
    const { payload } = await jwtVerify(token, keys.of(signer.keysUrl), {
      issuer: signer.issuer,
      audience: signer.audience,
      algorithms,
      clockTolerance: clockToleranceSeconds,
      maxTokenAge: ageMax,
      requiredClaims: ["exp"],
      currentDate: new Date(deps.clock.now()),
    });
    return isMeant(signer, payload);
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    deps.logger.warn(
      { tenantId: signer.tenantId, idpId: signer.idpId, code: error.code },
      "a signed token was refused",
    );
    return false;
  }
}

/** Read before the signature: only to find out whose keys to ask. */
function claimsOf(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function isMeant(signer: TokenSigner, claims: JWTPayload): boolean {
  const audiences = typeof claims.aud === "string" ? [claims.aud] : (claims.aud ?? []);
  return (
    claims.iss === signer.issuer &&
    audiences.includes(signer.audience) &&
    clientOf(claims) === signer.client &&
    !isOfPerson(claims)
  );
}

/**
 * What a token that a person got by signing in at the same client says and one of the client itself does not: a sign-in's nonce, the hash
 * of an access token beside it, a scope that somebody delegated (`scp` as text, Microsoft identity platform, access token claims, 2026-08).
 */
function isOfPerson(claims: JWTPayload): boolean {
  const kind = claims["idtyp"];
  return (
    claims["nonce"] !== undefined ||
    claims["at_hash"] !== undefined ||
    typeof claims["scp"] === "string" ||
    (kind !== undefined && kind !== "app")
  );
}

function clientOf(claims: JWTPayload): string | undefined {
  const named = ["client_id", "azp", "appid", "cid"].map((name) => claims[name]);
  const client = named.find((value) => typeof value === "string") ?? claims.sub;
  return typeof client === "string" ? client : undefined;
}

/** The public keys of issuers, kept between requests. */
class IssuerKeys {
  readonly #deps: SignedTokenDeps;
  readonly #kept = new Map<string, Keys>();
  readonly #asked = new Map<string, Promise<Keys>>();
  readonly #triedAt = new Map<string, number>();

  constructor(deps: SignedTokenDeps) {
    this.#deps = deps;
  }

  /** What `jwtVerify` asks for the key of a token. */
  of(url: string): JWTVerifyGetKey {
    return async (header, token) => {
      const keys = await this.#read(url, keysMs);
      try {
        return await keys.find(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // A key that is new at the issuer: asked for once more, but not at every wrong token.
        return (await this.#read(url, againMs)).find(header, token);
      }
    };
  }

  async #read(url: string, ageMs: number): Promise<Keys> {
    const now = this.#deps.clock.monotonic();
    const known = this.#kept.get(url);
    if (known !== undefined && now - known.at < ageMs) return known;
    const triedAt = this.#triedAt.get(url);
    if (known !== undefined && triedAt !== undefined && now - triedAt < againMs) return known;
    this.#triedAt.set(url, now);
    const running = this.#asked.get(url);
    const fetching = running ?? this.#fetch(url, now).finally(() => this.#asked.delete(url));
    if (running === undefined) this.#asked.set(url, fetching);
    try {
      return await fetching;
    } catch (error) {
      this.#deps.logger.error(
        { err: error },
        "the keys of an issuer of signed tokens cannot be had",
      );
      if (known !== undefined && now - known.at < staleMs) return known;
      throw new ScimError(
        503,
        undefined,
        "The keys of the token's issuer cannot be had at the moment.",
        { "Retry-After": "30" },
      );
    }
  }

  async #fetch(url: string, now: number): Promise<Keys> {
    const document = keySet.parse(await this.#deps.fetchDocument(url));
    const keys: Keys = { find: createLocalJWKSet(document as JSONWebKeySet), at: now };
    this.#kept.set(url, keys);
    return keys;
  }
}
