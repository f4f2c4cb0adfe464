import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/adapters/store.ts";
import { StoreError } from "../../src/model/errors.ts";
import { newId, type IdentityId } from "../../src/model/ids.ts";
import { systemClock } from "../../src/model/clock.ts";
import type { Logger } from "../../src/model/log.ts";
import { createTraffic } from "../../src/scim/traffic.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { patchOf, person, ScimClient } from "../support/scim-client.ts";
import { type ScimService, startScimService } from "../support/scim-service.ts";

let service: ScimService | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});

async function start(options?: Parameters<typeof startScimService>[0]): Promise<ScimService> {
  service = await startScimService(options);
  return service;
}

/** Sends raw bytes and answers all that comes back within the connection's life, or up to the end of the first answer's head. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let heard = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      heard += chunk;
      if (/\r\n\r\n.*\}$/s.test(heard)) socket.destroy();
    });
    socket.on("close", () => {
      resolve(heard);
    });
    socket.on("error", reject);
    socket.setTimeout(10_000, () => {
      socket.destroy(new Error(`no answer, only ${JSON.stringify(heard)}`));
    });
  });
}

function head(path: string, token: string, more: readonly string[]): string {
  return [
    `POST /scim/v2${path} HTTP/1.1`,
    "Host: localhost",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/scim+json",
    ...more,
    "",
    "",
  ].join("\r\n");
}

function brokenStore(error: Error, method: keyof Store): (store: Store) => Store {
  return (store) =>
    new Proxy(store, {
      get: (target, name) =>
        name === method ? () => Promise.reject(error) : (Reflect.get(target, name) as unknown),
    });
}

let realStore: Store | undefined;
/** The store of the service, which is there only after what is made from it. */
const later = () => ({
  noteTraffic: (...args: Parameters<Store["noteTraffic"]>) =>
    realStore?.noteTraffic(...args) ?? Promise.reject(new Error("no store yet")),
});
const quietLogger: Logger = {
  ...{ debug: () => undefined, info: () => undefined },
  ...{ warn: () => undefined, error: () => undefined },
  child: () => quietLogger,
};

describe("a token", () => {
  it("that asks for more than its share hears 429 and when to come again; another one goes on", async () => {
    const clock = fakeClock();
    const { client, baseUrl, otherToken } = await start({ deps: { clock, requestsPerSecond: 2 } });
    const statuses = [];
    for (let asked = 0; asked < 6; asked += 1) statuses.push((await client.get("/Users")).status);
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    const refused = await client.get("/Users");
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.body).toMatchObject({ status: "429" });
    expect((await new ScimClient(baseUrl, otherToken).get("/Users")).status).toBe(200);
    await clock.advance(1_000);
    expect((await client.get("/Users")).status).toBe(200);
  });
});

describe("a body", () => {
  it("of a stranger is not read: the 401 comes before it and the connection ends", async () => {
    const { port } = await start();
    const answer = await talk(port, head("/Users", "wrong", ["Content-Length: 30000000"]) + "{");
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    expect(answer).toMatch(/connection: close/i);
    expect(answer).toContain('"status":"401"');
  });

  it("above the limit is refused by what it announces, and by what it turns out to be", async () => {
    const { port, token, client } = await start();
    const announced = await talk(port, head("/Users", token, ["Content-Length: 1048577"]));
    expect(announced).toMatch(/^HTTP\/1.1 413 /);
    expect(announced).toContain("application/scim+json");
    const chunk = "a".repeat(1_100_000);
    const chunked = await talk(
      port,
      `${head("/Users", token, ["Transfer-Encoding: chunked"])}${chunk.length.toString(16)}\r\n${chunk}`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413 /);
    expect((await client.get("/Users")).body["totalResults"]).toBe(0);
  });

  it("above 1 MiB is for group writes, and for two of them at a time: the third hears 429 and when to come again", async () => {
    const { port, token, client } = await start();
    const members = Array.from({ length: 30_000 }, (_, index) => ({
      value: `pending-member-${String(index)}-${"x".repeat(20)}`,
    }));
    const big = { displayName: "Everybody", members };
    expect(JSON.stringify(big).length).toBeGreaterThan(1_048_576);
    const first = connect(port, "127.0.0.1");
    const second = connect(port, "127.0.0.1");
    for (const socket of [first, second]) {
      socket.on("error", () => undefined);
      socket.write(head("/Groups", token, ["Content-Length: 2000000"]));
      socket.write("{");
    }
    try {
      // Until both heads were read: a third is let in before that.
      let busy = await client.post("/Groups", big);
      for (let tries = 0; busy.status !== 429 && tries < 50; tries += 1) {
        await client.delete(`/Groups/${String(busy.body["id"])}`);
        busy = await client.post("/Groups", big);
      }
      expect(busy.status).toBe(429);
      expect(busy.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(busy.body).toMatchObject({ status: "429" });
      // Small ones go on.
      expect((await client.post("/Groups", { displayName: "Small" })).status).toBe(201);
    } finally {
      first.destroy();
      second.destroy();
    }
    let created = await client.post("/Groups", big);
    for (let tries = 0; created.status === 429 && tries < 50; tries += 1) {
      created = await client.post("/Groups", big);
    }
    expect(created.status).toBe(201);
    expect(created.body["members"]).toBeUndefined();
    // Whoever is done makes room: many in a row are no problem.
    for (const displayName of ["One", "Two", "Three"]) {
      expect((await client.post("/Groups", { ...big, displayName })).status).toBe(201);
    }
  });

  it("that is not UTF-8, or compressed, is refused and not guessed at", async () => {
    const { port, token } = await start();
    const latin = Buffer.from('{"userName":"\xe4"}', "latin1");
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(
          head("/Users", token, [`Content-Length: ${String(latin.length)}`, "Connection: close"]),
        );
        socket.write(latin);
      });
      let heard = "";
      socket.on("data", (chunk) => (heard += chunk.toString()));
      socket.on("close", () => {
        resolve(heard);
      });
    });
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain("UTF-8");
    const zipped = await talk(
      port,
      head("/Users", token, ["Content-Encoding: gzip", "Content-Length: 10"]),
    );
    expect(zipped).toMatch(/^HTTP\/1.1 415 /);
  });
});

describe("an internal failure", () => {
  it("is never 404: 503 with a time where the store is away, 500 with a request id else, and a log line", async () => {
    for (const [error, status] of [
      [new StoreError("UNAVAILABLE", "the disk is full"), 503],
      [new TypeError("cannot read properties of undefined"), 500],
    ] as const) {
      const { client, lines, close } = await startScimService({
        around: brokenStore(error, "createUser"),
      });
      const reply = await client.send("POST", "/Users", person("ada@example.com"), {
        "x-request-id": "okta-request-7",
      });
      expect(reply.status).toBe(status);
      expect(reply.body).toMatchObject({ status: String(status) });
      expect(reply.headers.get("content-type")).toMatch(/^application\/scim\+json/);
      expect(reply.headers.get("x-request-id")).toBe("okta-request-7");
      expect(reply.text).toContain("okta-request-7");
      expect(reply.text).not.toContain(error.message);
      expect(reply.headers.get("retry-after") !== null).toBe(status === 503);
      const logged = lines.find((line) => line.level === "error");
      expect(logged?.facts).toMatchObject({ err: error, requestId: "okta-request-7" });
      await close();
    }
  });

  it("in the middle of a long answer cuts it, so that half a group is not taken for a whole one", async () => {
    const error = new StoreError("UNAVAILABLE", "gone");
    const { client, store, lines } = await start({
      around: (real) =>
        new Proxy(real, {
          get: (target, name) =>
            name === "listMembers"
              ? (...args: Parameters<Store["listMembers"]>) =>
                  args[2].after === undefined ? target.listMembers(...args) : Promise.reject(error)
              : (Reflect.get(target, name) as unknown),
        }),
    });
    const members = Array.from({ length: 1_500 }, (_, index) => ({
      value: `pending-${String(index)}`,
    }));
    const id = await client.create("/Groups", { displayName: "Everybody", members });
    expect(store).toBeDefined();
    await expect(client.get(`/Groups/${id}`)).rejects.toThrow();
    expect(lines.some((line) => line.level === "error" && line.facts["err"] === error)).toBe(true);
  });

  it("and overload are told before any work is done", async () => {
    const { client, commits } = await start({ deps: { pauseWhen: () => 7 } });
    const reply = await client.post("/Users", person("ada@example.com"));
    expect(reply.status).toBe(429);
    expect(reply.headers.get("retry-after")).toBe("7");
    expect(commits()).toBe(0);
  });
});

describe("a tenant", () => {
  it("sees, finds and changes nothing of another, and may use the same names", async () => {
    const { client, baseUrl, otherToken } = await start();
    const other = new ScimClient(baseUrl, otherToken);
    const id = await client.create("/Users", person("ada@example.com"));
    const groupId = await client.create("/Groups", {
      displayName: "All",
      members: [{ value: id }],
    });
    expect((await other.get("/Users")).body["totalResults"]).toBe(0);
    expect((await other.find("/Groups", `members eq "${id}"`)).body["totalResults"]).toBe(0);
    const patch = patchOf({ op: "add", path: "members", value: [{ value: "x" }] });
    for (const path of [`/Users/${id}`, `/Groups/${groupId}`]) {
      expect((await other.get(path)).status).toBe(404);
      expect((await other.patch(path, patch)).status).toBe(404);
      expect((await other.delete(path)).status).toBe(404);
    }
    expect((await other.post("/Users", person("ada@example.com"))).status).toBe(201);
  });
});

describe("a write", () => {
  it("leaves one record with names of what changed and who asked, and rings the relay once", async () => {
    const { client, records, commits } = await start();
    const id = await client.create("/Users", { ...person("ada@example.com"), shoeSize: 38 });
    await client.patch(`/Users/${id}`, patchOf({ op: "replace", path: "title", value: "Lead" }));
    const [patched, created] = await records();
    expect(commits()).toBe(2);
    expect(created).toMatchObject({
      action: "user.created",
      actor: { kind: "idp", id: "okta", credentialFingerprint: "0123456789ab" },
      subject: { type: "source_user", id },
      facts: { idpId: "okta", active: true, dropped: ["shoeSize"] },
      personal: { userName: { value: "ada@example.com" }, email: { value: "ada@example.com" } },
    });
    expect(created?.actor.address).toMatch(/127\.0\.0\.1$/);
    expect(patched).toMatchObject({ action: "user.patched", facts: { changed: ["title"] } });
    expect(JSON.stringify(patched?.facts)).not.toContain("Lead");
  });

  it("that changes nothing leaves no record, no mark and no new version", async () => {
    const { client, records, commits } = await start();
    const id = await client.create("/Users", person("ada@example.com", { title: "Lead" }));
    const groupId = await client.create("/Groups", {
      displayName: "All",
      members: [{ value: id }],
    });
    const [user, group] = [
      await client.get(`/Users/${id}`),
      await client.get(`/Groups/${groupId}`),
    ];
    const [known, rung] = [(await records()).length, commits()];
    await client.patch(`/Users/${id}`, patchOf({ op: "replace", path: "title", value: "Lead" }));
    await client.put(`/Users/${id}`, user.body);
    await client.put(`/Groups/${groupId}`, group.body);
    await client.patch(
      `/Groups/${groupId}`,
      patchOf(
        { op: "replace", value: { id: groupId, displayName: "All" } },
        { op: "add", path: "members", value: [{ value: id }] },
      ),
    );
    await client.patch(`/Groups/${groupId}`, patchOf({ op: "add", path: "members", value: [] }));
    await client.patch(
      `/Groups/${groupId}`,
      patchOf({ op: "add", path: "members", value: [{ value: id }] }),
    );
    expect((await client.get(`/Users/${id}`)).body).toEqual(user.body);
    expect((await client.get(`/Groups/${groupId}`)).body).toEqual(group.body);
    expect(await records()).toHaveLength(known);
    expect(commits()).toBe(rung);
  });

  it("that ends somebody's activity is urgent; others are not", async () => {
    const { client, store, tenantId, records } = await start();
    const identityOf = async (id: string): Promise<IdentityId> =>
      (await store.findIdentities(tenantId, id))[0] as IdentityId;
    const mark = async (identityId: IdentityId) => {
      const [found] = await store.readMarks(tenantId, [identityId]);
      return [found?.urgent, found?.wanted, found?.cause.kind];
    };
    const [ada, bo] = [
      await client.create("/Users", person("ada@example.com")),
      await client.create("/Users", person("bo@example.com")),
    ];
    const [adaIdentity, boIdentity] = [await identityOf(ada), await identityOf(bo)];
    expect(await mark(adaIdentity)).toEqual([false, 1, "scim.user"]);
    await client.patch(`/Users/${ada}`, patchOf({ op: "replace", value: { active: false } }));
    expect(await mark(adaIdentity)).toEqual([true, 2, "scim.user"]);
    await client.delete(`/Users/${bo}`);
    expect(await mark(boIdentity)).toEqual([true, 2, "scim.user"]);
    expect((await records()).slice(0, 2).map((record) => record.action)).toEqual([
      "user.deleted",
      "user.deactivated",
    ]);
    await client.patch(`/Users/${ada}`, patchOf({ op: "replace", value: { active: true } }));
    expect((await records())[0]?.action).toBe("user.reactivated");
  });

  it("of members names each of them in the record and marks exactly them; a new, changed or lost name rings sync", async () => {
    const { client, store, tenantId, records } = await start();
    const clock = systemClock();
    const fanouts = async () => {
      const found = [];
      for (;;) {
        const lease = { owner: newId(clock), now: clock.now(), leaseMs: 60_000 };
        const fanout = await store.leaseFanout(lease);
        if (fanout === undefined) return found;
        found.push([fanout.scope, fanout.cause]);
        await store.workFanout({ fanout, now: clock.now(), limit: 100 });
      }
    };
    const ada = await client.create("/Users", person("ada@example.com"));
    const groupId = await client.create("/Groups", { displayName: "Engineering" });
    const cause = { kind: "scim.group", key: `scim.group:${groupId}` };
    const fanout = [{ kind: "group", groupId }, cause];
    expect(await fanouts()).toEqual([fanout]);
    await client.patch(
      `/Groups/${groupId}`,
      patchOf({ op: "add", path: "members", value: [{ value: ada }, { value: "nobody" }] }),
    );
    expect(await fanouts()).toEqual([]);
    expect((await records())[0]).toMatchObject({
      action: "group.members_changed",
      cause: cause.key,
      facts: { added: [ada, "nobody"], removed: [], unknown: ["nobody"] },
    });
    const [identityId] = await store.findIdentities(tenantId, ada);
    const [mark] = await store.readMarks(tenantId, [identityId as IdentityId]);
    expect(mark).toMatchObject({ cause, urgent: false });
    const rename = patchOf({ op: "replace", value: { displayName: "Engineering EMEA" } });
    await client.patch(`/Groups/${groupId}`, rename);
    expect(await fanouts()).toEqual([fanout]);
    await client.patch(`/Groups/${groupId}`, rename);
    expect(await fanouts()).toEqual([]);
    await client.delete(`/Groups/${groupId}`);
    expect(await fanouts()).toEqual([fanout]);
    expect((await records()).slice(0, 2).map((record) => record.action)).toEqual([
      "group.deleted",
      "group.updated",
    ]);
  });
});

describe("the log", () => {
  it("tells who asked for what, by template and operation paths, without a value", async () => {
    const { client, lines } = await start();
    const id = await client.create("/Users", person("ada@example.com"));
    await client.patch(
      `/Users/${id}`,
      patchOf(
        {
          op: "Replace",
          path: 'emails[value eq "ada@example.com"].value',
          value: "ada@new.example",
        },
        { op: "replace", value: { "urn:x:custom": "secret-value", nickName: "Ace" } },
      ),
      { "user-agent": "Okta SCIM Client 1.0.0" },
    );
    const line = lines.at(-1);
    expect(line).toMatchObject({
      level: "info",
      facts: {
        tenantId: "acme",
        idpId: "okta",
        userAgent: "Okta SCIM Client 1.0.0",
        method: "PATCH",
        route: "/Users/{id}",
        status: 200,
        operations: ['replace emails[value eq "…"].value', "replace {urn:x:custom, nickName}"],
        dropped: ["urn:x:custom"],
      },
    });
    expect(JSON.stringify(lines)).not.toMatch(/ada@|secret-value|Ace|token-of/);
  });

  it("is noted for its IdP connection: when, how many, what became of them, by paths and without values", async () => {
    const traffic = createTraffic({ store: later(), clock: systemClock(), logger: quietLogger });
    const { client, store, tenantId, idpId } = await start({
      deps: { heardRequest: traffic.note },
    });
    realStore = store;
    const id = await client.create("/Users", person("ada@example.com"));
    const patch = patchOf({
      op: "replace",
      path: 'emails[value eq "ada@example.com"].type',
      value: "home",
    });
    await client.patch(`/Users/${id}`, patch);
    await client.get("/Users?filter=foo");
    await new ScimClient(service?.baseUrl ?? "", "wrong").get("/Users");
    await traffic.close();
    const heard = await store.readTraffic(tenantId, idpId);
    expect(heard).toMatchObject({ requests: 3, refused: 1, failed: 0, pauses: [] });
    expect(heard.lastRequestAt).toBeGreaterThan(Date.now() - 60_000);
    expect(heard.recent).toMatchObject([
      { method: "GET", route: "/Users", status: 400, scimType: "invalidFilter" },
      {
        ...{ method: "PATCH", route: "/Users/{id}", status: 200 },
        operations: ['replace emails[value eq "…"].type'],
      },
      { method: "POST", route: "/Users", status: 201 },
    ]);
    expect(JSON.stringify(heard)).not.toMatch(/ada@|home/);
  });
});
