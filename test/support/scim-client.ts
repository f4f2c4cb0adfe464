import type { JsonObject } from "../../src/model/json.ts";

export interface ScimReply {
  readonly status: number;
  readonly headers: Headers;
  /** {} where there is none. */
  readonly body: JsonObject;
  readonly text: string;
}

/** Sends one request at a time and hands over what came back, whatever the status. */
export class ScimClient {
  readonly #baseUrl: string;
  readonly #token: string | undefined;

  constructor(baseUrl: string, token: string | undefined) {
    this.#baseUrl = baseUrl;
    this.#token = token;
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ScimReply> {
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method,
      headers: {
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { "content-type": "application/scim+json; charset=utf-8" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text === "" ? {} : (JSON.parse(text) as JsonObject),
    };
  }

  get(path: string, headers?: Readonly<Record<string, string>>): Promise<ScimReply> {
    return this.send("GET", path, undefined, headers);
  }

  post(path: string, body: unknown): Promise<ScimReply> {
    return this.send("POST", path, body);
  }

  put(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<ScimReply> {
    return this.send("PUT", path, body, headers);
  }

  patch(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<ScimReply> {
    return this.send("PATCH", path, body, headers);
  }

  delete(path: string, headers?: Readonly<Record<string, string>>): Promise<ScimReply> {
    return this.send("DELETE", path, undefined, headers);
  }

  /** GET with a filter, percent-encoded. */
  find(path: string, filter: string, more = ""): Promise<ScimReply> {
    return this.get(`${path}?filter=${encodeURIComponent(filter)}${more}`);
  }

  /** Creates and answers the id. */
  async create(path: string, body: unknown): Promise<string> {
    const reply = await this.post(path, body);
    if (reply.status !== 201)
      throw new Error(`POST ${path}: ${String(reply.status)} ${reply.text}`);
    return String(reply.body["id"]);
  }
}

/** A PatchOp message. */
export function patchOf(...operations: readonly JsonObject[]): JsonObject {
  return {
    schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    Operations: operations,
  };
}

export const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

export function person(userName: string, more: JsonObject = {}): JsonObject {
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName,
    name: { givenName: "Ada", familyName: "Quill" },
    emails: [{ value: userName, type: "work", primary: true }],
    active: true,
    ...more,
  };
}
