// Goal: people come, change and go at a vendor that shows its members to people only: by tasks, proven by rosters, never guessed.
// Method: the directory by hand, real store, sync and apply, the simulated workspace over real HTTP; this test clicks and copies.
import { afterEach, describe, expect, test } from "vitest";
import { clayEnterprise, clayHeaders } from "../../src/connectors/clay/clay.ts";
import { createHttpPools } from "../../src/http/http-pools.ts";
import { InputError } from "../../src/model/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { Actor } from "../../src/model/records.ts";
import { startClaySimulator, type ClaySimulator } from "../../src/sandbox/clay/clay-simulator.ts";
import { finishTask } from "../../src/tasks/decide-task.ts";
import { importRoster } from "../../src/tasks/import-roster.ts";
import { liveStates, type Task } from "../../src/tasks/task.ts";
import {
  connectionId,
  mapping,
  StoryWorld,
  tenantId,
  type StoryPerson,
} from "../support/story-world.ts";
import { openVendorHttp } from "../support/vendor-http.ts";

const minute = 60_000;
const ann: Actor = { kind: "operator", id: "ann" };
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const rules: JsonObject = {
  vendor: "clay",
  profile: "enterprise",
  connection: { credential: "sealed:clay" },
  protected: { accounts: ["clay.service@example.com"], admins_min: 1 },
  rules: [
    {
      id: "growth",
      when: { group: "Growth" },
      grant: [
        { kind: "workspace_role", role: "editor" },
        { kind: "group", id: "GTM", role: "member" },
      ],
    },
    { id: "sales", when: { group: "Sales" }, grant: [{ kind: "workspace_role", role: "viewer" }] },
    {
      id: "ops",
      why: "runs the workspace",
      owner: "ops@example.com",
      when: { group: "Operations" },
      grant: [{ kind: "workspace_role", role: "admin" }],
    },
  ],
};

interface Desk {
  readonly world: StoryWorld;
  readonly clay: ClaySimulator;
  /** Copies the list of members and brings it. */
  readonly bring: (change?: (csv: string) => string) => Promise<void>;
}

async function open(): Promise<Desk> {
  const pools = createHttpPools();
  closing.push(() => pools.close());
  const started: { clay?: ClaySimulator } = {};
  const { facts } = clayEnterprise;
  const world = await StoryWorld.open({
    connector: clayEnterprise,
    openHttp: (clock, options) =>
      openVendorHttp({
        facts,
        baseUrl: started.clay?.url ?? "",
        headers: () => Promise.resolve(clayHeaders(started.clay?.apiKey ?? "")),
        clock,
        pools,
        ...options,
      }).http,
  });
  closing.push(() => world.store.close());
  const clay = await startClaySimulator({ clock: world.clock, workspace: { id: "ws_1" } });
  closing.push(() => clay.close());
  started.clay = clay;
  clay.control.addGroup("GTM");
  await world.activate(mapping(rules));
  const bring = async (change = (csv: string) => csv) => {
    const lane = await world.store.getLane(tenantId, connectionId);
    if (lane === undefined || facts.roster === undefined) throw new Error("no lane of Clay");
    await importRoster({ store: world.store, clock: world.clock }, tenantId, {
      lane,
      facts: facts.roster,
      text: change(clay.control.roster()),
      format: "csv",
      shrinkAccepted: false,
      actor: ann,
    });
    await world.settle();
  };
  return { world, clay, bring };
}

const later = async ({ world }: Desk, ms = 6 * minute) => world.pass(ms, minute);

async function theTask({ world }: Desk, person: StoryPerson): Promise<Task> {
  const { identityId } = person;
  const live = await world.store.listTasks(tenantId, { identityId, states: liveStates, limit: 5 });
  expect(live).toHaveLength(1);
  return live[0] as Task;
}

const tasksOf = async ({ world }: Desk, { identityId }: StoryPerson) =>
  (await world.store.listTasks(tenantId, { identityId, limit: 20 })).map(
    (task) => `${task.cause} ${task.state} ${task.trust ?? "-"}`,
  );
const done = (desk: Desk, task: Task) =>
  finishTask(desk.world.tasks, tenantId, { taskId: task.taskId, actor: ann, note: null });
const roles = (task: Task) =>
  task.lines.map(
    (line) => `${line.slot?.objectId ?? ""}${line.roleFrom ?? "-"}>${line.roleTo ?? "-"}`,
  );

/** Somebody who was invited by hand, put into the group, and is shown by a roster. */
async function settled(desk: Desk) {
  const { world, clay } = desk;
  const ada = await world.hire("ada@example.com");
  const growth = await world.group("Growth", [ada]);
  const sales = await world.group("Sales");
  await world.group("Operations");
  await later(desk);
  await desk.bring();
  clay.control.invite({ email: ada.email, role: "editor" });
  clay.control.accept(ada);
  clay.control.setGroup({ email: ada.email, group: "GTM", member: true });
  await later(desk);
  await desk.bring();
  return { ada, growth, sales };
}

describe("Clay", () => {
  test("shows nobody before a roster is brought, and asks for one", async () => {
    const desk = await open();
    const ada = await desk.world.hire("ada@example.com");
    await desk.world.group("Growth", [ada]);
    await later(desk);
    expect((await desk.world.target(ada))?.reason?.code).toBe("ROSTER_MISSING");
    await desk.bring();
    expect(await theTask(desk, ada)).toMatchObject({ cause: "joiner", state: "open" });
  });

  test("a joiner is invited by hand, step by step, and each step ends by the roster that shows it", async () => {
    const desk = await open();
    const { world, clay } = desk;
    const ada = await world.hire("ada@example.com");
    await world.group("Growth", [ada]);
    await later(desk);
    await desk.bring();
    const invite = await theTask(desk, ada);
    expect(roles(invite)).toEqual(["->editor"]);
    expect(invite.lines[0]?.steps.join()).toContain("+ Invite, e-mail {account}, role editor");
    await later(desk);
    clay.control.invite({ email: ada.email, role: "editor" });
    await done(desk, invite);
    await world.settle();
    // The roster is of before: nothing is concluded from it.
    expect(await theTask(desk, ada)).toMatchObject({ state: "submitted", trust: "attested" });
    await later(desk);
    await desk.bring();
    expect((await world.target(ada))?.reason?.code).toBe("INVITATION_OPEN");
    clay.control.accept(ada);
    await later(desk);
    await desk.bring();
    expect(roles(await theTask(desk, ada))).toEqual(["GTM->member"]);
    clay.control.setGroup({ email: ada.email, group: "GTM", member: true });
    await later(desk);
    await desk.bring();
    expect(await tasksOf(desk, ada)).toEqual(["joiner done observed", "mover done observed"]);
    expect((await world.target(ada))?.state).toBe("idle");
  });

  test("a mover's role and group are one task, and one with a forgotten click is opened again", async () => {
    const desk = await open();
    const { world, clay } = desk;
    const { ada, growth, sales } = await settled(desk);
    await world.members(growth, { op: "remove", memberIds: [ada.sourceUserId] });
    await world.members(sales, { op: "add", memberIds: [ada.sourceUserId] });
    await later(desk);
    const task = await theTask(desk, ada);
    expect(roles(task)).toEqual(["editor>viewer", "GTMmember>-"]);
    clay.control.setGroup({ email: ada.email, group: "GTM", member: false });
    await done(desk, task);
    await later(desk);
    await desk.bring();
    expect(await theTask(desk, ada)).toMatchObject({ state: "open", attempt: 2 });
    clay.control.setRole({ email: ada.email, role: "viewer" });
    await later(desk);
    await desk.bring();
    expect((await world.target(ada))?.state).toBe("idle");
  });

  test("a leaver is an urgent task until a newer roster does not show them", async () => {
    const desk = await open();
    const { world, clay } = desk;
    const { ada } = await settled(desk);
    await world.setActive(ada, false);
    await later(desk, minute);
    const task = await theTask(desk, ada);
    expect([task.cause, roles(task)]).toEqual(["leaver", ["editor>-"]]);
    await done(desk, task);
    await later(desk);
    await desk.bring();
    expect(await theTask(desk, ada)).toMatchObject({ state: "open", attempt: 2 });
    clay.control.remove(ada);
    await done(desk, await theTask(desk, ada));
    await later(desk);
    await desk.bring();
    expect((await tasksOf(desk, ada)).at(0)).toBe("leaver done observed");
    await world.pass(20 * minute, minute);
    expect(await world.store.getLink(tenantId, connectionId, ada.identityId)).toBeUndefined();
  });

  test("who leaves between an invitation by hand and the next roster is taken out, not forgotten", async () => {
    const desk = await open();
    const { world, clay } = desk;
    const ada = await world.hire("ada@example.com");
    await world.group("Growth", [ada]);
    await later(desk);
    await desk.bring();
    await later(desk);
    clay.control.invite({ email: ada.email, role: "editor" });
    await done(desk, await theTask(desk, ada));
    await world.setActive(ada, false);
    await later(desk);
    const task = await theTask(desk, ada);
    expect([task.cause, task.state, roles(task)]).toEqual(["leaver", "open", ["editor>-"]]);
    expect((await world.target(ada))?.state).toBe("manual");
    clay.control.remove(ada);
    await done(desk, task);
    await later(desk);
    await desk.bring();
    expect(await tasksOf(desk, ada)).toEqual(["leaver done observed"]);
  });

  test("an admin is made and unmade by two people, and the last one is not asked away", async () => {
    const desk = await open();
    const { world, clay } = desk;
    const bo = await world.hire("bo@example.com");
    const operations = await world.group("Operations", [bo]);
    for (const name of ["Growth", "Sales"]) await world.group(name);
    await later(desk);
    await desk.bring();
    expect(await theTask(desk, bo)).toMatchObject({ fourEyes: true });
    clay.control.invite({ email: bo.email, role: "admin" });
    clay.control.accept(bo);
    // The service user is the other admin: without them, Bo is the last.
    clay.control.setRole({ email: "clay.service@example.com", role: "editor" });
    await later(desk);
    await desk.bring();
    await world.members(operations, { op: "remove", memberIds: [bo.sourceUserId] });
    await later(desk);
    expect((await world.target(bo))?.reason?.code).toBe("ADMIN_FLOOR");
    const live = await world.store.listTasks(tenantId, { states: liveStates, limit: 5 });
    expect(live).toEqual([]);
  });

  test("a roster that is stale, cut or of another workspace changes nothing", async () => {
    const desk = await open();
    const { world } = desk;
    const { ada } = await settled(desk);
    const before = await world.target(ada);
    for (const [spoil, why] of [
      [(csv: string) => csv.replaceAll("ws_1", "ws_2"), "another workspace"],
      [(csv: string) => csv.replace(/.*admin.*\n/, ""), "nobody in it is an admin"],
      [(csv: string) => csv.slice(0, -40), "was the file cut"],
      [(csv: string) => csv, "no newer"],
    ] as const) {
      const brought = desk.bring(spoil);
      await expect(brought).rejects.toThrow(InputError);
      await expect(brought).rejects.toThrow(why);
    }
    expect(await world.target(ada)).toEqual(before);
  });
});
