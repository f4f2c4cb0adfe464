import {
  resourceType,
  resourceTypes,
  schema,
  schemas,
  serviceProviderConfig,
} from "./discovery.ts";
import type { CustomExtension } from "./extension.ts";
import type { Groups } from "./groups.ts";
import { maxGroupBodyBytes } from "./limits.ts";
import { listAnswer, type ListRequest, readListParams, readSearchBody } from "./list.ts";
import type { Answer, ScimCall } from "./scim-call.ts";
import { ScimError } from "./scim-error.ts";
import { searchAll } from "./search.ts";
import type { Users } from "./users.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Handler = (call: ScimCall, id: string) => Promise<Answer>;

export interface Route {
  /** `/Users/{id}`. */
  readonly template: string;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
  /** Where it is not the ordinary limit. */
  readonly maxBodyBytes?: number;
}

export interface Routes {
  /** The route of a path in its parts, with the id in it ("" where there is none). @throws ScimError 404, 501 */
  find(segments: readonly string[]): { readonly route: Route; readonly id: string };
}

interface Parts {
  readonly users: Users;
  readonly groups: Groups;
}

/** Which path and method goes to which handler. */
export function createRoutes(
  parts: Parts,
  baseUrl: string,
  more: readonly CustomExtension[] = [],
): Routes {
  const fixed = new Map<string, Route>();
  const withId = new Map<string, Route>();
  const all: readonly Route[] = [
    ...resourceRoutes("/Users", parts.users),
    ...resourceRoutes("/Groups", parts.groups, maxGroupBodyBytes),
    {
      template: "/",
      methods: { GET: (call) => searchAll(parts, call, readListParams(call.params)) },
    },
    {
      template: "/.search",
      methods: { POST: (call) => searchAll(parts, call, readSearchBody(call.body)) },
    },
    ...discoveryRoutes(baseUrl, more),
  ];
  for (const route of all) {
    if (route.template.endsWith("/{id}")) withId.set(route.template.slice(1, -5), route);
    else fixed.set(route.template.slice(1), route);
  }
  return {
    find: (segments) => {
      const [first = "", second] = segments;
      const route = fixed.get(segments.join("/"));
      if (route !== undefined) return { route, id: "" };
      const byId = segments.length === 2 ? withId.get(first) : undefined;
      if (byId !== undefined && second !== undefined) return { route: byId, id: second };
      throw noRoute(first);
    },
  };
}

function resourceRoutes(
  path: string,
  resource: Users | Groups,
  maxBody?: number,
): readonly Route[] {
  const list = async (call: ScimCall, request: ListRequest) =>
    listAnswer(await resource.page(call, request), request);
  const limit = maxBody === undefined ? {} : { maxBodyBytes: maxBody };
  return [
    {
      template: path,
      methods: {
        GET: (call) => list(call, readListParams(call.params)),
        POST: (call) => resource.create(call),
      },
      ...limit,
    },
    {
      template: `${path}/.search`,
      methods: { POST: (call) => list(call, readSearchBody(call.body)) },
    },
    {
      template: `${path}/{id}`,
      methods: {
        GET: (call, id) => resource.read(call, id),
        PUT: (call, id) => resource.replace(call, id),
        PATCH: (call, id) => resource.patch(call, id),
        DELETE: (call, id) => resource.remove(call, id),
      },
      ...limit,
    },
  ];
}

/** Documents that never change are written once. */
function discoveryRoutes(baseUrl: string, more: readonly CustomExtension[]): readonly Route[] {
  return [
    document("/ServiceProviderConfig", () => serviceProviderConfig(baseUrl)),
    document("/ResourceTypes", () => resourceTypes(baseUrl, more)),
    document("/ResourceTypes/{id}", (id) => resourceType(baseUrl, id, more)),
    document("/Schemas", () => schemas(baseUrl, more)),
    document("/Schemas/{id}", (id) => schema(baseUrl, id, more)),
  ];
}

function document(template: string, read: (id: string) => object | undefined): Route {
  const text = (id: string) => {
    const found = read(id);
    return found === undefined ? undefined : JSON.stringify(found);
  };
  const fixed = template.endsWith("/{id}") ? undefined : text("");
  return {
    template,
    methods: {
      GET: (call, id) => {
        if (call.params.has("filter")) throw noFilter();
        const body = fixed ?? text(id);
        if (body === undefined) throw new ScimError(404, undefined, "There is no such document.");
        return Promise.resolve({ status: 200, body });
      },
    },
  };
}

/** RFC 7644 section 4: what a client is told about the service cannot be filtered. */
function noFilter(): ScimError {
  return new ScimError(403, undefined, "Discovery documents cannot be filtered: leave filter out.");
}

function noRoute(first: string): ScimError {
  switch (first) {
    case "Me":
      return new ScimError(
        501,
        undefined,
        "/Me is not supported: a token stands for an IdP connection, not for a person.",
      );
    case "Bulk":
      return new ScimError(
        501,
        undefined,
        "/Bulk is not supported, as /ServiceProviderConfig says: send the operations one by one.",
      );
    default:
      return new ScimError(
        404,
        undefined,
        "There is nothing here: SCIM is at /Users, /Groups, /ServiceProviderConfig, /ResourceTypes and /Schemas.",
      );
  }
}
