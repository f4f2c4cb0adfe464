// Goal: applications ask what people may, as AuthZEN says, and who left is denied by the next question.
// Method: the real store, sync, token check and router behind a real socket; the client, the middleware and the example application.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import express from "express";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createAccessRoom } from "../../src/access-room.ts";
import { applicationCaller } from "../../src/callers.ts";
import { AccessUnavailableError, createAccessClient } from "../../src/client/access-client.ts";
import { requirePermission } from "../../src/client/require-permission.ts";
import { createTokenCheck, issueToken, type TokenCheck } from "../../src/credentials/tokens.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Logger } from "../../src/model/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../support/eventually.ts";
import { connectionId, StoryWorld, tenantId, type StoryPerson } from "../support/story-world.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

const mapping: JsonObject = {
  version: 1,
  vendor: "instantly",
  connection: { credential: "sealed:key" },
  mode: "additive",
  account: { match: "email" },
  access: {
    permissions: ["messages:create", "campaigns:view"],
    roles: [
      {
        role: "viewer",
        from: [{ kind: "org_role", role: "user" }],
        allow: ["campaigns:view"],
      },
      {
        role: "editor",
        from: [{ rule: "sales-edit" }],
        allow: "all",
        limits: { models: ["haiku"], max_tokens: 512, requests_per_minute: 2 },
      },
    ],
  },
  rules: [
    {
      id: "sales-edit",
      when: { group: "Sales" },
      grant: [{ kind: "org_role", role: "developer" }],
    },
    {
      id: "others-look",
      when: { everyone: true },
      grant: [{ kind: "org_role", role: "user" }],
    },
  ],
};

describe("applications", () => {
  let world: StoryWorld;
  let url: string;
  let token: string;
  let ada: StoryPerson;
  let ben: StoryPerson;
  let tokens: TokenCheck;
  let close: () => Promise<void>;

  beforeAll(async () => {
    world = await StoryWorld.open();
    const { store, clock } = world;
    await world.activate(mapping);
    ada = await world.hire("ada@example.com");
    ben = await world.hire("ben@example.com");
    await world.group("Sales", [ada]);
    await world.settle();
    tokens = createTokenCheck({ store, clock, logger: silent, kind: "access" });
    ({ token } = await issueToken(
      { store, clock },
      tenantId,
      { kind: "access", idpId: undefined, label: "gateway", expiresAt: undefined },
      { kind: "system", id: "test" },
    ));
    const room = createAccessRoom({
      ...{ store, clock, logger: silent, publicUrl: "https://rolecall.example.com" },
      metrics: createMetrics({ processMetrics: false }).metrics,
      authenticate: applicationCaller(tokens),
    });
    const app = express();
    app.use("/access/v1", room.questions);
    app.use(room.metadata);
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    close = async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await store.close();
    };
  });
  afterAll(() => close());

  const post = async (
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = {},
  ) => {
    const response = await fetch(`${url}/access/v1/${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        authorization: `Bearer ${token}`,
        ...headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.startsWith("application/json") === true;
    return {
      status: response.status,
      headers: response.headers,
      body: json ? (JSON.parse(text) as Record<string, unknown>) : text,
    };
  };
  const resource = { type: "connection", id: String(connectionId) };
  const question = (person: StoryPerson, name: string, more: object = {}) => ({
    subject: { type: "user", id: person.email },
    action: { name },
    resource,
    ...more,
  });

  test("find the endpoints where the specification says, without a token", async () => {
    const response = await fetch(`${url}/.well-known/authzen-configuration`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(await response.json()).toEqual({
      policy_decision_point: "https://rolecall.example.com",
      access_evaluation_endpoint: "https://rolecall.example.com/access/v1/evaluation",
      access_evaluations_endpoint: "https://rolecall.example.com/access/v1/evaluations",
    });
  });

  test("get a decision with its reason, role and limits, and their request id back", async () => {
    const asked = question(ada, "messages:create", {
      action: {
        name: "messages:create",
        properties: { model: "claude-haiku-4-5", max_tokens: 9_000 },
      },
    });
    const answer = await post("evaluation", asked, { "x-request-id": "bfe9eb29 any text" });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        decision: true,
        context: {
          ...{ reason: "permitted", permission: "messages:create", role: "editor" },
          limits: { models: ["haiku"], max_tokens: 512, requests_per_minute: 2 },
          max_tokens: 512,
        },
      },
    });
    expect(answer.headers.get("x-request-id")).toBe("bfe9eb29 any text");
    expect(await post("evaluation", question(ben, "messages:create"))).toMatchObject({
      status: 200,
      body: { decision: false, context: { reason: "not_permitted", role: "viewer" } },
    });
    expect(
      await post(
        "evaluation",
        question(ben, "campaigns:view", {
          subject: { type: "identity", id: ben.identityId },
          resource: { type: "campaign", id: "7", properties: { connection: connectionId } },
        }),
      ),
    ).toMatchObject({ body: { decision: true } });
  });

  test.each([
    [
      "an unknown person",
      { subject: { type: "user", id: "nobody@example.com" } },
      "unknown_subject",
    ],
    [
      "another sort of subject",
      { subject: { type: "robot", id: "ada@example.com" } },
      "unknown_subject",
    ],
    ["a text that no name can be", { subject: { type: "user", id: "ada\0" } }, "unknown_subject"],
    ["a resource of nowhere", { resource: { type: "account", id: "123" } }, "unknown_connection"],
    ["an unknown connection", { resource: { type: "connection", id: "x" } }, "unknown_connection"],
    ["an unknown permission", { action: { name: "can_read" } }, "unknown_permission"],
  ])("are denied %s", async (_what, more, reason) => {
    expect(await post("evaluation", question(ada, "campaigns:view", more))).toMatchObject({
      status: 200,
      body: { decision: false, context: { reason } },
    });
  });

  test("ask many questions at once, with defaults, by each of three semantics", async () => {
    const many = (semantic: string | undefined, ...names: readonly string[]) =>
      post("evaluations", {
        subject: { type: "user", id: ben.email },
        resource,
        ...(semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }),
        evaluations: names.map((name) => ({ action: { name } })),
      });
    const decisions = async (semantic: string | undefined, ...names: readonly string[]) => {
      const { status, body } = await many(semantic, ...names);
      expect(status).toBe(200);
      const { evaluations } = body as { evaluations: readonly { decision: boolean }[] };
      return evaluations.map((item) => item.decision);
    };
    const [yes, no] = ["campaigns:view", "messages:create"];
    expect(await decisions(undefined, no, yes, no)).toEqual([false, true, false]);
    expect(await decisions("execute_all", yes, no, yes)).toEqual([true, false, true]);
    expect(await decisions("deny_on_first_deny", yes, no, yes)).toEqual([true, false]);
    expect(await decisions("permit_on_first_permit", no, yes, no)).toEqual([false, true]);
  });

  test("get the error of one question beside the decisions of the others", async () => {
    const { status, body } = await post("evaluations", {
      subject: { type: "user", id: ben.email },
      action: { name: "campaigns:view" },
      evaluations: [{ resource }, {}, { resource: "x" }, { subject: { type: "user" }, resource }],
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      evaluations: [
        { decision: true },
        { decision: false, context: { error: { status: 400 } } },
        { decision: false, context: { error: { status: 400 } } },
        { decision: false, context: { error: { status: 400 } } },
      ],
    });
  });

  test("may send a single question to the endpoint for many", async () => {
    const single = question(ben, "campaigns:view");
    expect(await post("evaluations", single)).toMatchObject({ body: { decision: true } });
    expect(await post("evaluations", { ...single, evaluations: [] })).toMatchObject({
      body: { decision: true },
    });
  });

  test("hear in a sentence what is wrong with a request", async () => {
    const { subject, ...without } = question(ada, "campaigns:view");
    const wrong: readonly (readonly [unknown, number, Readonly<Record<string, string>>?])[] = [
      [without, 400],
      [{ ...without, subject: "ada" }, 400],
      [{ ...without, subject, action: { name: 1 } }, 400],
      ["", 400],
      ["{", 400],
      ["[]", 400],
      ["1", 400],
      [{ subject, ...without }, 400, { "content-type": "text/plain" }],
      [{ subject, ...without }, 401, { authorization: "" }],
      [{ subject, ...without }, 401, { authorization: "Bearer rc_access_nobody" }],
      [`{"x":"${"x".repeat(600_000)}"}`, 413],
    ];
    for (const [body, status, headers] of wrong) {
      const answer = await post("evaluation", body, { "x-request-id": "7", ...headers });
      expect(answer, JSON.stringify(body)).toMatchObject({ status });
      expect(typeof answer.body).toBe("string");
      expect(answer.headers.get("x-request-id")).toBe("7");
    }
    const nobody = await post("evaluation", {}, { authorization: "" });
    expect(nobody.headers.get("www-authenticate")).toBe('Bearer realm="access"');
    const tooMany = { evaluations: Array.from({ length: 1_001 }, () => ({})) };
    expect(await post("evaluations", tooMany)).toMatchObject({ status: 400 });
    expect(
      (
        await fetch(`${url}/access/v1/evaluation`, {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status,
    ).toBe(405);
    expect(await post("search/subject", {})).toMatchObject({ status: 404 });
  });

  test("are denied a leaver by the first question after the write, before anything is recomputed", async () => {
    const cleo = await world.hire("cleo@example.com");
    await world.settle();
    const asked = question(cleo, "campaigns:view");
    expect(await post("evaluation", asked)).toMatchObject({ body: { decision: true } });
    await world.setActive(cleo, false);
    expect(await post("evaluation", asked)).toMatchObject({
      body: { decision: false, context: { reason: "departed" } },
    });
    await world.setActive(cleo, true);
    expect(await post("evaluation", asked)).toMatchObject({ body: { decision: true } });
  });

  test("are held to a matrix that was activated a moment ago", async () => {
    const access = mapping["access"] as JsonObject;
    const asked = question(ben, "campaigns:delete");
    expect(await post("evaluation", asked)).toMatchObject({
      body: { context: { reason: "unknown_permission" } },
    });
    const permissions = [...(access["permissions"] as string[]), "campaigns:delete"];
    await world.activate({ ...mapping, access: { ...access, permissions } });
    expect(await post("evaluation", asked)).toMatchObject({
      body: { decision: false, context: { reason: "not_permitted" } },
    });
  });

  test("use a client that fails closed", async () => {
    const client = createAccessClient({ url, token });
    const ask = { subject: ben.email, permission: "campaigns:view", connection: "vendor" };
    expect(await client.evaluate(ask)).toMatchObject({ decision: true });
    expect(
      await client.evaluations(
        [ask, { ...ask, permission: "messages:create" }, ask],
        "deny_on_first_deny",
      ),
    ).toMatchObject([{ decision: true }, { decision: false }]);
    const unknown = createAccessClient({ url, token: "nobody" });
    await expect(unknown.evaluate(ask)).rejects.toMatchObject({ status: 401 });
    const gone = createAccessClient({ url: "http://127.0.0.1:1", token });
    await expect(gone.evaluate(ask)).rejects.toBeInstanceOf(AccessUnavailableError);
  });

  test("put a middleware before a route: 403 with permission and role, 429, 503", async () => {
    const app = express();
    const guard = (client = createAccessClient({ url, token })) =>
      requirePermission<express.Request>({
        client,
        ...{ connection: "vendor", permission: "messages:create", clock: world.clock },
        subject: (request) => request.get("x-user"),
      });
    app.get("/calls", guard(), (_request, response) => {
      response.json(response.locals["access"]);
    });
    app.get("/gone", guard(createAccessClient({ url: "http://127.0.0.1:1", token })), () => {
      throw new Error("nobody gets here");
    });
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const get = async (path: string, user?: string) => {
      const headers = user === undefined ? {} : { "x-user": user };
      const response = await fetch(`${base}${path}`, { headers });
      return { status: response.status, body: (await response.json()) as object, response };
    };
    try {
      expect(await get("/calls")).toMatchObject({ status: 401 });
      expect(await get("/calls", ben.email)).toMatchObject({
        status: 403,
        body: {
          ...{ error: "forbidden", reason: "not_permitted" },
          ...{ required_permission: "messages:create", current_role: "viewer" },
        },
      });
      for (let count = 0; count < 2; count += 1)
        expect(await get("/calls", ada.email)).toMatchObject({
          ...{ status: 200, body: { context: { max_tokens: 512 } } },
        });
      const third = await get("/calls", ada.email);
      expect(third.status).toBe(429);
      expect(third.response.headers.get("retry-after")).toBe("30");
      expect(await get("/gone", ada.email)).toMatchObject({
        ...{ status: 503, body: { error: "access_unavailable" } },
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test("can be written as the example of the documents is", async () => {
    const path = fileURLToPath(new URL("../fixtures/application/application.ts", import.meta.url));
    const readme = new URL("../../src/client/README.md", import.meta.url);
    const text = readFileSync(path, "utf8");
    const shown = /```ts\n([\s\S]*?)```/.exec(readFileSync(readme, "utf8"))?.[1];
    expect(shown).toBe(text);
    await world.activate(mapping);
    const child = spawn(process.execPath, [path], {
      env: {
        ...{ ACCESS_URL: url, ACCESS_TOKEN: token, PORT: "0" },
        CONNECTION: connectionId,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      let said = "";
      child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
      await eventually(() => said.includes("\n"), { timeoutMs: 60_000 });
      const { port } = JSON.parse(said) as { port: number };
      const call = async (user: string) =>
        fetch(`http://127.0.0.1:${String(port)}/messages`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-signed-in-as": user },
          body: JSON.stringify({ model: "claude-haiku-4-5", max_tokens: 4_000 }),
        });
      const passed = await call(ada.email);
      expect(passed.status).toBe(200);
      expect(await passed.json()).toEqual({ calls: "claude-haiku-4-5", max_tokens: 512 });
      const refused = await call(ben.email);
      expect(refused.status).toBe(403);
      expect(await refused.json()).toMatchObject({ current_role: "viewer" });
    } finally {
      child.kill();
    }
  });

  test("are refused once their token is revoked", async () => {
    const [record] = (await world.store.listTokens(tenantId)).filter(
      (item) => item.kind === "access",
    );
    await world.store.revokeToken(
      tenantId,
      { tokenId: record?.tokenId ?? "", now: world.clock.now() },
      world.also("token.revoked"),
    );
    tokens.forget();
    expect(await post("evaluation", question(ben, "campaigns:view"))).toMatchObject({
      status: 401,
    });
  });
});
