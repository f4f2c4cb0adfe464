// Goal: people move through the whole engine into SCIM servers: a simulated one, Rolecall's own endpoint, and one that nobody here wrote.
// Method: the directory by hand, real store, sync and apply, real HTTP; then the server itself is asked what it holds.
import { afterEach, describe, expect, test, type TestContext } from "vitest";
import { scimConnector, scimHeaders, scimTargetOf } from "../../src/connectors/scim/scim.ts";
import { createHttpPools } from "../../src/http/http-pools.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { ScimTargetSettings } from "../../src/model/scim-target.ts";
import { startScimTargetSimulator } from "../../src/sandbox/scim-target/scim-target-simulator.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { startPythonScimServer } from "../support/python-scim-server.ts";
import { ScimClient } from "../support/scim-client.ts";
import { startScimService } from "../support/scim-service.ts";
import { mapping, StoryWorld, tenantId, type StoryPerson } from "../support/story-world.ts";
import { openVendorHttp } from "../support/vendor-http.ts";

const minute = 60_000;
const anchor = "provisioning@example.com";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Server {
  readonly baseUrl: string;
  readonly token: string;
}

const servers: Readonly<
  Record<
    string,
    {
      readonly profile: string;
      readonly target: ScimTargetSettings;
      /** A reason: it cannot run here. */
      start(): Promise<Server | { readonly why: string }>;
    }
  >
> = {
  "a simulated server": {
    profile: "standard",
    target: { groups: { read: "user" } },
    start: async () => {
      const simulator = await startScimTargetSimulator({ clock: fakeClock() });
      closing.push(() => simulator.close());
      return { baseUrl: simulator.url, token: simulator.apiKey };
    },
  },
  "Rolecall's own endpoint": {
    profile: "standard",
    target: {},
    start: async () => {
      const service = await startScimService();
      closing.push(() => service.close());
      return service;
    },
  },
  "Rolecall's own endpoint, written whole": {
    profile: "replace",
    target: { groups: { read: "filter" }, update: { versions: "if-match" } },
    start: async () => {
      const service = await startScimService();
      closing.push(() => service.close());
      return service;
    },
  },
  "scim2-server": {
    profile: "standard",
    target: { update: { versions: "if-match" } },
    start: startIndependent,
  },
  "scim2-server, written whole": {
    profile: "replace",
    target: { update: { versions: "if-match" } },
    start: startIndependent,
  },
};

async function startIndependent() {
  const started = await startPythonScimServer();
  if (!("why" in started)) closing.push(() => started.close());
  return started;
}

function skipLoudly(context: TestContext, why: string): never {
  if (process.env["ROLECALL_REQUIRE_REAL"] === "1") throw new Error(why);
  process.stderr.write(
    `\nSKIPPED, needs a server from a package index: ${context.task.name}: ${why}\n`,
  );
  context.skip(why);
}

const rules: JsonObject = {
  vendor: "scim",
  profile: "standard",
  connection: { credential: "sealed:scim", url: "https://scim.example.com" },
  rules: [
    {
      id: "engineers",
      when: { group: "Engineering" },
      grant: [
        { kind: "account", role: "user" },
        { kind: "group", name: "Writers", role: "member" },
      ],
    },
    {
      id: "support",
      when: { group: "Support" },
      grant: [{ kind: "group", name: "Readers", role: "member" }],
    },
  ],
};

/** A world whose vendor is the server, with its two groups and the anchor there already. */
async function provision(name: string, context: TestContext, more: JsonObject = {}) {
  const known = servers[name];
  if (known === undefined) throw new Error(`no server ${name}`);
  const server = await known.start();
  if ("why" in server) return skipLoudly(context, server.why);
  const client = new ScimClient(server.baseUrl, server.token);
  const made = async (path: string, body: JsonObject) => {
    const reply = await client.post(path, body);
    if (reply.status === 409) return;
    expect([reply.status, reply.text]).toEqual([201, reply.text]);
  };
  await made("/Users", {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: anchor,
    active: true,
  });
  for (const displayName of ["Writers", "Readers"]) {
    await made("/Groups", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName,
    });
  }
  const target = scimTargetOf(known.profile, {
    ...known.target,
    organization: { anchor },
    // The clock stands still while calls are made: nobody would refill a bucket.
    rate: { requests: 100_000, perMs: 1_000 },
    settleMs: 0,
  });
  if (target === undefined) throw new Error(`no profile ${known.profile}`);
  const connector = scimConnector(target, known.profile);
  const pools = createHttpPools();
  closing.push(() => pools.close());
  const world = await StoryWorld.open({
    mapping: mapping({ ...rules, ...more }),
    connector,
    openHttp: (clock, options) =>
      openVendorHttp({
        facts: connector.facts,
        baseUrl: server.baseUrl,
        headers: () => Promise.resolve(scimHeaders(target, server.token)),
        clock,
        pools,
        ...options,
      }).http,
  });
  closing.push(() => world.store.close());
  return { world, client };
}

type Listed = JsonObject & { readonly Resources: readonly JsonObject[] };
const listOf = async (client: ScimClient, path: string) =>
  ((await client.get(`${path}?count=100`)).body as Listed).Resources;
const userOf = async (client: ScimClient, email: string) =>
  (await listOf(client, "/Users")).filter((item) => item["userName"] === email);

/** userNames in a group, as the server says. */
async function membersOf(client: ScimClient, displayName: string) {
  const names = new Map(
    (await listOf(client, "/Users")).map((item) => [item["id"], item["userName"]]),
  );
  const groups = await listOf(client, "/Groups");
  const id = groups.find((item) => item["displayName"] === displayName)?.["id"] as string;
  const { members = [] } = (await client.get(`/Groups/${id}`)).body as {
    readonly members?: readonly { readonly value: string }[];
  };
  return members.map((item) => names.get(item.value)).toSorted();
}

describe.each(Object.keys(servers))("people at %s", (name) => {
  // The first run installs the independent server.
  test("join, move, leave and come back", { timeout: 300_000 }, async (context) => {
    const { world, client } = await provision(name, context);
    const [ada, ben] = [await world.hire("ada@example.com"), await world.hire("ben@example.com")];
    const engineering = await world.group("Engineering", [ada, ben]);
    const support = await world.group("Support");
    await world.pass(3 * minute);
    expect(await userOf(client, ada.email)).toMatchObject([
      { active: true, externalId: ada.identityId },
    ]);
    expect(await membersOf(client, "Writers")).toEqual([ada.email, ben.email]);

    await world.members(engineering, { op: "remove", memberIds: [ben.sourceUserId] });
    await world.members(support, { op: "add", memberIds: [ben.sourceUserId] });
    await world.pass(6 * minute);
    expect(await membersOf(client, "Writers")).toEqual([ada.email]);
    expect(await membersOf(client, "Readers")).toEqual([ben.email]);

    const [before] = await userOf(client, ada.email);
    await world.setActive(ada, false);
    await world.pass(20 * minute, minute);
    expect(await userOf(client, ada.email)).toMatchObject([{ id: before?.["id"], active: false }]);
    expect((await world.target(ada))?.state).toBe("idle");

    await world.setActive(ada, true);
    await world.pass(6 * minute);
    expect(await userOf(client, ada.email)).toMatchObject([{ id: before?.["id"], active: true }]);
    expect((await world.target(ada))?.state).toBe("idle");
    // The anchor: ours, and nobody's that the identity provider sent.
    expect(await world.findings()).toEqual(["unmatched_account"]);
  });
});

describe("the engine around a SCIM server", () => {
  const name = "a simulated server";

  test("28 a storm of deprovisioning waits for a decision with nothing written", async (context) => {
    const { world, client } = await provision(name, context);
    const people: StoryPerson[] = [];
    for (let i = 0; i < 12; i++) people.push(await world.hire(`person${String(i)}@example.com`));
    const engineering = await world.group("Engineering", people);
    await world.group("Support");
    await world.pass(3 * minute);
    await world.members(engineering, {
      op: "remove",
      memberIds: people.slice(0, 8).map((person) => person.sourceUserId),
    });
    await world.pass(30 * minute, minute);
    const active = (await listOf(client, "/Users")).filter((item) => item["active"] === true);
    expect(active).toHaveLength(12 + 1);
    expect(await membersOf(client, "Writers")).toHaveLength(12);
    expect(
      (await world.store.listHolds(tenantId, { state: "open", limit: 10 })).map(
        (hold) => hold.rail,
      ),
    ).toEqual(["removals"]);
  });

  test("29 neither the account that we work with nor a protected one is ever switched off", async (context) => {
    const { world, client } = await provision(name, context, {
      protected: { accounts: ["breakglass@example.com"] },
    });
    const people = [await world.hire(anchor), await world.hire("breakglass@example.com")];
    await client.post("/Users", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: "breakglass@example.com",
      active: true,
    });
    await world.group("Engineering", people);
    await world.group("Support");
    await world.pass(6 * minute);
    for (const person of people) await world.setActive(person, false);
    await world.pass(30 * minute, minute);
    for (const person of people) {
      expect(await userOf(client, person.email)).toMatchObject([{ active: true }]);
      expect((await world.target(person))?.reason?.code).toBe("PROTECTED");
    }
  });
});
