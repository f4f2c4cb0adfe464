import type { Reply } from "../simulated-api.ts";
import { refuse, scimReply } from "./refusal.ts";
import type { ScimRoute } from "./route.ts";
import type { Truth } from "./truth.ts";

/** What the server says of itself (RFC 7643 §5): right, wrong, or nothing. */
export const discoveryRoutes: readonly ScimRoute[] = [
  route("config.read", "/ServiceProviderConfig", (truth) => {
    const { quirks } = truth;
    const wrong = quirks.discovery === "wrong";
    const supported = (is: boolean) => ({ supported: wrong ? !is : is });
    return {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
      patch: supported(true),
      bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
      filter: { ...supported(quirks.filters.length > 0), maxResults: quirks.pageMax },
      changePassword: { supported: false },
      sort: { supported: false },
      etag: supported(quirks.versions !== "none"),
      authenticationSchemes: [{ type: "oauthbearertoken", name: "token", description: "token" }],
      meta: { location: "https://scim.vendor.example/v2/ServiceProviderConfig" },
    };
  }),
  route("types.list", "/ResourceTypes", () => list(["User", "Group"])),
  route("schemas.list", "/Schemas", () =>
    list([
      "urn:ietf:params:scim:schemas:core:2.0:User",
      "urn:ietf:params:scim:schemas:core:2.0:Group",
    ]),
  ),
];

function route(operation: string, path: string, body: (truth: Truth) => unknown): ScimRoute {
  return {
    operation,
    method: "get",
    path,
    kind: "read",
    scope: "users",
    handle: ({ truth }): Reply => {
      if (truth.quirks.discovery === "absent") throw refuse(truth.quirks, 404, "Not found");
      return scimReply(200, body(truth));
    },
  };
}

function list(ids: readonly string[]) {
  return {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    totalResults: ids.length,
    Resources: ids.map((id) => ({ id })),
  };
}
