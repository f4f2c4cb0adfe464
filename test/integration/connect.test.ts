// Goal: a look at a connection says what is wrong before anything is written through it, and pins what answered first.
// Method: real store, a vendor inside the process that fails as told.
import { afterEach, describe, expect, test } from "vitest";
import { connectReport } from "../../src/apply/connect.ts";
import { SyncError } from "../../src/model/errors.ts";
import { instantly, instantlyHeaders } from "../../src/connectors/instantly/instantly.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { openVendorStory } from "../support/vendor-story.ts";
import { FakeVendor } from "../support/fake-vendor.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "../support/story-world.ts";

const closing: StoryWorld[] = [];
afterEach(async () => {
  for (const world of closing.splice(0)) await world.store.close();
});

async function open() {
  const vendor = new FakeVendor();
  const world = await StoryWorld.open({ vendor, mapping: mapping() });
  closing.push(world);
  const look = async () => {
    const lane = await world.store.getLane(tenantId, connectionId);
    if (lane === undefined) throw new Error("the mapping made no lane");
    return connectReport(world.apply, lane);
  };
  return { vendor, world, look };
}

describe("connect", () => {
  test("pins the organisation that answers first, and says so once", async () => {
    const { vendor, look, world } = await open();
    vendor.seed("ada@example.com");
    expect(await look()).toMatchObject({
      organization: { id: "org_1", name: "Acme" },
      pin: "new",
      problem: null,
      reads: [
        { what: "accounts", outcome: "answers" },
        { what: "objects", outcome: "answers" },
      ],
    });
    expect((await look()).pin).toBe("same");
    expect(vendor.writes).toEqual([]);
    const records = await world.store.findRecords(tenantId, {
      action: "connection.pinned",
      limit: 5,
    });
    expect(records).toHaveLength(1);
  });

  test("refuses a credential of another organisation than the pinned one, and keeps the pin", async () => {
    const { vendor, look } = await open();
    await look();
    vendor.organization = { id: "org_2", name: "Globex" };
    expect(await look()).toMatchObject({
      organization: { id: "org_1" },
      pin: null,
      problem: { code: "WRONG_ORGANIZATION" },
    });
  });

  test.each([
    ["CREDENTIAL_REFUSED", false],
    ["CREDENTIAL_SCOPE_MISSING", false],
    ["VENDOR_PLAN_REQUIRED", false],
    ["VENDOR_OWNS_MEMBERSHIP", true],
  ] as const)("says %s in the vendor's words", async (code, vendorOwnsMembership) => {
    const { vendor, look } = await open();
    vendor.fail("check", new SyncError(code, "what the vendor says"));
    expect(await look()).toMatchObject({
      organization: null,
      problem: { code, text: "what the vendor says" },
      vendorOwnsMembership,
    });
  });

  test("names the scopes that are missing, those that are too many, and the plan's gates", async () => {
    const story = await openVendorStory({
      connector: instantly,
      headers: instantlyHeaders,
      start: (clock) => startInstantlySimulator({ clock }),
      rules: {
        vendor: "instantly",
        connection: { credential: "sealed:x" },
        rules: [],
        protected: { admins_min: 0 },
      },
    });
    closing.push(story.world);
    const tag = { name: "West", team: "West", owner: "ops@example.com" };
    await story.declare({ mode: "report-only", declares: { tags: [tag] } });
    const look = async () => connectReport(story.world.apply, await story.lane());
    story.secret = story.vendor.control.addKey({
      name: "odd",
      scopes: ["workspaces:read", "workspace_members:read", "workspace_group_members:read"],
    }).secret;
    const report = await look();
    expect(report.credential).toEqual({ kind: "API key of one workspace", owner: null });
    expect(report.scopesMissing).toEqual(["audit_logs:read", "custom_tag_mappings:read"]);
    expect(report.scopesBeyond).toEqual(["workspace_group_members:read"]);
    expect(report.scopes).not.toContain("workspace_group_members:read");
    story.vendor.control.setPaid(false);
    expect((await look()).problem?.code).toBe("VENDOR_PLAN_REQUIRED");
    expect(story.vendor.requests.filter((item) => item.method !== "GET")).toEqual([]);
    await story.vendor.close();
  });

  test("tells a list that may not be read from one that is empty", async () => {
    const { vendor, look } = await open();
    vendor.fail("list", new SyncError("CREDENTIAL_SCOPE_MISSING", "needs members:read"));
    expect((await look()).reads[0]).toEqual({
      what: "accounts",
      outcome: "refused",
      text: "CREDENTIAL_SCOPE_MISSING: needs members:read",
    });
    expect((await look()).reads[0]).toMatchObject({ outcome: "empty" });
  });
});
