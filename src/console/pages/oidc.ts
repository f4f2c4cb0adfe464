import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import * as openid from "openid-client";
import { duties, roleOf, type Duty } from "../role.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Logger } from "../../model/log.ts";
import type { Actor, OperatorRole } from "../../model/records.ts";
import { bare } from "./layout.ts";
import { html } from "./markup.ts";
import { to } from "./page.ts";
import { cookieOf, cookieRules, keepSession } from "./session.ts";

/** The provider that says who somebody is, and what of its claims means which role here. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined: a public client; the code is bound to the browser by PKCE either way. */
  readonly clientSecret: string | undefined;
  /** Beside `openid profile email`. */
  readonly scopes: readonly string[];
  /** The claim that says who somebody is, for good; undefined: an address that is verified, else `sub`. */
  readonly nameClaim: string | undefined;
  /** The claim that names roles or groups: a text, or a list of them. */
  readonly rolesClaim: string;
  /** What that claim says → what somebody may do; the highest one counts. */
  readonly roles: ReadonlyMap<string, Duty>;
}

export interface OidcOptions {
  readonly settings: OidcSettings;
  /** Where browsers find the console: `https://rolecall.example.com`. */
  readonly consoleUrl: () => string;
  readonly tenantId: TenantId;
  readonly openSession: (
    tenantId: TenantId,
    person: { readonly label: string; readonly role: OperatorRole | undefined },
    actor: Actor,
  ) => Promise<{ readonly session: string; readonly expiresAt: number }>;
  readonly logger: Logger;
}

const cookieName = "rolecall-sign-in";
/** Time to sign in at the provider. */
const waitMs = 10 * 60_000;

/** Sign-in by OpenID Connect: authorization code with PKCE, state and nonce; roles from claims. */
export function oidcRouter(options: OidcOptions, secure: boolean, limited: RequestHandler): Router {
  const router = express.Router();
  const { settings } = options;
  let known: Promise<openid.Configuration> | undefined;
  // Asked when it is first needed: a provider that is away does not stop a start.
  const provider = async (): Promise<openid.Configuration> => {
    const asked = (known ??= discover(settings));
    try {
      return await asked;
    } catch (error) {
      if (known === asked) known = undefined;
      throw error;
    }
  };
  const redirectUrl = () => `${options.consoleUrl()}${to("/oidc/callback")}`;

  router.get("/oidc/start", limited, async (_request, response) => {
    const config = await provider();
    const verifier = openid.randomPKCECodeVerifier();
    const [state, nonce] = [openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: redirectUrl(),
      scope: ["openid", "profile", "email", ...settings.scopes].join(" "),
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      state,
      nonce,
    });
    response.cookie(cookieName, [verifier, state, nonce].join("."), {
      ...cookieRules(secure),
      maxAge: waitMs,
    });
    response.redirect(303, url.href);
  });
  router.get("/oidc/callback", limited, async (request, response) => {
    const [verifier, state, nonce] = (cookieOf(request, cookieName) ?? "").split(".");
    response.clearCookie(cookieName, cookieRules(secure));
    if (verifier === undefined || state === undefined || nonce === undefined) {
      refuse(response, "This sign-in took too long or began in another browser. Begin again.");
      return;
    }
    const claims = await claimsOf(request, await provider(), { verifier, state, nonce });
    const duty = dutyIn(claims, settings);
    const label = labelOf(claims, settings);
    if (duty === undefined) {
      options.logger.warn(
        { claim: settings.rolesClaim },
        "somebody without a role tried to sign in",
      );
      refuse(
        response,
        `${label} is known, but has no role here. Ask for one in the groups that OIDC_ROLES names.`,
      );
      return;
    }
    const role = roleOf(duty);
    const actor: Actor = { kind: "operator", id: label, address: request.ip ?? "" };
    const opened = await options.openSession(options.tenantId, { label, role }, actor);
    keepSession(response, opened.session, { expiresAt: opened.expiresAt, secure });
    response.redirect(303, to(""));
  });
  return router;

  async function claimsOf(
    request: Request,
    config: openid.Configuration,
    kept: { readonly verifier: string; readonly state: string; readonly nonce: string },
  ): Promise<openid.IDToken> {
    // From our own address, not from what the request says it is.
    const url = new URL(redirectUrl());
    url.search = new URL(request.originalUrl, "http://console").search;
    const tokens = await openid.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: kept.verifier,
      expectedState: kept.state,
      expectedNonce: kept.nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error("the provider sent no ID token");
    return claims;
  }
}

async function discover(settings: OidcSettings): Promise<openid.Configuration> {
  const url = new URL(settings.issuer);
  return openid.discovery(url, settings.clientId, settings.clientSecret, undefined, {
    // Plain HTTP is taken from this machine alone: settings refuse it for any other.
    ...(url.protocol === "http:" ? { execute: [openid.allowInsecureRequests] } : {}),
  });
}

/** The highest role that the claims give. */
export function dutyIn(
  claims: Readonly<Record<string, unknown>>,
  { rolesClaim, roles }: Pick<OidcSettings, "rolesClaim" | "roles">,
): Duty | undefined {
  const said = claims[rolesClaim];
  const words: readonly unknown[] = Array.isArray(said) ? said : [said];
  const given = new Set(
    words.flatMap((word) => (typeof word === "string" ? (roles.get(word) ?? []) : [])),
  );
  return duties.findLast((duty) => given.has(duty));
}

/**
 * Who the record names, and who counts as another person where two are wanted: the claim that the settings name; else an address that the
 * provider vouches for in so many words, for an address that people may write themselves makes one person two; else its own id for them.
 */
function labelOf(claims: openid.IDToken, { nameClaim }: OidcSettings): string {
  const { email, email_verified: verified, sub } = claims;
  if (nameClaim !== undefined) {
    const named = claims[nameClaim];
    return typeof named === "string" && named !== "" ? named.toLowerCase() : sub;
  }
  return typeof email === "string" && verified === true ? email.toLowerCase() : sub;
}

function refuse(response: Response, text: string): void {
  const content = html`<h1>Not signed in</h1>
    <p class="told bad" role="alert">${text}</p>
    <p><a href="${to("/sign-in")}">Sign in again</a></p>`;
  response.status(403).type("html").send(bare("Not signed in", content).toString());
}
