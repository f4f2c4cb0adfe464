import type { JsonObject } from "../../src/model/json.ts";

/** How the two connections of a tenant are run before anything changes, and what a person may change them to. */

const head = {
  version: 1,
  mode: "additive",
  account: { domains: ["example.com"], leaver: "remove", create: "invite", inviteResends: 2 },
  timing: { debounce: "90s", grace: "0s", verify: ["0s", "15m", "24h"] },
  protected: { accounts: ["breakglass@example.com"], admins_min: 3 },
  rails: {
    removals: { floor: 3, fraction: 0.1 },
    grants: { one_cause: { floor: 4, fraction: 0.25 }, privileged: 1 },
    leavers: { floor: 3, fraction: 0.01 },
  },
};

const engineers = {
  id: "engineers",
  when: { group: "Engineering" },
  grant: [
    { kind: "org_role", role: "user" },
    { kind: "workspace", name: "Development", role: "writer" },
  ],
};
const platform = {
  id: "platform",
  when: { group: "Platform" },
  grant: [
    { kind: "org_role", role: "developer" },
    { kind: "workspace", name: "Production", role: "writer" },
  ],
};
const leads = {
  id: "leads",
  why: "they answer for it",
  owner: "leads@example.com",
  when: { group: "Leads" },
  grant: [{ kind: "org_role", role: "lead" }],
};
const noContractors = {
  id: "no-contractors",
  when: { attribute: "userType", equals: "Contractor" },
  deny: [{ kind: "workspace", name: "Production" }],
};

const desk = (rules: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  ...head,
  vendor: "desk",
  connection: { credential: "sealed:desk" },
  rules,
  ...more,
});

const deskRules = [engineers, platform, leads, noContractors];

/** The first is where every run begins. */
export const deskVariants: readonly JsonObject[] = [
  desk(deskRules),
  desk([
    {
      ...engineers,
      grant: [
        { kind: "org_role", role: "user" },
        { kind: "workspace", name: "Development", role: "reader" },
      ],
    },
    platform,
    leads,
    noContractors,
  ]),
  desk([engineers, leads, noContractors]),
  desk(deskRules, { mode: "report-only" }),
  desk(deskRules, { sets: { workspace: "report-only" } }),
  desk(deskRules, { sets: { workspace: "authoritative" } }),
];

const sales = { id: "sales", when: { group: "Sales" }, grant: [{ kind: "seat", role: "editor" }] };
const seatLeads = {
  id: "seat-leads",
  why: "they answer for it",
  owner: "leads@example.com",
  when: { group: "Leads" },
  grant: [{ kind: "seat", role: "admin" }],
};

const seats = (rules: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  ...head,
  vendor: "seats",
  connection: { credential: "sealed:seats" },
  rules,
  ...more,
});

export const seatsVariants: readonly JsonObject[] = [
  seats([sales, seatLeads]),
  seats([{ ...sales, grant: [{ kind: "seat", role: "view" }] }, seatLeads]),
  seats([sales, seatLeads], { mode: "report-only" }),
  seats([
    sales,
    seatLeads,
    {
      id: "engineers-look",
      when: { group: "Engineering" },
      grant: [{ kind: "seat", role: "view" }],
    },
  ]),
];

export const variantsOf: Readonly<Record<string, readonly JsonObject[]>> = {
  desk: deskVariants,
  seats: seatsVariants,
};

export const groupNames = ["Engineering", "Platform", "Sales", "Leads"] as const;
