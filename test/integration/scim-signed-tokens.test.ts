// Goal: identity providers that prefer OAuth 2.0 client credentials get in with a token of their own authorization server, and nobody else does.
// Method: a real issuer on a socket gives out tokens and shows its keys; the router takes them over a real store and our own HTTP client.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openCallers } from "../../src/callers.ts";
import { createHttpPools } from "../../src/http/http-pools.ts";
import { systemClock } from "../../src/model/clock.ts";
import { asId, type IdpId, type TenantId } from "../../src/model/ids.ts";
import type { Logger } from "../../src/model/log.ts";
import { startScimService, type ScimService } from "../support/scim-service.ts";
import { noAlso } from "../support/store.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const audience = "api://rolecall";
const client = "0oa-provisioning";

interface Signing {
  readonly kid: string;
  readonly alg: string;
  readonly key: CryptoKey;
}

/** An authorization server: keys by id, asked for over HTTP. */
class Issuer {
  readonly #server: Server;
  readonly #shown: object[] = [];
  asked = 0;
  down = false;
  url = "";

  constructor() {
    this.#server = createServer((_request, response) => {
      this.asked += 1;
      response.writeHead(this.down ? 500 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify({ keys: this.#shown }));
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A new key, shown from now on unless it is kept back. */
  async key(kid: string, alg = "RS256", shown = true): Promise<Signing> {
    const pair = await generateKeyPair(alg);
    if (shown) this.#shown.push({ ...(await exportJWK(pair.publicKey)), kid, alg, use: "sig" });
    return { kid, alg, key: pair.privateKey };
  }

  token(
    signing: Signing,
    claims: Readonly<Record<string, unknown>> = {},
    ages = { issued: 0, ends: 3_600 },
  ) {
    const now = Math.floor(systemClock().now() / 1_000);
    return new SignJWT({
      ...{ iss: this.url, aud: audience, client_id: client, sub: client },
      ...{ iat: now + ages.issued, exp: now + ages.ends },
      ...claims,
    })
      .setProtectedHeader({ alg: signing.alg, kid: signing.kid, typ: "at+jwt" })
      .sign(signing.key);
  }
}

describe("a signed token", () => {
  const issuer = new Issuer();
  const pools = createHttpPools();
  let service: ScimService;
  let first: Signing;

  beforeAll(async () => {
    await issuer.open();
    first = await issuer.key("first");
  });
  afterAll(async () => {
    await issuer.close();
    await pools.close();
  });
  beforeEach(async () => {
    issuer.down = false;
    issuer.asked = 0;
    let idp: ReturnType<typeof openCallers>["idp"] | undefined;
    service = await startScimService({
      deps: { authenticate: async (token, address) => idp?.(token, address) },
    });
    const { store } = service;
    idp = openCallers({ store, clock: systemClock(), logger: silent, pools }).idp;
    await sign(service.tenantId, service.idpId);
    return () => service.close();
  });

  const sign = (tenantId: TenantId, idpId: IdpId, change: { client?: string } = {}) =>
    service.store.setIdpSigner(
      tenantId,
      {
        ...{ idpId, issuer: issuer.url, audience, client, createdAt: systemClock().now() },
        keysUrl: `${issuer.url}/keys`,
        ...change,
      },
      noAlso,
    );
  const status = async (token: string) =>
    (
      await fetch(`${service.baseUrl}/Users?count=1`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;

  test("of the connection's issuer, audience and client gets in, and the record names its connection", async () => {
    const token = await issuer.token(first);
    const answer = await fetch(`${service.baseUrl}/Users`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
      body: JSON.stringify({
        schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
        userName: "ada@example.com",
      }),
    });
    expect(answer.status).toBe(201);
    const [record] = await service.records();
    expect(record?.actor).toMatchObject({ kind: "idp", id: service.idpId });
    expect(JSON.stringify(record)).not.toContain(token.slice(0, 40));
    expect(await status(await issuer.token(first, { aud: ["other", audience] }))).toBe(200);
    // The keys were asked for once.
    expect(issuer.asked).toBe(1);
  });

  test.each([
    ["somebody delegated to the client", { scp: "user_impersonation" }],
    ["a sign-in gave", { nonce: "n" }],
    ["is an ID token", { at_hash: "h" }],
    ["is of a user", { idtyp: "user" }],
  ])("that %s is no word of the provider", async (_what, claims) => {
    expect(await status(await issuer.token(first, claims))).toBe(401);
    expect(await status(await issuer.token(first, { scp: ["scim"], idtyp: "app" }))).toBe(200);
  });

  test.each([["RS256"], ["PS256"], ["ES256"], ["EdDSA"]])("may be signed with %s", async (alg) => {
    expect(await status(await issuer.token(await issuer.key(`of-${alg}`, alg)))).toBe(200);
  });

  test("names its client as its server does: azp, appid, cid, or the subject alone", async () => {
    for (const name of ["azp", "appid", "cid"])
      expect(
        await status(await issuer.token(first, { client_id: undefined, [name]: client })),
      ).toBe(200);
    expect(await status(await issuer.token(first, { client_id: undefined }))).toBe(200);
  });

  test("that is wrong in any part is 401", async () => {
    const stranger = await issuer.key("stranger", "RS256", false);
    const borrowed = { ...stranger, kid: "first" };
    const good = await issuer.token(first);
    const [head = "", body = "", signature = ""] = good.split(".");
    const none = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
    const wrong = {
      issuer: await issuer.token(first, { iss: "https://elsewhere.example.com" }),
      audience: await issuer.token(first, { aud: "api://other" }),
      client: await issuer.token(first, { client_id: "another" }),
      "no end": await issuer.token(first, { exp: undefined }),
      ended: await issuer.token(first, {}, { issued: -7_200, ends: -120 }),
      "not yet": await issuer.token(first, { nbf: Math.floor(systemClock().now() / 1_000) + 600 }),
      "too old": await issuer.token(first, {}, { issued: -90_000, ends: 3_600 }),
      "another's key": await issuer.token(borrowed),
      "a key that is not shown": await issuer.token(stranger),
      "no signature": `${none}.${body}.${signature}`,
      changed: `${head}.${Buffer.from(JSON.stringify({ iss: issuer.url, aud: audience, client_id: client, exp: 9e9 })).toString("base64url")}.${signature}`,
      "no token": "eyJhbGciOiJSUzI1NiJ9.e30.e30",
    };
    for (const [what, token] of Object.entries(wrong))
      expect([what, await status(token)]).toEqual([what, 401]);
    expect(await status(good)).toBe(200);
  });

  test("of a server that signs with the public key as a secret is 401", async () => {
    const now = Math.floor(systemClock().now() / 1_000);
    const token = await new SignJWT({ iss: issuer.url, aud: audience, client_id: client })
      .setProtectedHeader({ alg: "HS256", kid: "first" })
      .setIssuedAt(now)
      .setExpirationTime(now + 600)
      .sign(Buffer.from("a public key is no secret, whatever the header says"));
    expect(await status(token)).toBe(401);
  });

  test("decides the tenant: a client of one connection never speaks for another", async () => {
    const other = { tenantId: asId<TenantId>("globex"), idpId: asId<IdpId>("entra") };
    await expect(sign(other.tenantId, other.idpId)).rejects.toMatchObject({
      code: "ALREADY_EXISTS",
    });
    await sign(other.tenantId, other.idpId, { client: "of-globex" });
    await service.client.post("/Users", { userName: "ada" }).catch(() => undefined);
    expect(await status(await issuer.token(first, { client_id: "of-globex" }))).toBe(200);
    expect(await status(await issuer.token(first, { client_id: "of-nobody" }))).toBe(401);
  });

  test("with a key that is new at the issuer is taken, and a flood of unknown keys asks once in half a minute", async () => {
    expect(await status(await issuer.token(first))).toBe(200);
    const next = await issuer.key("next");
    // The keys were read a moment ago: the new one waits for that half minute, and no request is lost in a loop.
    expect(await status(await issuer.token(next))).toBe(401);
    const stranger = await issuer.key("nobody", "RS256", false);
    for (let at = 0; at < 5; at += 1) await status(await issuer.token(stranger));
    expect(issuer.asked).toBe(1);
  });

  test("whose issuer does not answer is 503 with Retry-After, no refusal; known keys go on", async () => {
    issuer.down = true;
    const token = await issuer.token(first);
    const answer = await fetch(`${service.baseUrl}/Users`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "30"]);
    issuer.down = false;
    expect(await status(token)).toBe(200);
    issuer.down = true;
    expect(await status(token)).toBe(200);
  });

  test("whose keys would lie inside our network is never asked for", async () => {
    await service.store.setIdpSigner(
      service.tenantId,
      {
        ...{ idpId: service.idpId, issuer: issuer.url, audience, client },
        ...{ keysUrl: "https://169.254.169.254/keys", createdAt: systemClock().now() },
      },
      noAlso,
    );
    expect(await status(await issuer.token(first))).toBe(503);
    expect(issuer.asked).toBe(0);
  });

  test("is taken no more once its signer is removed", async () => {
    const token = await issuer.token(first);
    expect(await status(token)).toBe(200);
    await service.store.removeIdpSigner(service.tenantId, service.idpId, noAlso);
    await expect.poll(() => status(token), { timeout: 10_000 }).toBe(401);
  });
});
