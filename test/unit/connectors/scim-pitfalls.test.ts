// Goal: what is known to go wrong between SCIM clients and servers does not go wrong here, one test for each.
// Method: a stateful server with the habit switched on, the connector over real HTTP, and a look at what the server holds after.
import { describe, expect, test } from "vitest";
import type { EndOfList, VendorAccount } from "../../../src/connectors/connector.ts";
import { groupKind, member } from "../../../src/connectors/scim/facts.ts";
import { patchBodies } from "../../../src/connectors/scim/patch.ts";
import { scimProfiles } from "../../../src/connectors/scim/profiles.ts";
import { parseList, parseUser } from "../../../src/connectors/scim/wire.ts";
import type { ScimTargetSettings } from "../../../src/model/scim-target.ts";
import type { Quirks } from "../../../src/sandbox/scim-target/truth.ts";
import { json, startScriptedServer } from "../../support/scripted-server.ts";
import { openVendorHttp } from "../../support/vendor-http.ts";
import {
  closeStages,
  jane,
  openScimStage,
  reference,
  type ScimStage,
} from "../../support/scim-target-stage.ts";

closeStages();

async function listed(stage: ScimStage): Promise<{
  readonly emails: readonly string[];
  readonly end: EndOfList | undefined;
}> {
  const emails: string[] = [];
  let end: EndOfList | undefined;
  for await (const item of stage.connector.listAccounts(stage.call())) {
    if ("complete" in item) end = item;
    else emails.push(item.email);
  }
  return { emails, end };
}

const group = (objectId: string) => ({ kind: groupKind, objectId, role: member });
const valuesOf = (stage: ScimStage, attribute = "roles") =>
  ((stage.user()?.attributes[attribute] ?? []) as readonly { value: string }[]).map(
    (item) => item.value,
  );
const seeded = (stage: ScimStage, ...roles: readonly string[]) =>
  stage.simulator.control.seedUser({
    userName: jane,
    attributes: { roles: roles.map((value) => ({ value })), emails: [{ value: jane }] },
  });
const remove = async (stage: ScimStage) =>
  stage.connector.removeAccount(stage.call(), await stage.one());
const setRole = async (stage: ScimStage, role: string) =>
  stage.connector.setAccountRole(stage.call(), await stage.one(), role);

describe("1 active:false may mean deletion", () => {
  test("who may lose what they own is not deactivated until somebody accepted that", async () => {
    for (const means of ["delete", "unknown"] as const) {
      const stage = await openScimStage({ deactivation: "delete" }, { deactivate: { means } });
      seeded(stage);
      expect(await stage.failure(remove(stage))).toMatchObject({ code: "VENDOR_REJECTED" });
      expect([stage.writes(), stage.user()?.active]).toEqual([[], true]);
    }
  });

  test("with the loss accepted the account goes, and counts as gone", async () => {
    const stage = await openScimStage(
      { deactivation: "delete" },
      { deactivate: { means: "delete", lossAccepted: true } },
    );
    seeded(stage);
    expect(await remove(stage)).toMatchObject({ outcome: "changed" });
    expect([stage.user(), stage.connector.facts.removal]).toEqual([undefined, "gone"]);
  });
});

describe("2 a deactivation is answered and not done", () => {
  test.each(["ignore", "pretend"] as const)("%s: the user is read again", async (deactivation) => {
    const stage = await openScimStage({ deactivation });
    seeded(stage);
    const error = await stage.failure(remove(stage));
    expect(error).toMatchObject({ code: "VENDOR_REJECTED" });
    expect(error.message).toContain("did not do it");
  });
});

describe("3 two writes of one group, and one is lost", () => {
  const crowd = async (...args: Parameters<typeof openScimStage>) => {
    const stage = await openScimStage(...args);
    seeded(stage);
    const { control } = stage.simulator;
    for (const name of ["a@example.com", "b@example.com"]) control.seedUser({ userName: name });
    return { stage, control, team: control.addGroup("Team", ["a@example.com", jane]) };
  };
  const others = ["a@example.com", "b@example.com", jane];

  test("a member is taken out by name, whoever came in meanwhile", async () => {
    const { stage, control, team } = await crowd();
    const account = await stage.one();
    const before = { "groups.patch": () => control.setMembers("Team", others) };
    await stage.connector.revoke(stage.call({ before }), account, group(team.id));
    expect(stage.members("Team")).toEqual(["a@example.com", "b@example.com"]);
  });

  test("a whole write is for the version that was read", async () => {
    const settings = { update: { versions: "if-match" } } as const;
    const { stage, control, team } = await crowd({}, settings, "replace");
    const account = await stage.one();
    const before = { "groups.replace": () => control.setMembers("Team", others) };
    const write = stage.connector.revoke(stage.call({ before }), account, group(team.id));
    expect(await stage.failure(write)).toMatchObject({ code: "VENDOR_CONFLICT" });
    expect(stage.members("Team")).toEqual(others);
  });

  test("without versions it is read again, and done over where it did not stay", async () => {
    const { stage, control, team } = await crowd({}, {}, "replace");
    const account = await stage.one();
    const after = { "groups.replace": () => control.setMembers("Team", others) };
    const write = stage.connector.revoke(stage.call({ after }), account, group(team.id));
    expect(await stage.failure(write)).toMatchObject({ code: "VENDOR_CONFLICT" });
    expect(stage.connector.exclusiveKey?.(group(team.id))).toBe(`group:${team.id}`);
  });
});

describe("4 taking one role takes them all", () => {
  test.each([
    ["by filter", {}, { roles: { remove: "filter" } }, "standard"],
    ["as a whole", { roleFilterTakesAll: true }, { roles: { remove: "replace" } }, "standard"],
    ["with the user", { roleFilterTakesAll: true }, {}, "replace"],
  ] as const)("%s: a role that is not ours stays", async (_how, quirks, settings, profile) => {
    const stage = await openScimStage(quirks, settings, profile);
    seeded(stage, "auditor", "editor");
    expect(await setRole(stage, "viewer")).toMatchObject({ outcome: "changed" });
    expect(valuesOf(stage).toSorted()).toEqual(["auditor", "viewer"]);
  });

  test("each role by itself: one is taken, the others stay", async () => {
    const stage = await openScimStage({}, { roles: { as: "each" } });
    seeded(stage, "viewer", "editor", "auditor");
    const slot = { kind: "role", objectId: "editor" };
    const { connector } = stage;
    const account = await stage.one();
    expect(await connector.revoke(stage.call(), account, slot)).toMatchObject({
      outcome: "changed",
    });
    expect(await connector.revoke(stage.call(), account, slot)).toMatchObject({
      outcome: "unchanged",
    });
    expect(valuesOf(stage)).toEqual(["viewer", "auditor"]);
  });
});

test("5 a role that nobody holds is listed, because the catalogue says so", async () => {
  const stage = await openScimStage({}, { roles: { as: "each" }, groups: { source: "none" } });
  seeded(stage, "viewer");
  const names: string[] = [];
  for await (const item of stage.connector.listObjects(stage.call())) {
    if (!("complete" in item)) names.push(item.name);
  }
  expect(names).toEqual(["viewer", "editor", "admin"]);
});

test("6 a 429 without a body is an error, and the same write said again is done", async () => {
  const stage = await openScimStage();
  seeded(stage, "viewer");
  stage.simulator.faults.add({ operation: "users.patch", kind: "429" });
  expect(await stage.failure(setRole(stage, "editor"))).toMatchObject({
    code: "VENDOR_RATE_LIMITED",
  });
  expect(valuesOf(stage)).toEqual(["viewer"]);
  expect(await setRole(stage, "editor")).toMatchObject({ outcome: "changed" });
  expect(valuesOf(stage)).toEqual(["editor"]);
});

describe("7 errors of a write are swallowed", () => {
  test("a group write that fails says so", async () => {
    const stage = await openScimStage();
    seeded(stage);
    const team = stage.simulator.control.addGroup("Team");
    stage.simulator.faults.add({ operation: "groups.patch", kind: "500" });
    const write = stage.connector.grant(stage.call(), await stage.one(), group(team.id));
    expect(await stage.failure(write)).toMatchObject({ code: "WRITE_AMBIGUOUS" });
  });

  test("404 is fine for a deletion, and a reason to look again for a change", async () => {
    const settings = {
      deactivate: { method: "delete", means: "delete", lossAccepted: true },
    } as const;
    const stage = await openScimStage({}, settings);
    seeded(stage, "viewer");
    const account = await stage.one();
    const gone = (operation: string) => ({
      before: { [operation]: () => stage.simulator.control.deleteUser(jane) },
    });
    const change = stage.connector.setAccountRole(
      stage.call(gone("users.patch")),
      account,
      "editor",
    );
    expect(await stage.failure(change)).toMatchObject({ code: "VENDOR_CONFLICT" });
    seeded(stage, "viewer");
    const again = await stage.one();
    expect(
      await stage.connector.removeAccount(stage.call(gone("users.delete")), again),
    ).toMatchObject({ outcome: "unchanged" });
  });
});

test.each([
  [{ seconds: 7, as: "seconds" }, 7_000],
  [{ seconds: 7, as: "http-date" }, 7_000],
  [undefined, undefined],
] as const)("8 Retry-After as %j is understood", async (retryAfter, expected) => {
  const stage = await openScimStage();
  stage.simulator.faults.add({
    operation: "users.list",
    kind: "429",
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
  expect((await stage.failure(stage.find())).retryAfterMs).toBe(expected);
});

describe("9 pages are counted wrong", () => {
  const fill = (stage: ScimStage, count: number) => {
    for (let i = 1; i < count; i++) {
      stage.simulator.control.seedUser({ userName: `p${String(i)}@example.com` });
    }
  };

  test("rows that came count, not itemsPerPage", async () => {
    const stage = await openScimStage({ pageMax: 3, itemsPerPageEcho: true });
    fill(stage, 8);
    const { emails, end } = await listed(stage);
    expect([new Set(emails).size, end]).toEqual([8, { complete: true, count: 8 }]);
  });

  test("an order that moves makes the read incomplete", async () => {
    const stage = await openScimStage({ pageMax: 3, order: "unstable" });
    // As many rows as the total says: only that one came twice tells that another was missed.
    fill(stage, 9);
    expect(await stage.failure(listed(stage))).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
  });

  test("a list that ends before its total, and one that shrinks, are incomplete", async () => {
    const stage = await openScimStage({ pageMax: 3 });
    fill(stage, 8);
    stage.simulator.faults.add({ operation: "users.list", kind: "empty-list", fromNth: 2 });
    expect(await stage.failure(listed(stage))).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
    const short = await openScimStage();
    const server = await startScriptedServer();
    server.reply((response, request, count) => {
      const Resources = count === 1 ? [{ id: "1", userName: jane }] : [];
      json(200, { totalResults: 3, Resources })(response, request, count);
    });
    const { http, pools } = openVendorHttp({ facts: short.connector.facts, baseUrl: server.url });
    const walk = async () => {
      for await (const item of short.connector.listAccounts({ ...short.call(), http })) {
        expect(item).not.toHaveProperty("complete");
      }
    };
    expect(await short.failure(walk())).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
    await Promise.all([pools.close(), server.close()]);
    const lost = await openScimStage({ paging: "none" }, { page: { style: "none" } });
    fill(lost, 4);
    expect((await listed(lost)).end).toEqual({ complete: true, count: 4 });
  });

  test("where totals count the page, the first empty page is the end", async () => {
    const stage = await openScimStage(
      { pageMax: 3, totals: "page" },
      { page: { totals: "unreliable" } },
    );
    fill(stage, 8);
    expect((await listed(stage)).end).toEqual({ complete: true, count: 8 });
  });
});

describe("10 two create the same user", () => {
  test.each(["409", "400_uniqueness", "200_existing"] as const)(
    "%s: the one who is there is the answer",
    async (duplicate) => {
      const stage = await openScimStage({ duplicate });
      const before = { "users.create": () => void seeded(stage, "viewer") };
      const person = { email: jane, role: "viewer", displayName: "Jane" };
      const made = await stage.connector.createAccount(stage.call({ before }), person);
      expect(made).toMatchObject({ outcome: "unchanged", account: { email: jane } });
      expect(stage.simulator.state().users.filter((item) => item.userName === jane)).toHaveLength(
        1,
      );
    },
  );

  test("a name that is held out of sight is said, and not tried for ever", async () => {
    const stage = await openScimStage({ softDelete: true });
    seeded(stage);
    stage.simulator.control.deleteUser(jane);
    const error = await stage.failure(stage.create());
    expect(error).toMatchObject({ code: "VENDOR_REJECTED", disposition: "park" });
    expect(error.message).toContain("does not show");
  });
});

test.each(["a+b@example.com", "o'neil@example.com", 'q"uote\\@example.com', "jürgen@example.com"])(
  "11 %s survives filter and query",
  async (userName) => {
    const stage = await openScimStage({}, { find: { by: ["userName"] } });
    stage.simulator.control.seedUser({ userName });
    expect(await stage.find(userName)).toMatchObject([{ email: userName }]);
    const sent = stage.simulator.requests
      .map((item) => item.path)
      .filter((path) => path.includes("filter"));
    expect(sent).toHaveLength(1);
    expect(sent[0]).not.toContain("+");
  },
);

describe("12 names in another case", () => {
  test.each([false, true])("are the same user, compared to the letter: %s", async (caseExact) => {
    const stage = await openScimStage({ caseExact }, { find: { caseExact } });
    stage.simulator.control.seedUser({ userName: "Jane@Example.com" });
    expect(await stage.find()).toMatchObject([{ email: jane }]);
    expect(await stage.create()).toMatchObject({ outcome: "unchanged" });
    expect(stage.writes()).toEqual([]);
  });

  test.each(["lower", "capital"] as const)("operations are %s", async (opCase) => {
    const stage = await openScimStage({ opCase }, { update: { opCase } });
    seeded(stage, "viewer");
    expect(await setRole(stage, "editor")).toMatchObject({ outcome: "changed" });
  });
});

describe("13 booleans and numbers as text", () => {
  test("are read in any form and written as the target says", async () => {
    const stage = await openScimStage(
      { booleans: "text", acceptsBooleans: "text" },
      { update: { booleans: "text" } },
    );
    await stage.create();
    expect(await stage.one()).toMatchObject({ state: "active" });
    expect(await remove(stage)).toMatchObject({ outcome: "changed" });
    expect(await stage.find()).toMatchObject([{ state: "suspended" }]);
  });

  test("numbers too; what is neither is no answer", () => {
    const { standard } = scimProfiles;
    expect(parseUser(standard, { id: 7, userName: jane, active: "FALSE" })).toMatchObject({
      id: "7",
      active: false,
    });
    expect(parseList({ totalResults: "2", Resources: null })).toMatchObject({ total: 2 });
    expect(() => parseUser(standard, { id: "7", userName: jane, active: "perhaps" })).toThrow();
  });
});

describe("14 PATCH with a path, or without", () => {
  test.each([
    ["path", { pathlessPatch: "refuse" }],
    ["none", { pathPatch: "refuse" }],
  ] as const)("paths: %s", async (paths, quirks) => {
    const stage = await openScimStage(quirks, { update: { paths } });
    seeded(stage, "viewer");
    const team = stage.simulator.control.addGroup("Team");
    expect(await setRole(stage, "editor")).toMatchObject({ outcome: "changed" });
    expect(valuesOf(stage)).toEqual(["editor"]);
    await stage.connector.grant(stage.call(), await stage.one(), group(team.id));
    expect(stage.members("Team")).toEqual([jane]);
    expect(await remove(stage)).toMatchObject({ outcome: "changed" });
  });

  test("without paths, parts of an attribute are dotted keys of one value", () => {
    const update = { ...scimProfiles.standard.update, paths: "none" as const };
    expect(
      patchBodies(update, [
        { op: "replace", path: "active", value: false },
        { op: "replace", path: "name.givenName", value: "Jane" },
      ]),
    ).toMatchObject([
      { Operations: [{ op: "replace", value: { active: false, "name.givenName": "Jane" } }] },
    ]);
  });
});

test("15 PUT sends back what it does not know, and keeps who is off switched off", async () => {
  const stage = await openScimStage({ putSwitchesOn: true }, {}, "replace");
  const extension = "urn:example:params:scim:schemas:badge:2.0:User";
  stage.simulator.control.seedUser({
    userName: jane,
    active: false,
    attributes: { roles: [{ value: "viewer" }], [extension]: { badge: 7 }, nickName: "J" },
  });
  const [account] = await stage.find();
  await stage.connector.setAccountRole(stage.call(), account as VendorAccount, "editor");
  expect(stage.user()).toMatchObject({
    active: false,
    attributes: { roles: [{ value: "editor" }], [extension]: { badge: 7 }, nickName: "J" },
  });
});

test.each(["no_content", "empty"] as const)(
  "16 an answer without a body (%s) is read back",
  async (writeAnswers) => {
    const stage = await openScimStage({ writeAnswers });
    const made = await stage.create();
    expect(made).toMatchObject({ outcome: "changed", account: { email: jane, role: "viewer" } });
    expect(await setRole(stage, "editor")).toMatchObject({ outcome: "changed" });
    expect(await remove(stage)).toMatchObject({ outcome: "changed" });
    const again = await stage.create();
    expect(again.account).toMatchObject({ accountId: made.account?.accountId, state: "active" });
  },
);

describe("17 ids and names come back as somebody else's", () => {
  test("a user of the address with another's mark is disputed, not linked", async () => {
    const stage = await openScimStage();
    stage.simulator.control.seedUser({ userName: jane, attributes: { externalId: "00u-another" } });
    expect(await stage.failure(stage.find())).toMatchObject({ code: "ACCOUNT_DISPUTED" });
    expect(
      await openScimStage({}, { externalId: { foreign: "adopt" } }).then(async (other) => {
        other.simulator.control.seedUser({ userName: jane, attributes: { externalId: "00u-x" } });
        return other.find();
      }),
    ).toHaveLength(1);
  });

  test("where ids are given again, the id alone proves nothing", async () => {
    const stage = await openScimStage({ reusesIds: true }, { find: { idsReused: true } });
    const { id } = seeded(stage);
    stage.simulator.control.deleteUser(jane);
    expect(stage.simulator.control.seedUser({ userName: "mallory@example.com" }).id).toBe(id);
    const [found] = await stage.connector.findAccounts(stage.call(), {
      accountId: id as VendorAccount["accountId"],
      emails: [jane],
    });
    expect(found).toBeUndefined();
  });
});

test("18 what a create does not take is set by a second write", async () => {
  const stage = await openScimStage(
    { notAtCreate: ["roles", "externalId"] },
    { create: { followUp: ["roles", "externalId"] } },
  );
  const made = await stage.create(jane, "editor");
  expect(made.account).toMatchObject({ role: "editor" });
  expect(stage.user()?.attributes).toMatchObject({ externalId: reference });
  expect(stage.writes()).toEqual(["users.create", "users.patch"]);
});

describe("19 only so much in one request", () => {
  test("operations go in as many requests as it takes, and a series that broke off is gone on with", async () => {
    const stage = await openScimStage({ operationsMax: 1 }, { update: { operationsMax: 1 } });
    seeded(stage, "editor", "auditor");
    stage.simulator.faults.add({ operation: "users.patch", kind: "503", fromNth: 2 });
    expect(await stage.failure(setRole(stage, "viewer"))).toMatchObject({
      code: "WRITE_AMBIGUOUS",
    });
    expect(valuesOf(stage)).toEqual(["editor", "auditor", "viewer"]);
    expect(await setRole(stage, "viewer")).toMatchObject({ outcome: "changed" });
    expect(valuesOf(stage)).toEqual(["auditor", "viewer"]);
  });

  test("a group too large for one request is never written in part", async () => {
    const stage = await openScimStage({}, { groups: { membersMax: 2 } }, "replace");
    seeded(stage);
    const names = ["a@example.com", "b@example.com"];
    for (const userName of names) stage.simulator.control.seedUser({ userName });
    const team = stage.simulator.control.addGroup("Team", names);
    const write = stage.connector.grant(stage.call(), await stage.one(), group(team.id));
    expect(await stage.failure(write)).toMatchObject({ code: "VENDOR_REJECTED" });
    expect([stage.members("Team"), stage.writes()]).toEqual([names, []]);
  });
});

describe("20 filters are not supported", () => {
  test.each([
    ["refused", { filters: [] }, { find: { filters: [] } }],
    ["ignored", { filters: [], unknownFilter: "ignore" }, {}],
    ["answered with 404 for nobody", { noMatch: "not_found" }, { find: { noMatch: "not_found" } }],
  ] satisfies readonly (readonly [string, Partial<Quirks>, ScimTargetSettings])[])(
    "%s: who is there is found, who is not is not",
    async (_how, quirks, settings) => {
      const stage = await openScimStage(quirks, settings);
      seeded(stage);
      stage.simulator.control.seedUser({ userName: "bo@example.com" });
      expect((await stage.find()).map((item) => item.email)).toEqual([jane]);
      expect(await stage.find("nobody@example.com")).toEqual([]);
    },
  );

  test("a 404 where the profile expects an empty list is no proof that nobody is there", async () => {
    const stage = await openScimStage({ noMatch: "not_found" });
    expect(await stage.failure(stage.find())).toMatchObject({ code: "VENDOR_REJECTED" });
  });
});

test.each(["wrong", "absent"] as const)(
  "21 what the server says of itself (%s) is told and not obeyed",
  async (discovery) => {
    const stage = await openScimStage({ discovery });
    seeded(stage, "viewer");
    const { notes } = await stage.connector.check(stage.call());
    expect(notes.join("\n")).toMatch(
      discovery === "wrong" ? /has no PATCH, and the profile says/ : /not there or not readable/,
    );
    expect(await setRole(stage, "editor")).toMatchObject({ outcome: "changed" });
  },
);

test.each(["html", "plain", "none"] as const)(
  "22 errors as %s are understood by their status",
  async (errorBodies) => {
    const stage = await openScimStage({ errorBodies });
    const gone = { accountId: "nobody" as VendorAccount["accountId"], emails: [jane] };
    expect(await stage.connector.findAccounts(stage.call(), gone)).toEqual([]);
    const before = { "users.create": () => void seeded(stage, "viewer") };
    const person = { email: jane, role: "viewer", displayName: "Jane" };
    expect(await stage.connector.createAccount(stage.call({ before }), person)).toMatchObject({
      outcome: "unchanged",
    });
  },
);

describe("23 reads lag behind writes", () => {
  test("a deactivation that does not show yet is done, where the target says that reads lag", async () => {
    const stage = await openScimStage({}, { settleMs: 5_000 });
    seeded(stage);
    const account = await stage.one();
    stage.simulator.faults.add({ operation: "users.read", kind: "stale-read", fromNth: 2 });
    expect(await stage.connector.removeAccount(stage.call(), account)).toMatchObject({
      outcome: "changed",
    });
    expect(stage.user()?.active).toBe(false);
  });

  test("a new user that does not show yet is uncertain, never absent", async () => {
    const stage = await openScimStage({ writeAnswers: "no_content" }, { settleMs: 5_000 });
    const call = stage.call({
      before: {
        "users.create": () => {
          for (const operation of ["users.read", "users.list"]) {
            stage.simulator.faults.add({ operation, kind: "stale-read", times: 9 });
          }
        },
      },
    });
    const person = { email: jane, role: "viewer", displayName: "Jane" };
    expect(await stage.failure(stage.connector.createAccount(call, person))).toMatchObject({
      code: "WRITE_AMBIGUOUS",
    });
  });
});

test("24 a create whose answer is lost is looked up, and one user is there", async () => {
  const stage = await openScimStage();
  stage.simulator.faults.add({ operation: "users.create", kind: "lost-answer" });
  expect(await stage.failure(stage.create())).toMatchObject({ code: "WRITE_AMBIGUOUS" });
  expect(await stage.create()).toMatchObject({ outcome: "unchanged" });
  expect(stage.simulator.createAttempts(jane)).toMatchObject({ attempted: 1, created: 1 });
});

test("25 a token that ran out is told by the next check, whatever discovery says", async () => {
  const stage = await openScimStage({ discovery: "absent" });
  await stage.connector.check(stage.call());
  stage.simulator.control.revokeKeys();
  expect(await stage.failure(stage.connector.check(stage.call()))).toMatchObject({
    code: "CREDENTIAL_REFUSED",
    disposition: "pause",
  });
});

test("26 a first look writes nothing and says what is there already", async () => {
  const stage = await openScimStage();
  seeded(stage);
  const report = stage.call({ mode: "report-only" });
  const { notes } = await stage.connector.check(report);
  expect(notes).toContain("counts 2 users");
  expect(notes).toContain("leavers are switched off and kept");
  expect(await stage.connector.findAccounts(report, { emails: [jane] })).toHaveLength(1);
  expect(stage.writes()).toEqual([]);
});

test("27 a second master is noticed: its mark is told and its users are left alone", async () => {
  const stage = await openScimStage();
  stage.simulator.control.editUser("provisioning@example.com", {
    attributes: { externalId: "00u-another" },
  });
  stage.simulator.control.seedUser({ userName: jane, attributes: { externalId: "00u-other" } });
  const { notes } = await stage.connector.check(stage.call());
  expect(notes.join("\n")).toContain("another system provisions here");
  expect(await stage.failure(stage.create())).toMatchObject({ code: "ACCOUNT_DISPUTED" });
  expect(stage.writes()).toEqual([]);
});

describe("30 the server has things that nobody told us of", () => {
  test("unknown values and attributes are kept, and an unknown role is told as it is", async () => {
    const stage = await openScimStage({ names: "capital" });
    stage.simulator.control.seedUser({
      userName: jane,
      attributes: {
        roles: [{ value: "quantum-operator", type: "entangled" }],
        emails: [{ value: jane, type: "telepathic" }, "bare@example.com"],
        favourite: { colour: ["blue"] },
      },
    });
    const account = await stage.one();
    expect(account).toMatchObject({ role: "quantum-operator", otherEmails: ["bare@example.com"] });
    await stage.connector.setAccountRole(stage.call(), account, "editor");
    expect(valuesOf(stage)).toEqual(["quantum-operator", "editor"]);
    expect(stage.user()?.attributes["favourite"]).toEqual({ colour: ["blue"] });
  });
});
