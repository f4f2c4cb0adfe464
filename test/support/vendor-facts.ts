import { consoleFacts } from "../../src/connectors/anthropic/facts.ts";
import { instantlyFacts as shippedInstantly } from "../../src/connectors/instantly/facts.ts";
import { clayEnterpriseFacts } from "../../src/connectors/clay/facts.ts";
import { restFacts, scimFacts } from "../../src/connectors/intercom/facts.ts";
import { vendorFactsOf as shippedFactsOf } from "../../src/connectors/registry.ts";
import type { ScimTargetSettings } from "../../src/model/scim-target.ts";
import type { KindFacts, RoleFacts, VendorFacts } from "../../src/model/vendor-facts.ts";

function role(rank: number, more: Partial<RoleFacts> = {}): RoleFacts {
  return { rank, assignable: true, privileged: false, admin: false, ...more };
}

function vendor(
  name: string,
  profile: string,
  kinds: Readonly<Record<string, KindFacts>>,
): VendorFacts {
  return {
    vendor: name,
    profile,
    kinds,
    endpoints: [],
    buckets: [],
    create: { unique: true, invitationMs: null },
    settleMs: 0,
    impossible: [],
  };
}

const readOnlyAdmin = { assignable: false, privileged: true, admin: true };

/** With what the connector lets a mapping declare. */
function declaring(shipped: VendorFacts, facts: VendorFacts): VendorFacts {
  const { create, things, actsInHeader } = shipped;
  return { ...facts, create, ...(things && { things }), ...(actsInHeader && { actsInHeader }) };
}

/** What mapping needs to know of the Anthropic Console: kinds, roles and ranks. */
export const anthropicFacts = declaring(
  consoleFacts,
  vendor("anthropic", "console", {
    org_role: {
      title: "organisation role",
      account: true,
      object: "none",
      fallbackRole: "user",
      needsActiveAccount: false,
      roles: {
        user: role(10),
        claude_code_user: role(20),
        developer: role(30),
        billing: role(30, { privileged: true, implies: ["workspace"] }),
        admin: role(100, { ...readOnlyAdmin, implies: ["workspace"] }),
        owner: role(110, readOnlyAdmin),
        primary_owner: role(120, readOnlyAdmin),
      },
    },
    workspace: {
      title: "workspace membership",
      account: false,
      object: { idPattern: "^wrkspc_[A-Za-z0-9]+$" },
      needsActiveAccount: true,
      roles: {
        workspace_billing: role(5, { assignable: false }),
        workspace_user: role(10),
        workspace_restricted_developer: role(20),
        workspace_developer: role(30),
        workspace_admin: role(40, { privileged: true }),
      },
    },
  }),
);

/** What mapping needs to know of Instantly. */
export const instantlyFacts = declaring(
  shippedInstantly,
  vendor("instantly", "default", {
    workspace_role: {
      title: "workspace role",
      account: true,
      object: "none",
      fallbackRole: "view",
      needsActiveAccount: false,
      roles: {
        client: role(5, { assignable: false }),
        view: role(10),
        editor: role(20),
        admin: role(30, { privileged: true, admin: true }),
        owner: role(100, readOnlyAdmin),
      },
    },
  }),
);

/** Intercom without and with SCIM: the connector's own facts. */
const all = [anthropicFacts, clayEnterpriseFacts, instantlyFacts, restFacts, scimFacts];

/** Facts by vendor and profile; without a profile the vendor's only one. */
export function vendorFactsOf(
  name: string,
  profile: string | undefined,
  target?: ScimTargetSettings,
): VendorFacts | undefined {
  // What a SCIM server has is in its target: there is nothing to stand in for.
  if (name === "scim") return shippedFactsOf(name, profile, target);
  return all.find(
    (facts) => facts.vendor === name && (profile === undefined || facts.profile === profile),
  );
}
