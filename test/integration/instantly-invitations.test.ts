// Goal: an invitation to Instantly carries the section permissions that the mapping gives its role, and the person's name.
// Method: real store, sync and apply, Instantly's simulator over HTTP, a clock that the test moves.
import { expect, test } from "vitest";
import { instantly, instantlyHeaders } from "../../src/connectors/instantly/instantly.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { openVendorStory } from "../support/vendor-story.ts";

test("an invitation carries the permissions of its role and the name; another role is invited without any", async () => {
  const { world, vendor, declare, close } = await openVendorStory({
    connector: instantly,
    headers: instantlyHeaders,
    start: (clock) => startInstantlySimulator({ clock }),
    rules: {
      vendor: "instantly",
      connection: { credential: "sealed:instantly" },
      mode: "additive",
      account: {
        domains: ["example.com"],
        nickname: "display-name",
        permissions: { editor: ["campaigns.view", "campaigns.edit", "unibox.all"] },
      },
      rules: [
        {
          id: "sales-development",
          when: { group: "SDR" },
          grant: [{ kind: "workspace_role", role: "editor" }],
        },
        {
          id: "finance",
          when: { group: "Finance" },
          grant: [{ kind: "workspace_role", role: "view" }],
        },
      ],
      protected: { admins_min: 0 },
    },
  });
  try {
    await declare({});
    await world.group("SDR", [await world.hire("ada@example.com")]);
    await world.group("Finance", [await world.hire("fin@example.com")]);
    await world.settle();
    const invited = vendor
      .state()
      .members.filter((member) => member.role !== "owner")
      .map(({ email, role, permissions, nickname }) => ({ email, role, permissions, nickname }))
      .toSorted((a, b) => a.email.localeCompare(b.email));
    expect(invited).toMatchObject([
      {
        email: "ada@example.com",
        role: "editor",
        permissions: ["campaigns.view", "campaigns.edit", "unibox.all"],
      },
      { email: "fin@example.com", role: "view", permissions: null },
    ]);
    expect(invited.every(({ nickname }) => nickname !== null && nickname !== "")).toBe(true);
  } finally {
    await close();
  }
});
