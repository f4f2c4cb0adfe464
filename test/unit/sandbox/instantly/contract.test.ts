import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { permissions, scopes } from "../../../../src/sandbox/instantly/vocabulary.ts";
import type { Exchanged } from "../../../support/http-exchange.ts";
import { schemaOf, type OpenApi } from "../../../support/openapi.ts";
import { instantly } from "./instantly-fixture.ts";

/** The vendor's OpenAPI document, or its part about people and keys. It is not ours to ship. */
const documentPath = resolve(
  process.env["INSTANTLY_OPENAPI"] ?? "../shared/vendors/specs/instantly-openapi-admin-slice.json",
);
const present = existsSync(documentPath);
const reason = present ? "" : ` (not run: ${documentPath} is absent, set INSTANTLY_OPENAPI)`;

const document = (
  present
    ? JSON.parse(readFileSync(documentPath, "utf8"))
    : { paths: {}, components: { schemas: {} } }
) as OpenApi;

describe.skipIf(!present)(`Instantly's OpenAPI document${reason}`, () => {
  const checked = new Set<string>();

  async function checker() {
    const context = await instantly();
    /** Sends the call and holds the answer against the document. */
    const check = async (
      method: string,
      template: string,
      options: { id?: unknown; query?: string; json?: unknown; status?: number } = {},
    ): Promise<Exchanged> => {
      const path = template.replace("{id}", String(options.id));
      const answer = await context.call(method, path + (options.query ?? ""), options.json);
      const status = options.status ?? 200;
      expect([method, path, answer.status, answer.text]).toEqual([
        method,
        path,
        status,
        expect.anything(),
      ]);
      const result = schemaOf(document, method, `/api/v2${template}`, status).safeParse(
        answer.body,
      );
      expect(result.error?.issues ?? [], `${method} ${template} ${String(status)}`).toEqual([]);
      checked.add(`${method} ${template}`);
      return answer;
    };
    return { ...context, check };
  }

  test("members answer as it says, in every state", async () => {
    const { check, simulator } = await checker();
    const members = "/workspace-members";
    const created = await check("POST", members, {
      json: { email: "a@example.com", role: "editor", permissions: ["crm.view"], nickname: "A" },
    });
    const { id } = created.body;
    await check("GET", `${members}/{id}`, { id });
    await check("PATCH", `${members}/{id}`, { id, json: { role: "view" } });
    simulator.control.acceptInvite({ email: "a@example.com", userEmail: "b@example.com" });
    simulator.control.seedMember({ email: "c@example.com", role: "client" });
    await check("GET", members, { query: "?limit=2" });
    await check("POST", members, { json: { email: "a@example.com", role: "view" }, status: 400 });
    await check("DELETE", `${members}/{id}`, { id });
    await check("GET", `${members}/{id}`, { id, status: 404 });
    simulator.control.setPaid(false);
    await check("GET", members, { status: 402 });
    simulator.control.setPaid(true);
    simulator.faults.add({ operation: "members.list", kind: "429" });
    await check("GET", members, { status: 429 });
    simulator.control.revokeKey();
    await check("GET", members, { status: 401 });
  });

  test("the workspace answers as it says", async () => {
    const { check, simulator } = await checker();
    const current = "/workspaces/current";
    await check("GET", current);
    await check("PATCH", current, { json: { name: "Acme", org_logo_url: null } });
    await check("POST", `${current}/schedule-for-removal`);
    await check("DELETE", `${current}/schedule-for-removal`);
    simulator.control.seedMember({ email: "a@example.com" });
    const sec = simulator.control.securityToken();
    await check("POST", `${current}/change-owner`, { json: { email: "a@example.com", sec } });
  });

  test("API keys and the audit log answer as it says", async () => {
    const { check } = await checker();
    const json = { name: "robot", scopes: ["workspace_members:all"] };
    const { id } = (await check("POST", "/api-keys", { json })).body;
    await check("GET", "/api-keys", { query: "?limit=1" });
    await check("DELETE", "/api-keys/{id}", { id });
    await check("GET", "/audit-logs", { query: "?limit=1" });
  });

  test("tags answer as it says", async () => {
    const { check } = await checker();
    const tags = "/custom-tags";
    const { id } = (await check("POST", tags, { json: { label: "EMEA" } })).body;
    await check("POST", tags, { json: { label: "EMEA" }, status: 409 });
    await check("GET", tags, { query: "?limit=1" });
    await check("GET", `${tags}/{id}`, { id });
    await check("PATCH", `${tags}/{id}`, { id, json: { description: null } });
    await check("POST", `${tags}/toggle-resource`, {
      json: { tag_ids: [id], resource_type: 2, resource_ids: ["c"], assign: true },
    });
    await check("GET", "/custom-tag-mappings");
    await check("DELETE", `${tags}/{id}`, { id });
  });

  test("workspace groups answer as it says", async () => {
    const { check, simulator } = await checker();
    const groups = "/workspace-group-members";
    const sub = simulator.control.addWorkspace({ name: "Client", ownerEmail: "c@example.com" });
    const json = { sub_workspace_id: sub.id };
    const { id } = (await check("POST", groups, { json })).body;
    await check("POST", groups, { json, status: 409 });
    await check("GET", groups);
    await check("GET", `${groups}/{id}`, { id });
    await check("GET", `${groups}/admin`);
    await check("DELETE", `${groups}/{id}`, { id });
  });

  test("every path of it is simulated but jobs, billing and white-label domains", () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.slice(7)}`),
    );
    const missing = documented.filter((operation) => !checked.has(operation));
    expect(missing.filter((one) => !/background-jobs|billing|whitelabel/.test(one))).toEqual([]);
  });

  test("scopes and permissions are the same words", () => {
    const enumOf = (schema: string, property: string) => {
      const { properties } = document.components.schemas[schema] as {
        properties: Record<string, { items: { enum: string[] } }>;
      };
      return properties[property]?.items.enum.toSorted();
    };
    expect([...scopes].toSorted()).toEqual(enumOf("APIKey", "scopes"));
    expect([...permissions].toSorted()).toEqual(enumOf("WorkspaceMember", "permissions"));
  });
});
