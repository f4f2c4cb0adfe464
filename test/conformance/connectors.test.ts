import { anthropicConsole, anthropicEnterprise } from "../../src/connectors/anthropic/anthropic.ts";
import { vendorAccess, type VendorAccess } from "../../src/connectors/registry.ts";
import { groupKind, groupMember, workspaceKind } from "../../src/connectors/anthropic/facts.ts";
import { asId, type AccountId } from "../../src/model/ids.ts";
import { instantly } from "../../src/connectors/instantly/instantly.ts";
import { intercom, intercomScim } from "../../src/connectors/intercom/intercom.ts";
import { startIntercomSimulator } from "../../src/sandbox/intercom/intercom-simulator.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { startAnthropicSimulator } from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { scimHeaders, scimConnector, scimTargetOf } from "../../src/connectors/scim/scim.ts";
import { groupKind as scimGroupKind, member } from "../../src/connectors/scim/facts.ts";
import type { ScimTargetSettings } from "../../src/model/scim-target.ts";
import { startScimTargetSimulator } from "../../src/sandbox/scim-target/scim-target-simulator.ts";
import type { Quirks } from "../../src/sandbox/scim-target/truth.ts";
import { clayEnterprise, clayWorkspace } from "../../src/connectors/clay/clay.ts";
import { startClaySimulator } from "../../src/sandbox/clay/clay-simulator.ts";
import { parseRoster } from "../../src/tasks/roster.ts";
import { connectorSuite } from "./connector-suite.ts";
import type { SuiteVendor } from "./connector-stage.ts";

/** Targets that cover the dialects: the standard one with roles, whole writes, and everything odd at once. */
const scimWorlds: readonly {
  readonly profile: string;
  readonly settings: ScimTargetSettings;
  readonly quirks: Partial<Quirks>;
}[] = [
  { profile: "standard", settings: {}, quirks: { showsGroupsOnUsers: false } },
  {
    profile: "replace",
    settings: { groups: { read: "user" }, update: { versions: "if-match" } },
    quirks: { versions: "required", deactivation: "disable" },
  },
  {
    profile: "standard",
    settings: {
      find: { by: ["userName", "externalId"], filters: [] },
      page: { style: "cursor", sizeMax: 50 },
      update: { paths: "none", opCase: "capital", booleans: "text", operationsMax: 1 },
      groups: { read: "filter", remove: "value" },
      roles: { remove: "replace" },
      deactivate: { means: "delete", lossAccepted: true },
      reactivate: { how: "create" },
    },
    quirks: {
      filters: ["members.value"],
      paging: "cursor",
      pageMax: 50,
      opCase: "capital",
      pathlessPatch: "accept",
      filterPaths: "refuse",
      acceptsBooleans: "text",
      booleans: "text",
      operationsMax: 1,
      writeAnswers: "no_content",
      deactivation: "delete",
      names: "capital",
      discovery: "absent",
      versions: "none",
    },
  },
];

function accessTo(vendor: string): VendorAccess {
  const access = vendorAccess[vendor];
  if (access === undefined) throw new Error(`nobody knows how to reach ${vendor}`);
  return access;
}

connectorSuite({
  connector: anthropicConsole,
  access: accessTo("anthropic"),
  roles: ["user", "developer"],
  grantRoles: ["workspace_developer", "workspace_admin"],
  pageSize: 1_000,
  operations: { list: "users.list", create: "invites.create" },
  start: async (clock) => {
    const organization = { id: "7e1c8a52-5b0d-4c39-9a51-0c8c6f7f1a11", name: "Example Corp" };
    const simulator = await startAnthropicSimulator({
      clock,
      organization,
      admin: { email: "founder@example.com", name: "Founder" },
    });
    const workspace = simulator.control.addWorkspace("Production");
    const weak = simulator.control.addKey({ keyClass: "scoped", scopes: ["read:members"] });
    return {
      simulator,
      secret: simulator.apiKey,
      weakSecret: weak.secret,
      organizationId: organization.id,
      slot: { kind: workspaceKind, objectId: workspace.id },
      accept: (email) => {
        simulator.control.acceptInvite(email);
      },
      seed: (email, role) =>
        asId<AccountId>(
          simulator.control.seedUser({ email, role: role === "developer" ? "developer" : "user" })
            .id,
        ),
    };
  },
});

connectorSuite({
  connector: anthropicEnterprise,
  access: accessTo("anthropic"),
  roles: ["user", "managed"],
  grantRoles: [groupMember],
  pageSize: 1_000,
  operations: { list: "users.list", create: "invites.create" },
  start: async (clock) => {
    const organization = { id: "7e1c8a52-5b0d-4c39-9a51-0c8c6f7f1a12", name: "Example Enterprise" };
    const simulator = await startAnthropicSimulator({
      clock,
      organization,
      admin: { email: "founder@example.com", name: "Founder" },
      settings: { enterprise: true },
    });
    simulator.control.addGroup({ name: "Everybody" });
    const group = simulator.control.addGroup({ name: "Analysts" });
    const weak = simulator.control.addKey({ keyClass: "scoped", scopes: ["read:members"] });
    return {
      simulator,
      secret: simulator.apiKey,
      weakSecret: weak.secret,
      organizationId: organization.id,
      slot: { kind: groupKind, objectId: group.id },
      accept: (email) => {
        simulator.control.acceptInvite(email);
      },
      seed: (email, role) =>
        asId<AccountId>(
          simulator.control.seedUser({ email, role: role === "managed" ? "managed" : "user" }).id,
        ),
    };
  },
});

connectorSuite({
  connector: instantly,
  access: accessTo("instantly"),
  roles: ["view", "editor"],
  pageSize: 100,
  operations: { list: "members.list", create: "members.create" },
  start: async (clock) => {
    const workspace = { id: "0b6d3a8e-6c1f-4b57-8a9e-3f2d1c0b9a88", name: "Example Outreach" };
    const simulator = await startInstantlySimulator({ clock, workspace });
    const weak = simulator.control.addKey({ name: "weak", scopes: ["workspaces:read"] });
    return {
      simulator,
      secret: simulator.apiKey,
      weakSecret: weak.secret,
      organizationId: workspace.id,
      lapse: () => {
        simulator.control.setPaid(false);
      },
      accept: (email) => {
        simulator.control.acceptInvite({ email });
      },
      seed: (email, role) =>
        asId<AccountId>(
          simulator.control.seedMember({ email, role: role === "editor" ? "editor" : "view" }).id,
        ),
    };
  },
});

for (const connector of [clayWorkspace, clayEnterprise]) {
  connectorSuite({
    connector,
    access: accessTo("clay"),
    roles: ["editor"],
    pageSize: undefined,
    operations: { list: "me.read" },
    start: async (clock) => {
      const plan = connector === clayEnterprise ? "enterprise" : "growth";
      const simulator = await startClaySimulator({ clock, plan });
      const { control } = simulator;
      const aliases = connector.facts.roster?.aliases ?? {};
      return {
        simulator,
        secret: simulator.apiKey,
        organizationId: simulator.state().workspace.id,
        roster: () => parseRoster(control.roster(), "csv", aliases),
        accept: (email) => {
          control.accept({ email });
        },
        seed: (email) => {
          control.invite({ email, role: "editor" });
          control.accept({ email });
          return asId<AccountId>(email);
        },
      };
    },
  });
}

async function startIntercom(clock: FakeClock): Promise<SuiteVendor> {
  const workspace = { idCode: "wk9example", name: "Example Support" };
  const simulator = await startIntercomSimulator({ clock, workspace });
  const team = simulator.control.addTeam({
    name: "Billing",
    method: "load_balanced",
    emails: ["owner@example.com"],
  });
  const weak = simulator.control.addToken({ scopes: ["read_conversations"] });
  return {
    simulator,
    secret: simulator.apiKey,
    serviceSecrets: { scim: simulator.scimToken },
    weakSecret: weak.token,
    organizationId: workspace.idCode,
    slot: { kind: "team", objectId: team.id },
    accept: (email) => {
      simulator.control.acceptInvite(email);
    },
    seed: (email) => asId<AccountId>(simulator.control.seedAdmin({ email }).id),
  };
}

const intercomWorld = {
  access: accessTo("intercom"),
  roles: ["member"],
  grantRoles: ["secondary", "member"],
  pageSize: undefined,
  tellsReset: ["admins.list", "teams.update"],
  start: startIntercom,
} as const;

connectorSuite({
  ...intercomWorld,
  connector: intercom,
  operations: { list: "admins.list", grant: "teams.update" },
});

connectorSuite({
  ...intercomWorld,
  connector: intercomScim,
  operations: { list: "admins.list", create: "scim_users.create" },
  instant: true,
});

for (const { profile, settings, quirks } of scimWorlds) {
  const anchor = { id: "5c1d9f60-4a8e-4b6e-9a43-8f6f0d5c1a11", userName: "anchor@example.com" };
  const target = scimTargetOf(profile, {
    ...settings,
    organization: { anchor: anchor.userName },
    roles: {
      style: "objects",
      catalogue: { viewer: { rank: 10 }, editor: { rank: 20 } },
      fallback: "viewer",
      ...settings.roles,
    },
  });
  if (target === undefined) throw new Error(`there is no SCIM profile ${profile}`);
  connectorSuite({
    connector: scimConnector(target, profile),
    access: { authHeaders: (secret) => scimHeaders(target, secret) },
    instant: true,
    roles: ["viewer", "editor"],
    grantRoles: [member],
    pageSize: target.page.sizeMax,
    operations: { list: "users.list", create: "users.create" },
    start: async (clock) => {
      const simulator = await startScimTargetSimulator({ clock, anchor, quirks });
      const group = simulator.control.addGroup("Engineering");
      const weakSecret = "scim-token-that-sees-users-only-1";
      simulator.control.addKey(weakSecret, ["users"]);
      return {
        simulator,
        secret: simulator.apiKey,
        weakSecret,
        organizationId: anchor.id,
        slot: { kind: scimGroupKind, objectId: group.id },
        lapse: () => {
          simulator.control.setPaid(false);
        },
        accept: () => {
          throw new Error("nobody is invited here");
        },
        seed: (email, role) =>
          asId<AccountId>(
            simulator.control.seedUser({
              userName: email,
              attributes: { roles: [{ value: role }] },
            }).id,
          ),
      };
    },
  });
}
