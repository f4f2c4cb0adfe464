import { anthropicConsole } from "../../src/connectors/anthropic/anthropic.ts";
import { vendorAccess, type VendorAccess } from "../../src/connectors/registry.ts";
import { workspaceKind } from "../../src/connectors/anthropic/facts.ts";
import { asId, type AccountId } from "../../src/model/ids.ts";
import { instantly } from "../../src/connectors/instantly/instantly.ts";
import { intercom, intercomScim } from "../../src/connectors/intercom/intercom.ts";
import { startIntercomSimulator } from "../../src/sandbox/intercom/intercom-simulator.ts";
import type { FakeClock } from "../support/fake-clock.ts";
import { startInstantlySimulator } from "../../src/sandbox/instantly/instantly-simulator.ts";
import { startAnthropicSimulator } from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { connectorSuite } from "./connector-suite.ts";
import type { SuiteVendor } from "./connector-stage.ts";

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
