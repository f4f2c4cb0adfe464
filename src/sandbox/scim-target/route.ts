import type { Reply, SimulatedCall, SimulatedRoute, World } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import { scimReply } from "./refusal.ts";
import type { Truth } from "./truth.ts";

export interface Caller {
  readonly scopes: readonly string[];
}

export type ScimRoute = SimulatedRoute<Truth, Caller>;
export type ScimWorld = World<Truth, Caller>;

export function etagOf(resource: { readonly version: number }): string {
  return `W/"${String(resource.version)}"`;
}

/** @throws Refusal 412 for another version than the newest, 428 where one must be said */
export function checkVersion(
  truth: Truth,
  call: SimulatedCall,
  resource: { readonly version: number },
): void {
  const { quirks } = truth;
  if (quirks.versions === "none") return;
  const said = call.headers["if-match"];
  if (said === undefined) {
    if (quirks.versions === "optional") return;
    throw refuse(quirks, 428, "A write needs If-Match");
  }
  if (said !== "*" && said !== etagOf(resource)) {
    throw refuse(quirks, 412, "The resource has changed");
  }
}

/** The answer to a write, as this server gives it. */
export function written(
  truth: Truth,
  status: 200 | 201,
  path: string,
  resource: { readonly version: number; readonly id: string },
  body: () => unknown,
): Reply {
  const { quirks } = truth;
  const headers: Record<string, string> = {
    ...(quirks.versions === "none" ? {} : { etag: etagOf(resource) }),
    ...(status === 201 ? { location: `https://scim.vendor.example/v2${path}/${resource.id}` } : {}),
  };
  if (quirks.writeAnswers === "body") return scimReply(status, body(), headers);
  const empty = quirks.writeAnswers === "no_content" && status === 200 ? 204 : status;
  return { status: empty, headers, text: { type: "application/scim+json", content: "" } };
}

/** Names of attributes as this server spells them. */
export function spelled(truth: Truth, body: Readonly<Record<string, unknown>>): unknown {
  if (truth.quirks.names === "rfc") return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name.includes(":") ? name : `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
      value,
    ]),
  );
}

export function instantText(instant: number): string {
  return new Date(instant).toISOString();
}
