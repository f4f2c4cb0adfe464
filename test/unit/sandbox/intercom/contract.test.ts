import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  activityTypes,
  undocumentedActivity,
} from "../../../../src/sandbox/intercom/vocabulary.ts";
import type { Exchanged } from "../../../support/http-exchange.ts";
import { schemaOf, type OpenApi } from "../../../support/openapi.ts";
import { intercom } from "./intercom-fixture.ts";

/** The vendor's OpenAPI document (2.16 and the preview write of teams), or its part about people. It is not ours to ship. */
const documentPath = resolve(
  process.env["INTERCOM_OPENAPI"] ?? "../shared/vendors/specs/intercom-admin-slice.yaml",
);
const present = existsSync(documentPath);
const reason = present ? "" : ` (not run: ${documentPath} is absent, set INTERCOM_OPENAPI)`;
const document = (
  present ? parse(readFileSync(documentPath, "utf8")) : { paths: {}, components: { schemas: {} } }
) as OpenApi;

describe.skipIf(!present)(`Intercom's OpenAPI document${reason}`, () => {
  const checked = new Set<string>();

  async function checker() {
    const context = await intercom({ settings: { activityPaging: "cursor" } });
    const { simulator, call } = context;
    const ada = simulator.control.seedAdmin({ email: "ada@example.com" });
    const team = simulator.control.addTeam({
      name: "Billing",
      method: "load_balanced",
      emails: ["ada@example.com"],
    });
    const me = simulator.state().admins[0]?.id ?? "";
    /** Sends the call and holds request and answer against the document. */
    const check = async (
      method: string,
      template: string,
      options: {
        id?: string;
        query?: string;
        json?: unknown;
        status?: number;
        headers?: object;
        /** The request is wrong on purpose. */
        wrong?: true;
        /** Alternatives of the document overlap, so that nothing is exactly one of them. */
        ambiguous?: true;
      } = {},
    ): Promise<Exchanged> => {
      const path = template.replace(/\{\w+\}/, options.id ?? "");
      if (options.json !== undefined && options.wrong !== true && options.ambiguous !== true) {
        const request = schemaOf(document, method, template, "request").safeParse(options.json);
        expect(request.error?.issues ?? [], `request of ${method} ${template}`).toEqual([]);
      }
      const answer = await call(
        method,
        path + (options.query ?? ""),
        options.json,
        options.headers,
      );
      const status = options.status ?? 200;
      expect([method, path, answer.status, answer.text]).toEqual([
        method,
        path,
        status,
        expect.anything(),
      ]);
      const result = schemaOf(document, method, template, status).safeParse(answer.body);
      expect(result.error?.issues ?? [], `${method} ${template} ${String(status)}`).toEqual([]);
      checked.add(`${method} ${template}`);
      return answer;
    };
    return { ...context, check, ada, team, me };
  }

  test("teammates and away mode answer as it says", async () => {
    const { check, ada, simulator } = await checker();
    simulator.control.addRole("Support Agent");
    simulator.control.setRole("ada@example.com", "Support Agent");
    await check("GET", "/me");
    await check("GET", "/admins");
    await check("GET", "/admins/{admin_id}", { id: ada.id });
    await check("GET", "/admins/{admin_id}", { id: "1", status: 404 });
    const json = { away_mode_enabled: true, away_mode_reassign: true };
    await check("PUT", "/admins/{admin_id}/away", { id: ada.id, json });
    await check("PUT", "/admins/{admin_id}/away", { id: "1", json, status: 404 });
    simulator.control.addAwayReason("Left");
    await check("GET", "/away_status_reasons");
    simulator.control.revokeToken();
    await check("GET", "/admins", { status: 401 });
  });

  test("the activity log answers as it says", async () => {
    const { check, simulator } = await checker();
    for (let i = 0; i < 25; i++) simulator.control.addTeam({ name: `Team ${String(i)}` });
    await check("GET", "/admins/activity_logs", { query: "?created_at_after=0" });
    await check("POST", "/admins/activity_logs/search", { json: { created_at_after: 0 } });
    await check("GET", "/admins/activity_log_event_types");
  });

  test("teams and the preview write answer as it says", async () => {
    const { check, ada, team, me, simulator } = await checker();
    const id = team.id;
    const headers = { "intercom-version": "Preview" };
    await check("GET", "/teams");
    await check("GET", "/teams/{team_id}", { id });
    await check("GET", "/teams/{team_id}", { id: "1", status: 404 });
    await check("GET", "/teams/{team_id}/metrics", { id });
    const json = {
      admin_ids: [Number(ada.id), Number(me)],
      admin_priority_level: { secondary_admin_ids: [Number(ada.id)] },
    };
    const put = (more: object) => check("PUT", "/teams/{team_id}", { id, json, headers, ...more });
    await put({});
    await put({ json: { ...json, name: "Other" }, status: 400, wrong: true });
    await put({ id: "1", status: 404 });
    simulator.faults.add({ operation: "teams.update", kind: "409" });
    await put({ status: 409 });
    simulator.control.changeSettings({ teamWrite: false });
    await put({ status: 403 });
  });

  test("conversations answer as it says", async () => {
    const { check, ada, team, me, simulator } = await checker();
    const { id } = simulator.control.seedConversation({
      assignee: ada.email,
      title: "Refund",
      tags: ["billing"],
      topics: ["Refunds"],
    });
    simulator.control.seedConversation({ assignee: ada.email });
    const query = {
      operator: "AND",
      value: [{ field: "admin_assignee_id", operator: "=", value: Number(ada.id) }],
    };
    await check("POST", "/conversations/search", { json: { query, pagination: { per_page: 1 } } });
    await check("GET", "/conversations/{conversation_id}", { id });
    const parts = "/conversations/{conversation_id}/parts";
    const assign = { message_type: "assignment", admin_id: me };
    const toTeam = { ...assign, type: "team", assignee_id: team.id };
    await check("POST", parts, { id, json: toTeam });
    await check("POST", parts, { id, json: { ...assign, type: "admin", assignee_id: "0" } });
    await check("POST", parts, { id: "1", json: toTeam, status: 404 });
    simulator.control.changeSettings({ conversationWrite: false });
    await check("POST", parts, { id, json: toTeam, status: 403 });
  });

  test("tickets answer as it says", async () => {
    const { check, simulator } = await checker();
    const { typeId, contactId } = simulator.control.addTicketType("Access");
    const json = {
      ticket_type_id: typeId,
      contacts: [{ id: contactId }],
      ticket_attributes: { _default_title_: "Invite Ada", _default_description_: "as it says" },
    };
    const made = await check("POST", "/tickets", { json, ambiguous: true });
    const id = String(made.body["id"]);
    await check("PUT", "/tickets/{ticket_id}", { id, json: { open: false } });
    await check("GET", "/tickets/{ticket_id}", { id });
  });

  test("every path about teammates, teams and assignment is simulated", () => {
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const beside =
      /contacts|\/tags|\/events|ip_allowlist|^(PUT|DELETE) \/conversations|^DELETE \/tickets/;
    expect(documented.filter((one) => !checked.has(one) && !beside.test(one))).toEqual([]);
  });

  test("activity types are among the documented ones, but for the one that is not", () => {
    const { properties } = document.components.schemas["activity_log"] as {
      properties: { activity_type: { enum: string[] } };
    };
    const known = properties.activity_type.enum;
    expect(activityTypes.filter((type) => !known.includes(type))).toEqual([]);
    expect(known).not.toContain(undocumentedActivity);
  });
});
