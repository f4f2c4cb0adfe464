import { ScimError } from "./scim-error.ts";

/** Longer ones are nobody's. */
const maxTokenLength = 4_096;

/** The token of an Authorization header: behind `Bearer`, or the whole value (Okta's "Header" mode sends no scheme). */
export function presentedToken(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxTokenLength) return undefined;
  const token = header.trim().replace(/^bearer(?:\s+|$)/i, "");
  return token === "" ? undefined : token;
}

/** RFC 6750 section 3. Says nothing about tenants or about which part was wrong. */
export function unauthorized(): ScimError {
  return new ScimError(
    401,
    undefined,
    "The Authorization header has no valid token: send `Bearer` and the SCIM token of this IdP connection.",
    { "WWW-Authenticate": 'Bearer realm="scim"' },
  );
}
