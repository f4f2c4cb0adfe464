// Goal: what the specification writes can be read here and is written back unchanged.
// Method: its examples (OpenID Authorization API 1.0, §§ Information Model to Metadata) as values, through our schemas.
import { describe, expect, test } from "vitest";
import {
  decisionSchema,
  evaluationRequest,
  evaluationsRequest,
  evaluationsResponse,
  metadataSchema,
  pdpMetadata,
  actionSchema,
  resourceSchema,
  subjectSchema,
} from "../../../src/access/authzen.ts";

const alice = { type: "user", id: "alice@example.com" };
const time = "2024-05-31T15:22-07:00";
const document = (id: string) => ({ resource: { type: "document", id } });
const files = ["boxcarring.md", "subject-search.md", "resource-search.md"];
const read = { name: "can_read" };
const three = (evaluations_semantic: string) => ({
  subject: alice,
  action: { name: "read" },
  options: { evaluations_semantic },
  evaluations: ["1", "2", "3"].map(document),
});

describe("the specification's examples come back as they went in:", () => {
  test.each([
    ["a subject", alice],
    ["a subject with a department", { ...alice, properties: { department: "Sales" } }],
    [
      "a subject with address and device",
      { ...alice, properties: { ip_address: "172.217.22.14", device_id: "8:65:ee:17:7e:0b" } },
    ],
  ])("%s", (_name, value) => {
    expect(subjectSchema.parse(value)).toEqual(value);
  });

  test.each([
    ["a resource", { type: "book", id: "123" }],
    [
      "a resource with a record",
      {
        type: "book",
        id: "123",
        properties: { library_record: { title: "AuthZEN in Action", isbn: "978-0593383322" } },
      },
    ],
  ])("%s", (_name, value) => {
    expect(resourceSchema.parse(value)).toEqual(value);
  });

  test.each([
    ["an action", read],
    ["an action with a period", { name: "extend-loan", properties: { period: "2W" } }],
  ])("%s", (_name, value) => {
    expect(actionSchema.parse(value)).toEqual(value);
  });

  test.each([
    [
      "an evaluation",
      {
        subject: alice,
        resource: { type: "account", id: "123" },
        action: { name: "can_read", properties: { method: "GET" } },
        context: { time: "1985-10-26T01:22-07:00" },
      },
    ],
    [
      "an evaluation over HTTPS",
      {
        subject: alice,
        resource: { type: "todo", id: "1" },
        action: read,
        context: { time: "1985-10-26T01:22-07:00", schema: "https://schema.example.com/a.json" },
      },
    ],
  ])("%s", (_name, value) => {
    expect(evaluationRequest.parse(value)).toEqual(value);
  });

  test.each([
    [
      "evaluations without defaults",
      {
        evaluations: files.map((id) => ({
          subject: alice,
          action: read,
          ...document(id),
          context: { time },
        })),
      },
    ],
    [
      "evaluations of one subject",
      {
        subject: alice,
        context: { time },
        evaluations: files.map((id) => ({ action: read, ...document(id) })),
      },
    ],
    [
      "evaluations with an action that one of them overrides",
      {
        subject: alice,
        context: { time },
        action: read,
        evaluations: [
          document(files[0] ?? ""),
          document(files[1] ?? ""),
          { action: { name: "can_edit" }, ...document(files[2] ?? "") },
        ],
      },
    ],
    [
      "options that are not known here",
      {
        evaluations: [{ resource: { type: "doc", id: "1" }, subject: { type: "doc", id: "2" } }],
        options: { evaluations_semantic: "execute_all", another_option: "value" },
      },
    ],
    ["execute_all", three("execute_all")],
    ["deny_on_first_deny", three("deny_on_first_deny")],
    ["permit_on_first_permit", three("permit_on_first_permit")],
  ])("%s", (_name, value) => {
    expect(evaluationsRequest.parse(value)).toEqual(value);
  });

  test.each([
    ["a permit", { decision: true }],
    [
      "a denial with reasons",
      {
        decision: false,
        context: {
          reason_admin: { "403": "Request failed policy C076E82F" },
          reason_user: { "403": "Insufficient privileges. Contact your administrator" },
        },
      },
    ],
    [
      "a denial with what was around it",
      {
        decision: false,
        context: {
          metadata: { response_time: 60, response_time_unit: "ms" },
          environment: { ip: "10.10.0.1", datetime: "2025-06-27T18:03-07:00" },
        },
      },
    ],
    [
      "a denial that asks for another sign-in",
      { decision: false, context: { acr_values: "urn:com:example:loa:3", amr_values: "mfa hwk" } },
    ],
  ])("%s", (_name, value) => {
    expect(decisionSchema.parse(value)).toEqual(value);
  });

  test("decisions in the order of their evaluations, with errors of single ones", () => {
    const value = {
      evaluations: [
        { decision: true },
        { decision: false, context: { error: { status: 404, message: "Resource not found" } } },
        { decision: false, context: { reason: "Subject is a viewer of the resource" } },
        { decision: false, context: { code: "200", reason: "deny_on_first_deny" } },
      ],
    };
    expect(evaluationsResponse.parse(value)).toEqual(value);
  });

  test("the metadata of a decision point", () => {
    const value = {
      policy_decision_point: "https://pdp.example.com",
      access_evaluation_endpoint: "https://pdp.example.com/access/v1/evaluation",
      search_subject_endpoint: "https://pdp.example.com/access/v1/search/subject",
      search_resource_endpoint: "https://pdp.example.com/access/v1/search/resource",
    };
    expect(metadataSchema.parse(value)).toEqual(value);
  });
});

test("unknown members are ignored, missing and mistyped ones are not", () => {
  const whole = { subject: alice, action: read, resource: { type: "a", id: "1" } };
  expect(evaluationRequest.parse({ ...whole, more: 1 })).toEqual(whole);
  const { subject, ...without } = whole;
  expect(subject).toBe(alice);
  for (const wrong of [
    without,
    { ...whole, subject: "alice" },
    { ...whole, action: { name: 123 } },
    { ...whole, action: {} },
    { ...whole, resource: { type: "a" } },
    { ...whole, subject: { id: "alice" } },
    { ...whole, context: "now" },
  ])
    expect(evaluationRequest.safeParse(wrong).success).toBe(false);
  const semantic = { evaluations: [], options: { evaluations_semantic: "first" } };
  expect(evaluationsRequest.safeParse(semantic).success).toBe(false);
});

test("our own metadata is metadata, whatever the base ends in", () => {
  const own = pdpMetadata("https://rolecall.example.com/");
  expect(metadataSchema.parse(own)).toEqual(own);
  expect(own.policy_decision_point).toBe("https://rolecall.example.com");
  expect(own.access_evaluations_endpoint).toBe(
    "https://rolecall.example.com/access/v1/evaluations",
  );
});
