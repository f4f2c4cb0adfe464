import { list, setting, text } from "./setting.ts";

/** What a person may do in the console; the words of the roles. */
const consoleRoles = ["viewer", "operator", "approver", "admin"] as const;
type ConsoleRole = (typeof consoleRoles)[number];

/** How people sign in to the console; undefined: by links that the command line makes. */
export interface OidcConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  readonly nameClaim: string | undefined;
  readonly rolesClaim: string;
  readonly roles: ReadonlyMap<string, ConsoleRole>;
}

const anyText = text((value) => value);

const localHosts = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** HTTPS, or HTTP on this machine. */
export const ownUrl = text((value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol))
    throw new Error("write https://host[:port][/path]");
  if (url.protocol === "http:" && !localHosts.has(url.hostname))
    throw new Error("write https: who signs in travels over it");
  if (url.search !== "" || url.hash !== "" || url.username !== "")
    throw new Error("write the address only, without user, query or fragment");
  return url.href.replace(/\/+$/, "");
});

const roles = text((value): ReadonlyMap<string, ConsoleRole> => {
  const pairs = list(value).map((item): [string, ConsoleRole] => {
    const at = item.lastIndexOf("=");
    const role = consoleRoles.find((known) => known === item.slice(at + 1).trim());
    const word = item.slice(0, Math.max(at, 0)).trim();
    if (role === undefined || word === "")
      throw new Error(
        `write claim=role with commas between them; roles: ${consoleRoles.join(", ")}`,
      );
    return [word, role];
  });
  if (pairs.length === 0) throw new Error("write at least one claim=role");
  return new Map(pairs);
});

export const oidcSettings = {
  consoleUrl: setting({
    name: "ROLECALL_CONSOLE_URL",
    description:
      "Where browsers find the operator's port, the base of sign-in links and of the OpenID Connect redirect `<base>/console/oidc/callback`.",
    defaultSays: "the operator's port on this machine",
    example: "https://rolecall-ops.example.com",
    schema: ownUrl,
  }),
  oidcIssuer: setting({
    name: "OIDC_ISSUER",
    description:
      "OpenID Connect issuer that people sign in to the console with; once it is set, the bootstrap operator token is off.",
    defaultSays: "links of `rolecall console`",
    example: "https://example.okta.com",
    schema: ownUrl,
  }),
  oidcClientId: setting({
    name: "OIDC_CLIENT_ID",
    description: "Client that the issuer knows us by.",
    defaultSays: "none",
    example: "0oa1b2c3d4",
    schema: anyText,
  }),
  oidcClientSecret: setting({
    name: "OIDC_CLIENT_SECRET",
    description: "Secret of that client; absent: a public client, bound by PKCE alone.",
    defaultSays: "none",
    example: "the secret that the issuer shows",
    secret: true,
    schema: anyText,
  }),
  oidcScopes: setting({
    name: "OIDC_SCOPES",
    description: "Scopes asked for beside `openid profile email`, with commas between them.",
    defaultSays: "none",
    example: "groups",
    schema: text((value) => list(value)),
  }),
  oidcNameClaim: setting({
    name: "OIDC_NAME_CLAIM",
    description:
      "Claim of the ID token that says for good who somebody is: in the record, and where two people are wanted. Take none that people can change themselves.",
    defaultSays: "`email` where the issuer says that it is verified, else `sub`",
    example: "oid",
    schema: anyText,
  }),
  oidcRolesClaim: setting({
    name: "OIDC_ROLES_CLAIM",
    description: "Claim of the ID token that names roles or groups.",
    default: "groups",
    example: "roles",
    schema: anyText,
  }),
  oidcRoles: setting({
    name: "OIDC_ROLES",
    description:
      "What that claim says and which role it gives: `viewer`, `operator`, `approver`, `admin`; the highest counts, who has none is refused.",
    defaultSays: "none",
    example: "it-everybody=viewer, it-desk=operator, it-leads=approver, rolecall-admins=admin",
    schema: roles,
  }),
} as const;

interface Values {
  readonly oidcIssuer?: string | undefined;
  readonly oidcClientId?: string | undefined;
  readonly oidcClientSecret?: string | undefined;
  readonly oidcScopes?: readonly string[] | undefined;
  readonly oidcNameClaim?: string | undefined;
  readonly oidcRolesClaim?: string | undefined;
  readonly oidcRoles?: ReadonlyMap<string, ConsoleRole> | undefined;
}

export function readOidc(values: Values): OidcConfig | undefined {
  const { oidcIssuer, oidcClientId, oidcRoles } = values;
  if (oidcIssuer === undefined || oidcClientId === undefined || oidcRoles === undefined)
    return undefined;
  return {
    issuer: oidcIssuer,
    clientId: oidcClientId,
    clientSecret: values.oidcClientSecret,
    scopes: values.oidcScopes ?? [],
    nameClaim: values.oidcNameClaim,
    rolesClaim: values.oidcRolesClaim ?? "groups",
    roles: oidcRoles,
  };
}

/** A sign-in that is set half. */
export function oidcContradictions(values: Values): readonly string[] {
  const needed = [
    ["OIDC_CLIENT_ID", values.oidcClientId],
    ["OIDC_ROLES", values.oidcRoles],
  ] as const;
  if (values.oidcIssuer !== undefined)
    return needed
      .filter(([, value]) => value === undefined)
      .map(([name]) => `${name}: OIDC_ISSUER needs it`);
  return needed
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `${name}: it does nothing without OIDC_ISSUER`);
}
