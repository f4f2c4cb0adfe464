import type { Quirks } from "./truth.ts";
import { Refusal } from "../simulated-api.ts";
import type { Reply } from "../simulated-api.ts";

const scimJson = "application/scim+json";

/** JSON as SCIM names it. */
export function scimReply(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return { status, headers, text: { type: scimJson, content: JSON.stringify(body) } };
}

/** RFC 7644 §3.12, or what a server says instead of it. */
export function errorReply(
  quirks: Quirks,
  status: number,
  detail: string,
  scimType?: string,
): Reply {
  switch (quirks.errorBodies) {
    case "scim":
      return scimReply(status, {
        schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
        status: String(status),
        ...(scimType === undefined ? {} : { scimType }),
        detail,
      });
    case "html":
      return {
        status,
        text: { type: "text/html; charset=utf-8", content: `<html><body>${detail}</body></html>` },
      };
    case "plain":
      return { status, text: { type: "text/plain", content: detail } };
    case "none":
      return { status, text: { type: "text/plain", content: "" } };
  }
}

export function refuse(quirks: Quirks, status: number, detail: string, scimType?: string): Refusal {
  return new Refusal(detail, errorReply(quirks, status, detail, scimType));
}
