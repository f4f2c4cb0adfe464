import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Call, VendorAccount } from "../../../src/connectors/connector.ts";
import { instantly as connector } from "../../../src/connectors/instantly/instantly.ts";
import { asId, type AccountId } from "../../../src/model/ids.ts";
import {
  json,
  routes,
  startScriptedServer,
  type Script,
  type ScriptedServer,
} from "../../support/scripted-server.ts";
import { failureOf, openVendorHttp } from "../../support/vendor-http.ts";

const members = "/api/v2/workspace-members";

let server: ScriptedServer;
let call: Call;
let close: () => Promise<void>;
beforeEach(async () => {
  server = await startScriptedServer();
  const { http, pools, abort } = openVendorHttp({ facts: connector.facts, baseUrl: server.url });
  call = { http, signal: abort.signal, now: () => 0 };
  close = async () => {
    await pools.close();
    await server.close();
  };
});
afterEach(() => close());

const member = (id: string, email: string, more: Record<string, unknown> = {}) => ({
  id,
  email,
  user_id: `person-${id}`,
  role: "editor",
  accepted: true,
  workspace_id: "w",
  timestamp_created: "2026-01-01T00:00:00.000Z",
  ...more,
});
const page = (items: readonly unknown[], cursor?: string) =>
  json(200, { items, ...(cursor === undefined ? {} : { next_starting_after: cursor }) });
const no = (status: number, error: string) =>
  json(status, { statusCode: status, error, message: "api_key=secret-in-text was used" });
const account = (more: Partial<VendorAccount> = {}): VendorAccount => ({
  accountId: asId<AccountId>("m1"),
  email: "jane@example.com",
  otherEmails: [],
  state: "active",
  role: "view",
  displayName: undefined,
  createdAt: undefined,
  expiresAt: undefined,
  ...more,
});
const script = (table: Readonly<Record<string, readonly Script[]>>) => {
  server.reply(routes(table));
};

describe("finding a person", () => {
  test("asks the vendor's search and believes it only for the exact address", async () => {
    script({
      [`GET ${members}`]: [
        page([
          member("m1", "Jane@Example.com", { name: { first: "Jane", last: "Doe" } }),
          member("m2", "mary-jane@example.com"),
        ]),
      ],
    });
    const found = await connector.findAccounts(call, { emails: ["jane@example.com"] });
    expect(found).toEqual([
      account({
        role: "editor",
        displayName: "Jane Doe",
        createdAt: Date.UTC(2026, 0, 1),
      }),
    ]);
    expect(server.received.map((item) => item.target)).toEqual([
      `${members}?limit=100&search=jane%40example.com`,
    ]);
  });

  test("reads everybody before it says that somebody is not there: the address may be another one of theirs", async () => {
    script({
      [`GET ${members}`]: [
        page([]),
        page([member("m1", "other@example.com")], "c1"),
        page(
          [member("m2", "work@example.com", { user_email: "JANE@example.com", accepted: false })],
          "c2",
        ),
        page([], "c3"),
      ],
    });
    const found = await connector.findAccounts(call, { emails: ["jane@example.com"] });
    expect(found.map((item) => [item.accountId, item.state, item.otherEmails])).toEqual([
      ["m2", "invited", ["jane@example.com"]],
    ]);
    expect(server.received.map((item) => item.target.split("?")[1])).toEqual([
      "limit=100&search=jane%40example.com",
      "limit=100",
      "limit=100&starting_after=c1",
      "limit=100&starting_after=c2",
    ]);
  });

  test("reads a linked member that no address shows by its id", async () => {
    script({
      [`GET ${members}`]: [page([])],
      [`GET ${members}/m7`]: [json(200, member("m7", "old@example.com")), no(404, "Not Found")],
    });
    const who = { accountId: asId<AccountId>("m7"), emails: ["jane@example.com"] };
    expect(await connector.findAccounts(call, who)).toMatchObject([{ accountId: "m7" }]);
    expect(await connector.findAccounts(call, who)).toEqual([]);
  });

  test("asks whether a leaver's account is gone in as many calls as the leaver has addresses and ids, however long the list is", async () => {
    script({
      [`GET ${members}`]: [page([]), page([]), page([member("m1", "other@example.com")], "c1")],
      [`GET ${members}/m7`]: [no(404, "Not Found")],
    });
    const emails = ["jane@example.com", "jane@old.example.com"];
    const accountId = asId<AccountId>("m7");
    expect(await connector.findAccounts(call, { accountId, emails, leaving: true })).toEqual([]);
    expect(server.received.map((item) => item.target)).toEqual([
      `${members}?limit=100&search=jane%40example.com`,
      `${members}?limit=100&search=jane%40old.example.com`,
      `${members}/m7`,
    ]);
  });

  test("reads everybody for a leaver of whom no account is linked", async () => {
    script({ [`GET ${members}`]: [page([]), page([member("m2", "jane@example.com")])] });
    const who = { emails: ["jane@example.com"], leaving: true };
    expect(await connector.findAccounts(call, who)).toMatchObject([{ accountId: "m2" }]);
  });

  test("asks for whom a shared list shows, by their id: it may be of before they were removed", async () => {
    const reads: string[] = [];
    const shared = new Map<string, Promise<unknown>>();
    const share = <T>(what: string, read: () => Promise<T>): Promise<T> => {
      reads.push(what);
      const held = shared.get(what) ?? read();
      shared.set(what, held);
      return held as Promise<T>;
    };
    script({
      [`GET ${members}`]: [page([]), page([member("m2", "jane@example.com")]), page([])],
      [`GET ${members}/m2`]: [json(200, member("m2", "jane@example.com")), no(404, "Not Found")],
    });
    const look = () => connector.findAccounts({ ...call, share }, { emails: ["jane@example.com"] });
    expect(await look()).toMatchObject([{ accountId: "m2" }]);
    expect(await look()).toEqual([]);
    expect(reads).toEqual(["members", "members"]);
    // Two searches and one list; the list was read once.
    expect(server.received.filter((item) => item.target.startsWith(`${members}?`))).toHaveLength(3);
  });

  test("a cursor that comes back is an incomplete read", async () => {
    script({ [`GET ${members}`]: [page([member("m1", "a@example.com")], "again")] });
    expect(
      await failureOf(connector.findAccounts(call, { emails: ["jane@example.com"] })),
    ).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
  });
});

describe("inviting", () => {
  const person = { email: "jane@example.com", role: "view", displayName: "Jane" };

  test("is pending until the person accepts, and done where they are in at once", async () => {
    script({
      [`POST ${members}`]: [
        json(200, member("m1", "jane@example.com", { accepted: false })),
        json(200, member("m1", "jane@example.com")),
      ],
    });
    expect(await connector.createAccount(call, person)).toMatchObject({
      outcome: "pending",
      account: { accountId: "m1", state: "invited" },
    });
    expect(await connector.createAccount(call, person)).toMatchObject({ outcome: "changed" });
    expect(server.received[0]?.body).toBe('{"email":"jane@example.com","role":"view"}');
  });

  test.each([400, 409])(
    "a refused double (%i) answers who is there and sends nothing more",
    async (status) => {
      script({
        [`POST ${members}`]: [no(status, "Bad Request")],
        [`GET ${members}`]: [page([member("m1", "jane@example.com")])],
      });
      expect(await connector.createAccount(call, person)).toMatchObject({
        outcome: "unchanged",
        account: { accountId: "m1" },
      });
      expect(server.received.filter((item) => item.method === "POST")).toHaveLength(1);
    },
  );

  test("a refusal for another reason stands, with its title and without its text", async () => {
    script({ [`POST ${members}`]: [no(400, "Bad Request")], [`GET ${members}`]: [page([])] });
    const error = await failureOf(connector.createAccount(call, person));
    expect(error).toMatchObject({ code: "VENDOR_REJECTED", facts: { vendorCode: "Bad Request" } });
    expect((error as Error).message).not.toContain("secret-in-text");
  });

  test("a 200 that says no is a no", async () => {
    script({ [`POST ${members}`]: [json(200, { error: "something about jane@example.com" })] });
    const error = await failureOf(connector.createAccount(call, person));
    expect(error).toMatchObject({ code: "VENDOR_REJECTED", facts: { status: 200 } });
    expect((error as Error).message).not.toContain("jane");
  });
});

describe("the workspace role", () => {
  test("is set in one call, for an open invitation too", async () => {
    script({
      [`PATCH ${members}/m1`]: [
        json(200, member("m1", "jane@example.com")),
        json(200, member("m1", "jane@example.com", { accepted: false })),
      ],
    });
    expect(await connector.setAccountRole(call, account(), "editor")).toMatchObject({
      outcome: "changed",
    });
    expect(
      await connector.setAccountRole(call, account({ state: "invited" }), "editor"),
    ).toMatchObject({ outcome: "pending" });
    expect(server.received[0]?.body).toBe('{"role":"editor"}');
  });

  test("that is refused is judged by the member", async () => {
    script({
      [`PATCH ${members}/m1`]: [no(400, "Bad Request")],
      [`GET ${members}/m1`]: [
        json(200, member("m1", "j@example.com", { role: "editor" })),
        json(200, member("m1", "j@example.com", { role: "view" })),
        no(404, "Not Found"),
      ],
    });
    const attempt = () => connector.setAccountRole(call, account(), "editor");
    expect(await attempt()).toMatchObject({ outcome: "unchanged" });
    expect(await failureOf(attempt())).toMatchObject({ code: "VENDOR_REJECTED" });
    expect(await failureOf(attempt())).toMatchObject({ code: "VENDOR_CONFLICT" });
  });

  test("of an owner or client, and to one, is refused before anything is sent", async () => {
    for (const role of ["owner", "client"]) {
      for (const attempt of [
        () => connector.setAccountRole(call, account({ role }), "view"),
        () => connector.setAccountRole(call, account(), role),
        () => connector.removeAccount(call, account({ role })),
        () => connector.createAccount(call, { email: "a@example.com", role, displayName: "A" }),
      ]) {
        expect(await failureOf(attempt())).toMatchObject({ code: "VENDOR_REJECTED" });
      }
    }
    expect(server.received).toEqual([]);
  });
});

test("removing takes no body and no content type, and somebody who is gone is done already", async () => {
  script({
    [`DELETE ${members}/m1`]: [
      json(200, member("m1", "jane@example.com")),
      no(404, "Not Found"),
      no(400, "Bad Request"),
    ],
    [`GET ${members}/m1`]: [no(404, "Not Found"), json(200, member("m1", "jane@example.com"))],
  });
  expect(await connector.removeAccount(call, account())).toMatchObject({ outcome: "changed" });
  expect(await connector.removeAccount(call, account())).toMatchObject({ outcome: "unchanged" });
  expect(await connector.removeAccount(call, account())).toMatchObject({ outcome: "unchanged" });
  expect(await failureOf(connector.removeAccount(call, account()))).toMatchObject({
    code: "VENDOR_REJECTED",
  });
  const [first] = server.received;
  expect([first?.body, first?.headers["content-type"]]).toEqual(["", undefined]);
});

test("there is nothing else to give or take", async () => {
  const slot = { kind: "tag", objectId: "t" };
  expect(
    await failureOf(connector.grant(call, account(), { ...slot, role: "member" })),
  ).toMatchObject({
    code: "VENDOR_REJECTED",
  });
  expect(await failureOf(connector.revoke(call, account(), slot))).toMatchObject({
    code: "VENDOR_REJECTED",
  });
  expect(await connector.readGrants(call, account(), [])).toEqual([]);
});
