// Goal: clients that send too much, too slowly, too deep or nothing at all cost bounded memory and time, and others are served meanwhile.
// Method: the real listeners on the loopback interface, raw sockets against them. Limits that take minutes are shortened, never removed.
import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import type express from "express";
import { Router } from "express";
import { afterEach, describe, expect, test } from "vitest";
import { createApi } from "../../src/console/api.ts";
import type { ConsoleDeps } from "../../src/console/operation.ts";
import { allOperations } from "../../src/console/operations/all.ts";
import {
  listen,
  listenerLimits,
  operatorApp,
  publicApp,
  type Listener,
  type ListenerLimits,
} from "../../src/listeners.ts";
import { vendorFactsOf } from "../../src/connectors/registry.ts";
import { loadMappings } from "../../src/mapping/load.ts";
import { asId, type TenantId } from "../../src/model/ids.ts";
import type { Logger } from "../../src/model/log.ts";
import { eventually } from "../support/eventually.ts";
import { exchange } from "../support/http-exchange.ts";
import { startScimService } from "../support/scim-service.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const probe = () => Promise.resolve({ ok: true, checks: {} });
const probes = { live: probe, ready: probe };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function open(app: express.Express, limits: Partial<ListenerLimits> = {}): Promise<Listener> {
  const listener = await listen(app, 0, "127.0.0.1", { ...listenerLimits, ...limits });
  cleanups.push(() => listener.close(0));
  return listener;
}

const publicListener = (limits: Partial<ListenerLimits> = {}, scim: Router = Router()) =>
  open(publicApp({ scim, probes, trustedProxies: [] }), limits);

/** Whose operators the bearers of these tokens are. */
const tenantOf: Readonly<Record<string, string>> = { right: "default", globex: "globex" };

/** The operator's interface: nobody but the bearers of these tokens gets in; no operation has anything to work with. */
function operatorListener(): Promise<Listener> {
  const api = createApi({} as ConsoleDeps, {
    defaultTenant: asId<TenantId>("default"),
    operations: allOperations,
    logger: silent,
    authenticate: (token) =>
      Promise.resolve(
        token === undefined || !Object.hasOwn(tenantOf, token)
          ? undefined
          : {
              tenantId: asId<TenantId>(tenantOf[token] ?? ""),
              actor: { kind: "operator" as const, id: "test" },
              purpose: undefined,
              expiresAt: undefined,
            },
      ),
  });
  return open(
    operatorApp({
      ...{ api, console: Router(), probes },
      metrics: () => Promise.resolve({ type: "text/plain", body: "" }),
      trustedProxies: [],
    }),
  );
}

interface RawConnection {
  readonly socket: Socket;
  said(): string;
  readonly closed: Promise<void>;
}

async function raw(port: number): Promise<RawConnection> {
  const socket = connect({ port, host: "127.0.0.1" });
  let said = "";
  socket.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  // A reset is an end like another here.
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  cleanups.push(() => socket.destroy());
  await new Promise<void>((resolve) => {
    socket.once("connect", () => resolve());
    socket.once("close", () => resolve());
  });
  return { socket, said: () => said, closed };
}

describe("answers of both listeners", () => {
  test("tell browsers to neither frame, guess, keep nor run them, whatever their status", async () => {
    const [outside, inside] = [await publicListener(), await operatorListener()];
    const asked = [
      `${outside.url}/healthz`,
      `${outside.url}/nowhere`,
      `${inside.url}/readyz`,
      `${inside.url}/metrics`,
      `${inside.url}/nowhere`,
      `${inside.url}/api/v1/status`,
    ];
    const statuses: number[] = [];
    for (const url of asked) {
      const { status, headers } = await exchange(url);
      statuses.push(status);
      expect(Object.fromEntries(headers), url).toMatchObject({
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
      for (const name of ["x-powered-by", "server", "access-control-allow-origin"])
        expect(headers.get(name), `${url} ${name}`).toBeNull();
    }
    expect(statuses).toEqual([200, 404, 200, 200, 404, 401]);
  });

  test("have them on SCIM answers too, errors included", async () => {
    const service = await startScimService();
    cleanups.push(() => service.close());
    // The router as the service mounts it.
    const forward = Router();
    forward.use(async (request, response) => {
      const { status, text } = await exchange(`${service.baseUrl}${request.url}`);
      response.writeHead(status, { "Content-Type": "application/scim+json" });
      response.end(text);
    });
    const listener = await publicListener({}, forward);
    const { status, headers } = await exchange(`${listener.url}/scim/v2/Users`);
    expect([status, headers.get("x-content-type-options")]).toEqual([401, "nosniff"]);
  });
});

describe("the operator's interface", () => {
  test("reads nothing of who is nobody", async () => {
    const { url } = await operatorListener();
    for (const authorization of [undefined, "Bearer wrong", "Basic cmlnaHQ=", "right"]) {
      const { status, headers, text } = await exchange(`${url}/api/v1/credentials/x`, {
        method: "PUT",
        text: "{ no JSON at all",
        headers: { "content-type": "application/json", ...(authorization && { authorization }) },
      });
      expect([status, headers.get("www-authenticate")], authorization).toEqual([401, "Bearer"]);
      expect(text).not.toContain("JSON");
    }
  });

  test("keeps the operators of one tenant out of all others", async () => {
    const { url } = await operatorListener();
    const ask = async (token: string, query: string) =>
      (
        await exchange(`${url}/api/v1/status${query}`, {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    expect(await ask("globex", "?tenant=acme")).toBe(403);
    expect(await ask("globex", "?tenant=default")).toBe(403);
    // Let in, they find that there is nothing to work with here.
    expect(await ask("globex", "?tenant=globex")).toBe(500);
    expect(await ask("globex", "")).toBe(500);
    // The installation's own operators look after everybody.
    expect(await ask("right", "?tenant=acme")).toBe(500);
  });

  test("does not repeat a body that it cannot read", async () => {
    const { url } = await operatorListener();
    const { status, text } = await exchange(`${url}/api/v1/credentials/x`, {
      method: "PUT",
      text: '{ "secret": canary-of-a-vendor-key }',
      headers: { "content-type": "application/json", authorization: "Bearer right" },
    });
    expect(status).toBe(400);
    expect(text).toContain("the body is no JSON");
    expect(text).not.toContain("canary");
  });

  test("takes no path for a name, and no body beyond its limit", async () => {
    const { url } = await operatorListener();
    const headers = { authorization: "Bearer right", "content-type": "application/json" };
    for (const tenant of ["../other", "..%2fother", "a/b", ".", "", "A"]) {
      const query = new URLSearchParams({ tenant });
      const { status } = await exchange(`${url}/api/v1/status?${query.toString()}`, { headers });
      expect([tenant, status]).toEqual([tenant, 400]);
    }
    const put = (name: string, secret: string) =>
      exchange(`${url}/api/v1/credentials/${name}`, { method: "PUT", headers, json: { secret } });
    expect((await put("..%2f..%2fetc%2fpasswd", "long enough")).status).toBe(400);
    expect((await put("x", "x".repeat(1_100_000))).status).toBe(413);
  });

  test("is not changed by keys that mean something to JavaScript", async () => {
    const { url } = await operatorListener();
    const headers = { authorization: "Bearer right", "content-type": "application/json" };
    const bomb = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}';
    const answers = [
      await exchange(`${url}/api/v1/credentials/x`, { method: "PUT", headers, text: bomb }),
      await exchange(`${url}/api/v1/status?__proto__[polluted]=1&tenant=../x`, { headers }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    expect("polluted" in {}).toBe(false);
  });
});

describe("mapping folders", () => {
  test("are never left by the name of a tenant", async () => {
    for (const name of ["../default", "..", "default/../default", "/etc", "a\0b"])
      await expect(loadMappings("mappings", vendorFactsOf, [name]), name).rejects.toThrow(
        /problem.* in the mapping files/,
      );
  });
});

describe("SCIM", () => {
  const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
  const patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

  test("answers bodies made to break parsers with a 4xx, quickly, and goes on", async () => {
    const service = await startScimService();
    cleanups.push(() => service.close());
    const deep = (open: string, close: string, levels: number) =>
      open.repeat(levels) + close.repeat(levels);
    const bombs = [
      deep("[", "]", 400_000),
      deep('{"a":', "}", 100_000).replace(":}", ":1}"),
      `{"schemas":["${userSchema}"],"userName":"a","emails":${deep("[", "]", 300_000)}}`,
      `{"schemas":["${userSchema}"],"userName":"a","name":${deep('{"formatted":', "}", 50_000).replace(":}", ":1}")}}`,
      `{"schemas":["${userSchema}"],"userName":${"9".repeat(900_000)}}`,
      `{${'"a":1,'.repeat(100_000)}"b":1}`,
    ];
    for (const [at, body] of bombs.entries()) {
      const { status } = await service.client.post("/Users", body);
      expect([at, status >= 400 && status < 500], String(status)).toEqual([at, true]);
    }
    expect((await service.client.get("/Users?count=1")).status).toBe(200);
  });

  test("is not changed by keys that mean something to JavaScript, in bodies, paths and filters", async () => {
    const service = await startScimService();
    cleanups.push(() => service.close());
    const before = Object.getOwnPropertyNames(Object.prototype);
    const made = await service.client.post(
      "/Users",
      `{"schemas":["${userSchema}"],"userName":"ada","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"name":{"__proto__":{"polluted":1},"givenName":"Ada"}}`,
    );
    expect(made.status).toBe(201);
    const path = `/Users/${String(made.body.id)}`;
    for (const target of [
      "__proto__.polluted",
      "constructor.prototype.polluted",
      "name.__proto__",
      "__proto__",
    ])
      for (const op of ["add", "replace", "remove"])
        await service.client.patch(path, {
          schemas: [patchSchema],
          Operations: [{ op, path: target, ...(op === "remove" ? {} : { value: 1 }) }],
        });
    await service.client.patch(
      path,
      `{"schemas":["${patchSchema}"],"Operations":[{"op":"replace","value":{"__proto__":{"polluted":1},"constructor.prototype.polluted":1}}]}`,
    );
    await service.client.get(`/Users?filter=${encodeURIComponent("__proto__.polluted eq 1")}`);
    await service.client.get("/Users?attributes=__proto__,constructor");
    expect("polluted" in {}).toBe(false);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    const read = await service.client.get(path);
    expect([read.status, read.body.userName]).toEqual([200, "ada"]);
    expect(read.text).not.toContain("polluted");
  });

  test("answers filters made to cost time in the time that their length deserves", async () => {
    const service = await startScimService();
    cleanups.push(() => service.close());
    const filters = [
      "(".repeat(3_000),
      `${"(".repeat(2_000)}userName eq "a"${")".repeat(2_000)}`,
      `${"not (".repeat(1_000)}userName pr${")".repeat(1_000)}`,
      Array.from({ length: 300 }, () => 'userName co "a"').join(" or "),
      `emails[${"value pr and ".repeat(200)}value pr]`,
      `userName eq "${"\\\\".repeat(2_000)}`,
      `${"a.".repeat(2_000)}a pr`,
    ];
    for (const filter of filters) {
      const startedAt = performance.now();
      const { status } = await service.client.get(`/Users?filter=${encodeURIComponent(filter)}`);
      expect([200, 400], filter.slice(0, 12)).toContain(status);
      expect(performance.now() - startedAt, filter.slice(0, 12)).toBeLessThan(5_000);
    }
  });
});

describe("a connection", () => {
  test("that sends headers without end is answered 431 and closed", async () => {
    const { port, url } = await publicListener();
    const { socket, said, closed } = await raw(port);
    socket.write(`GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`);
    await closed;
    expect(said()).toMatch(/^HTTP\/1\.1 431 /);
    expect((await exchange(`${url}/healthz`)).status).toBe(200);
  });

  test("that says two things about the length of its body is refused", async () => {
    const { port } = await publicListener();
    for (const head of [
      "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Content-Length: 5\r\nContent-Length: 6",
      "Transfer-Encoding: chunked, identity",
    ]) {
      const { socket, said, closed } = await raw(port);
      socket.write(`POST /healthz HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n0\r\n\r\n`);
      await closed;
      expect(said(), head).toMatch(/^HTTP\/1\.1 400 /);
    }
  });

  test("that sends its headers a letter at a time is cut, and others are served meanwhile", async () => {
    const { port, url } = await publicListener({ headersMs: 400 });
    const slow = await Promise.all(Array.from({ length: 50 }, () => raw(port)));
    const drip = setInterval(() => {
      for (const { socket } of slow) if (!socket.destroyed) socket.write("X");
    }, 50);
    cleanups.push(() => {
      clearInterval(drip);
    });
    for (const { socket } of slow) socket.write("GET /healthz HTTP/1.1\r\n");
    expect((await exchange(`${url}/healthz`)).status).toBe(200);
    await Promise.all(slow.map(({ closed }) => closed));
  });

  test("that says nothing is cut, and so is one whose body never ends", async () => {
    const { port } = await publicListener({ headersMs: 300, requestMs: 600 }, swallow());
    const silentOne = await raw(port);
    const endless = await raw(port);
    endless.socket.write("POST /scim/v2/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc");
    await Promise.all([silentOne.closed, endless.closed]);
    expect(silentOne.said()).not.toMatch(/ 200 /);
  });

  test("beyond the limit is closed at once; a place that becomes free is given again", async () => {
    const { port } = await publicListener({ connectionsMax: 3 });
    const held = [await raw(port), await raw(port), await raw(port)];
    const refused = await raw(port);
    await refused.closed;
    expect(refused.said()).toBe("");
    held[0]?.socket.destroy();
    await eventually(async () => {
      const next = await raw(port);
      next.socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      await next.closed;
      expect(next.said()).toMatch(/ 200 /);
    });
  });

  /** Reads a body to its end before it answers. */
  function swallow(): Router {
    const router = Router();
    router.use((request, response) => {
      request.resume();
      request.on("end", () => response.end());
    });
    return router;
  }
});

test("as many silent connections as fit leave room to serve who has one, and cost little", async () => {
  const { port, url } = await publicListener({
    headersMs: 120_000,
    requestMs: 120_000,
  });
  const one = await raw(port);
  const before = process.memoryUsage().rss;
  const silentCount = listenerLimits.connectionsMax - 10;
  // A process of its own: each side of a connection needs a file descriptor.
  const child = spawn(process.execPath, ["-e", holdOpen, String(port), String(silentCount)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanups.push(() => child.kill("SIGKILL"));
  let counted = "";
  child.stdout.on("data", (chunk: Buffer) => (counted += chunk.toString("utf8")));
  await eventually(() => expect(counted).toContain(`${String(silentCount)} open`), {
    timeoutMs: 90_000,
  });
  one.socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  await one.closed;
  expect(one.said()).toMatch(/ 200 /);
  expect((await exchange(`${url}/healthz`)).status).toBe(200);
  expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
});

/** Opens connections in batches, holds them, and ends by itself after two minutes. */
const holdOpen = `
  const { connect } = require("node:net");
  const [port, wanted] = process.argv.slice(1).map(Number);
  let open = 0;
  const more = () => {
    const batch = Math.min(200, wanted - open);
    if (batch === 0) { console.log(open + " open"); return; }
    let left = batch;
    for (let at = 0; at < batch; at++) {
      connect({ port, host: "127.0.0.1" }, () => { open += 1; left -= 1; if (left === 0) more(); })
        .on("error", (error) => { console.error(error.message); process.exit(1); });
    }
  };
  more();
  setTimeout(() => process.exit(0), 120_000);
`;
