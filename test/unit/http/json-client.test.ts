import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createHttpPools, type HttpPools } from "../../../src/http/http-pools.ts";
import { createJsonClient, JsonClientError } from "../../../src/http/json-client.ts";
import { json, startScriptedServer, type ScriptedServer } from "../../support/scripted-server.ts";
import { failureOf } from "../../support/vendor-http.ts";

let server: ScriptedServer;
let pools: HttpPools;
beforeEach(async () => {
  server = await startScriptedServer();
  pools = createHttpPools();
});
afterEach(async () => {
  await pools.close();
  await server.close();
});

const client = (totalMs = 5_000) =>
  createJsonClient({ baseUrl: `${server.url}/api/v1`, token: "operator-token", pools, totalMs });

describe("a client of the operator interface", () => {
  test("sends input as query of a GET and as body of a POST, with the token", async () => {
    server.reply(json(200, { ok: 1 }));
    expect(await client().call("GET", "/plan", { identity: "a b", connection: undefined })).toEqual(
      {
        ok: 1,
      },
    );
    await client().call("POST", "/holds/h/decision", { decision: "approve", people: undefined });
    expect(server.received.map((item) => [item.method, item.target, item.body])).toEqual([
      ["GET", "/api/v1/plan?identity=a+b", ""],
      ["POST", "/api/v1/holds/h/decision", '{"decision":"approve"}'],
    ]);
    expect(server.received[0]?.headers.authorization).toBe("Bearer operator-token");
    expect(server.received[0]?.headers["content-type"]).toBeUndefined();
  });

  test("an empty answer is undefined", async () => {
    server.reply((response) => response.writeHead(204).end());
    expect(await client().call("DELETE", "/link")).toBeUndefined();
  });

  test("a refusal carries the status and the service's own sentence", async () => {
    server.reply(
      json(422, { status: 422, detail: "no such rule", problems: ["line 3", "line 9"] }),
    );
    const error = await failureOf(client().call("POST", "/mapping"));
    expect(error).toBeInstanceOf(JsonClientError);
    expect(error).toMatchObject({ status: 422, message: "no such rule\n  line 3\n  line 9" });
  });

  test("an answer that is not JSON says that this may be another service", async () => {
    server.reply((response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end("<html>");
    });
    expect(await failureOf(client().call("GET", "/status"))).toMatchObject({
      status: 200,
      message: expect.stringContaining("is this the operator interface?") as unknown,
    });
  });

  test("a service that is not there is told from one that is slow", async () => {
    server.reply(() => undefined);
    expect(await failureOf(client(100).call("GET", "/status"))).toMatchObject({
      status: undefined,
      sent: true,
      message: expect.stringContaining("timeout") as unknown,
    });
    await server.close();
    expect(await failureOf(client().call("GET", "/status"))).toMatchObject({
      status: undefined,
      sent: false,
      message: expect.stringContaining("ECONNREFUSED") as unknown,
    });
  });
});
