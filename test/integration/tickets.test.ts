// Goal: work by hand is one ticket in the vendor's help desk: opened once, heard of when it is resolved, closed when nobody wants it.
// Method: real store, sync and apply, Intercom's simulator over HTTP, a clock that the test moves.
import { afterEach, describe, expect, test } from "vitest";
import { intercom, intercomHeaders } from "../../src/connectors/intercom/intercom.ts";
import { startIntercomSimulator } from "../../src/sandbox/intercom/intercom-simulator.ts";
import { keepAllTickets } from "../../src/ticket-loop.ts";
import { connectionId, tenantId } from "../support/story-world.ts";
import { openVendorStory } from "../support/vendor-story.ts";

const minute = 60_000;
const ada = "ada@example.com";
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function open(mode = "additive") {
  const rules = {
    vendor: "intercom",
    profile: "default",
    connection: { credential: "sealed:intercom" },
    rules: [
      {
        id: "support",
        when: { group: "Support" },
        grant: [{ kind: "teammate", role: "member" }],
      },
    ],
    protected: { admins_min: 0 },
  };
  const story = await openVendorStory({
    connector: intercom,
    headers: intercomHeaders,
    start: (clock) => startIntercomSimulator({ clock }),
    rules: { ...rules, mode },
  });
  closing.push(story.close);
  const { world, vendor } = story;
  const { typeId, contactId } = vendor.control.addTicketType("Access");
  await story.declare({ mode, tickets: { type: typeId, contact: contactId } });
  const look = () => keepAllTickets({ ...world.tasks, store: world.store }, world.apply);
  const tickets = () =>
    vendor.state().tickets.map(({ id, attributes, open: isOpen, category }) => ({
      id,
      title: String(attributes["_default_title_"]),
      text: String(attributes["_default_description_"]),
      open: isOpen,
      category,
    }));
  const task = async () => {
    const [found] = await world.store.listTasks(tenantId, { connectionId, limit: 10 });
    return found;
  };
  const hire = async () => {
    const person = await world.hire(ada);
    await world.group("Support", [person]);
    await world.settle();
    return person;
  };
  const pass = async (ms: number) => {
    await world.pass(ms);
    await look();
  };
  const useToken = (token: string) => {
    story.secret = token;
  };
  return { ...story, useToken, look, tickets, task, hire, pass };
}

describe("a ticket for work by hand", () => {
  test("is opened once, names the person and the steps, and is not opened again at the next look", async () => {
    const { hire, look, tickets, task } = await open();
    await hire();
    await look();
    await look();
    expect(tickets()).toHaveLength(1);
    expect(tickets()[0]).toMatchObject({
      open: true,
      text: expect.stringContaining(ada) as string,
    });
    expect((await task())?.ticket).toMatchObject({
      desk: "intercom",
      ticketId: tickets()[0]?.id,
      shownId: "1",
    });
  });

  test("that is resolved counts as somebody's word; the vendor's list ends the task", async () => {
    const { hire, look, pass, tickets, task, vendor } = await open();
    await hire();
    await look();
    vendor.control.setTicket(tickets()[0]?.id ?? "", { category: "resolved" });
    await look();
    expect(await task()).toMatchObject({
      state: "submitted",
      submittedBy: "intercom ticket 1",
      trust: "attested",
    });
    vendor.control.seedAdmin({ email: ada });
    await pass(20 * minute);
    expect(await task()).toMatchObject({ state: "done", trust: "verified" });
    expect(tickets()).toHaveLength(1);
  });

  test("that was resolved without being done is followed by another one", async () => {
    const { hire, look, pass, tickets, task, vendor } = await open();
    await hire();
    await look();
    vendor.control.setTicket(tickets()[0]?.id ?? "", { category: "resolved" });
    await look();
    for (let i = 0; i < 8 && (await task())?.attempt === 1; i++) await pass(15 * minute);
    await look();
    expect(tickets().map((ticket) => ticket.open)).toEqual([false, true]);
    expect((await task())?.ticket).toMatchObject({ attempt: 2, shownId: "2" });
  });

  test("is closed when what it asks for shows without it", async () => {
    const { hire, look, pass, tickets, task, vendor } = await open();
    await hire();
    await look();
    vendor.control.seedAdmin({ email: ada });
    for (let i = 0; i < 8 && (await task())?.settledAt === null; i++) await pass(15 * minute);
    await look();
    expect(tickets()).toMatchObject([{ open: false, category: "submitted" }]);
  });

  test("whose answer was lost is found by its mark and not opened twice", async () => {
    const { hire, look, pass, tickets, task, vendor } = await open();
    await hire();
    vendor.faults.add({ operation: "tickets.create", kind: "lost-answer" });
    await look();
    expect((await task())?.ticket).toBeUndefined();
    for (let i = 0; i < 3; i++) await pass(5 * minute);
    expect(tickets()).toHaveLength(1);
    expect((await task())?.ticket).toMatchObject({ ticketId: tickets()[0]?.id });
  });

  test("is not opened in report-only mode", async () => {
    const { hire, look, tickets } = await open("report-only");
    await hire();
    await look();
    expect(tickets()).toEqual([]);
  });

  test("that the vendor refuses is a finding, and the finding goes with the obstacle", async () => {
    const { hire, look, tickets, vendor, findings, useToken } = await open();
    await hire();
    const good = vendor.apiKey;
    useToken(vendor.control.addToken({ scopes: ["read_admins", "read_one_admin"] }).token);
    await look();
    expect(tickets()).toEqual([]);
    expect((await findings("tickets")).join("\n")).toMatch(/no tickets are opened.*Read tickets/);
    useToken(good);
    await look();
    expect(await findings("tickets")).toEqual([]);
    expect(tickets()).toHaveLength(1);
  });
});
