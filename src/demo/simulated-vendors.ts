import type { Clock } from "../model/clock.ts";
import { foldEmail } from "../model/fold.ts";
import {
  startAnthropicSimulator,
  type AnthropicSimulator,
} from "../sandbox/anthropic/anthropic-simulator.ts";
import {
  startInstantlySimulator,
  type InstantlySimulator,
} from "../sandbox/instantly/instantly-simulator.ts";
import type { Invitation, VendorTruth } from "./final-check.ts";
import { clayInvitations, clayTruth, clickInClay, startDemoClay } from "./simulated-clay.ts";
import { intercomTruth, startDemoIntercom } from "./simulated-intercom.ts";
import type { DemoVendors } from "./vendors.ts";
import type { ClaySimulator } from "../sandbox/clay/clay-simulator.ts";

const anthropicBystanders = [
  "owner@example.com",
  "it-admin@example.com",
  "breakglass@example.com",
  "lukasz.wojcik+lab@example.com",
];

/** Starts the simulators with the history that they have before the day begins. */
export async function startDemoVendors(clock: Clock): Promise<DemoVendors> {
  const anthropic = await startAnthropicSimulator({ clock });
  const instantly = await startInstantlySimulator({ clock });
  const intercom = await startDemoIntercom(clock);
  const clay = await startDemoClay(clock);
  for (const name of ["Production", "Staging", "Research"]) anthropic.control.addWorkspace(name);
  anthropic.control.seedUser({ email: "it-admin@example.com", role: "admin" });
  anthropic.control.seedUser({ email: "breakglass@example.com", role: "admin" });
  // Older than Rolecall: the leaver of the day, and somebody who only looks like him.
  anthropic.control.seedUser({ email: "lukasz.wojcik@example.com", role: "user" });
  anthropic.control.seedUser({ email: "lukasz.wojcik+lab@example.com", role: "user" });
  return {
    urls: {
      anthropic: anthropic.url,
      clay: clay.url,
      instantly: instantly.url,
      intercom: intercom.url,
    },
    credentials: {
      "anthropic-admin": anthropic.apiKey,
      "clay-key": clay.apiKey,
      "instantly-key": instantly.apiKey,
      "intercom-token": intercom.apiKey,
      "intercom-scim": intercom.scimToken,
    },
    acceptInvitations(whom) {
      const open = openOf({ anthropic, clay, instantly }, clock).filter((invitation) =>
        whom(invitation.email),
      );
      for (const invitation of open) invitation.accept();
      return open.length;
    },
    openInvitations: () =>
      openOf({ anthropic, clay, instantly }, clock).map((invitation) => invitation.email),
    expireInvitation(email) {
      anthropic.control.expireInvite(email);
    },
    stumble(forMs) {
      const now = clock.now();
      anthropic.faults.add({
        operation: "users.list",
        kind: "429",
        times: 3,
        retryAfter: { seconds: 20, as: "seconds" },
      });
      anthropic.faults.add({
        operation: "*",
        kind: "503",
        between: [now + 20_000, now + 20_000 + forMs],
      });
    },
    loseNextInvitationAnswer() {
      anthropic.faults.add({
        operation: "invites.create",
        kind: "lost-answer",
        fromNth: 5,
        times: 1,
      });
    },
    invitationsOf: (email) => [
      ...anthropicInvitations(anthropic, email, clock),
      ...instantlyInvitations(instantly, email),
      ...clayInvitations(clay, email),
    ],
    click: (email, line) => {
      clickInClay(clay, email, line);
    },
    roster: () => {
      const { members, groups } = clay.state();
      return { csv: clay.control.roster(), shows: JSON.stringify([members, groups]) };
    },
    truth: () => [
      anthropicTruth(anthropic, clock),
      clayTruth(clay),
      instantlyTruth(instantly),
      intercomTruth(intercom),
    ],
    async close() {
      const all = [anthropic, clay, instantly, intercom];
      await Promise.all(all.map((simulator) => simulator.close()));
    },
  };
}

interface OpenInvitation {
  readonly email: string;
  readonly accept: () => void;
}

function openOf(
  {
    anthropic,
    clay,
    instantly,
  }: {
    readonly anthropic: AnthropicSimulator;
    readonly clay: ClaySimulator;
    readonly instantly: InstantlySimulator;
  },
  clock: Clock,
): readonly OpenInvitation[] {
  const console = anthropic
    .state()
    .invites.filter((invite) => invite.state === "pending" && invite.expiresAt > clock.now())
    .map((invite) => ({
      email: foldEmail(invite.email),
      accept: () => anthropic.control.acceptInvite(invite.email),
    }));
  const workspace = instantly
    .state()
    .members.filter((member) => !member.accepted)
    .map((member) => ({
      email: foldEmail(member.email),
      accept: () => instantly.control.acceptInvite({ email: member.email }),
    }));
  const tables = clay
    .state()
    .members.filter((member) => member.status === "invited")
    .map(({ email }) => ({
      email,
      accept: () => {
        clay.control.accept({ email });
      },
    }));
  return [...console, ...workspace, ...tables];
}

function anthropicInvitations(
  anthropic: AnthropicSimulator,
  email: string,
  clock: Clock,
): readonly Invitation[] {
  return anthropic
    .state()
    .invites.filter((invite) => foldEmail(invite.email) === email)
    .map(({ role, state, expiresAt }) => {
      const ends = { accepted: "accepted", deleted: "withdrawn", pending: "open" } as const;
      const expired = state === "pending" && expiresAt <= clock.now();
      return { vendor: "anthropic", role, end: expired ? "expired" : ends[state] };
    });
}

/** The vendor keeps no invitations, only members; how many came to be is counted beside them. */
function instantlyInvitations(instantly: InstantlySimulator, email: string): readonly Invitation[] {
  const member = instantly.state().members.find((item) => foldEmail(item.email) === email);
  const { created } = instantly.createAttempts(email);
  return Array.from({ length: created }, () => ({
    vendor: "instantly",
    role: member?.role ?? "none",
    end: member === undefined ? "withdrawn" : member.accepted ? "accepted" : "open",
  }));
}

function anthropicTruth(anthropic: AnthropicSimulator, clock: Clock): VendorTruth {
  const state = anthropic.state();
  const slotsOf = (userId: string) =>
    Object.fromEntries(
      state.members
        .filter((member) => member.userId === userId)
        .map((member) => [member.workspaceId, member.role]),
    );
  return {
    connection: "anthropic",
    accountKind: "org_role",
    names: Object.fromEntries(state.workspaces.map((workspace) => [workspace.id, workspace.name])),
    bystanders: anthropicBystanders,
    accounts: [
      ...state.users.map((user) => ({
        email: foldEmail(user.email),
        state: "active" as const,
        role: user.role,
        slots: slotsOf(user.id),
      })),
      ...state.invites
        .filter((invite) => invite.state === "pending" && invite.expiresAt > clock.now())
        .map((invite) => ({
          email: foldEmail(invite.email),
          state: "invited" as const,
          role: invite.role,
          slots: {},
        })),
    ],
  };
}

function instantlyTruth(instantly: InstantlySimulator): VendorTruth {
  const { members } = instantly.state();
  return {
    connection: "instantly",
    accountKind: "workspace_role",
    names: {},
    bystanders: members
      .filter((member) => member.role === "owner")
      .map((member) => foldEmail(member.email)),
    accounts: members.map((member) => ({
      email: foldEmail(member.email),
      state: member.accepted ? ("active" as const) : ("invited" as const),
      role: member.role,
      slots: {},
    })),
  };
}
