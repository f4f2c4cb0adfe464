import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClientCredentials, type TokenClient } from "../../../src/http/client-credentials.ts";
import { createHttpPools, type HttpPools } from "../../../src/http/http-pools.ts";
import { fakeClock } from "../../support/fake-clock.ts";
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

const client = (more: Partial<TokenClient> = {}): TokenClient => ({
  tokenUrl: `${server.url}/oauth/token`,
  scope: "scim",
  secret: "client one:s3cret/with+signs",
  fingerprint: "f1",
  ...more,
});

describe("client credentials", () => {
  test("are exchanged as RFC 6749 says, once for many calls at once", async () => {
    server.reply(json(200, { access_token: "t1", token_type: "Bearer", expires_in: 3600 }));
    const tokens = createClientCredentials({ pools, clock: fakeClock() });
    expect(await Promise.all([tokens.token(client()), tokens.token(client())])).toEqual([
      "t1",
      "t1",
    ]);
    expect(server.received).toHaveLength(1);
    expect(server.received[0]).toMatchObject({
      method: "POST",
      target: "/oauth/token",
      body: "grant_type=client_credentials&scope=scim",
    });
    const sent = server.received[0]?.headers.authorization?.replace("Basic ", "") ?? "";
    expect(Buffer.from(sent, "base64").toString()).toBe("client%20one:s3cret%2Fwith%2Bsigns");
  });

  test("give a new token shortly before the old one ends, and for another secret", async () => {
    server.reply((response, request, count) =>
      json(200, { access_token: `t${String(count)}`, token_type: "bearer", expires_in: "600" })(
        response,
        request,
        count,
      ),
    );
    const clock = fakeClock();
    const tokens = createClientCredentials({ pools, clock });
    expect(await tokens.token(client())).toBe("t1");
    await clock.advance(539_000);
    expect(await tokens.token(client())).toBe("t1");
    await clock.advance(2_000);
    expect(await tokens.token(client())).toBe("t2");
    expect(await tokens.token(client({ fingerprint: "f2" }))).toBe("t3");
  });

  test.each([
    [401, { error: "invalid_client" }, "CREDENTIAL_REFUSED"],
    [400, { error: "invalid_scope" }, "CREDENTIAL_REFUSED"],
    [200, { access_token: "t", token_type: "mac" }, "CREDENTIAL_REFUSED"],
    [503, {}, "VENDOR_UNAVAILABLE"],
  ])("answered with %i %j are %s", async (status, body, code) => {
    server.reply(json(status, body));
    const tokens = createClientCredentials({ pools, clock: fakeClock() });
    const error = await failureOf(tokens.token(client()));
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain("s3cret");
  });

  test("that are no pair are not sent anywhere", async () => {
    const tokens = createClientCredentials({ pools, clock: fakeClock() });
    expect(await failureOf(tokens.token(client({ secret: "only-one-part" })))).toMatchObject({
      code: "CREDENTIAL_REFUSED",
    });
    expect(server.received).toEqual([]);
  });
});
