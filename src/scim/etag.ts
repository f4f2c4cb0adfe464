import { ScimError } from "./scim-error.ts";

/** The entity tag of a stored version, equal to `meta.version` (RFC 7644 section 3.14). */
export function etagOf(version: number): string {
  return `W/"${String(version)}"`;
}

/** Whether a list of entity tags (If-Match, If-None-Match) names the version; compared weakly (RFC 9110 section 8.8.3.2). */
export function namesVersion(header: string, version: number): boolean {
  return header.split(",").some((part) => {
    const tag = part.trim();
    if (tag === "*") return true;
    return (tag.startsWith("W/") ? tag.slice(2) : tag) === `"${String(version)}"`;
  });
}

/** @throws ScimError 412 where If-Match was sent and does not name the version */
export function requireMatch(ifMatch: string | undefined, version: number): void {
  if (ifMatch !== undefined && !namesVersion(ifMatch, version)) throw versionMoved();
}

export function versionMoved(): ScimError {
  return new ScimError(
    412,
    undefined,
    "If-Match names another version than the stored one: read the resource again and repeat the change on it.",
  );
}
