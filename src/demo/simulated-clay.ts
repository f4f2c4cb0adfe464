import { clayRoles, type ClayRole } from "../sandbox/clay/truth.ts";
import { startClaySimulator, type ClaySimulator } from "../sandbox/clay/clay-simulator.ts";
import type { Clock } from "../model/clock.ts";
import type { Invitation, VendorTruth } from "./final-check.ts";

/** A workspace with its service user, another admin and one group, as the day finds it. */
export async function startDemoClay(clock: Clock): Promise<ClaySimulator> {
  const clay = await startClaySimulator({ clock });
  clay.control.addGroup("GTM");
  const email = "it-admin@example.com";
  clay.control.invite({ email, role: "admin" });
  clay.control.accept({ email });
  return clay;
}

/** One line of a task, done on the product's pages. */
export function clickInClay(
  { control, state }: ClaySimulator,
  email: string,
  line: { readonly kind: string; readonly objectId: string; readonly roleTo: string | null },
): void {
  const there = state().members.some((member) => member.email === email);
  if (line.kind === "group") {
    if (there) control.setGroup({ email, group: line.objectId, member: line.roleTo !== null });
    return;
  }
  if (line.roleTo === null) {
    if (there) control.remove({ email });
    return;
  }
  const role = roleOf(line.roleTo);
  if (there) control.setRole({ email, role });
  else control.invite({ email, role });
}

function roleOf(text: string): ClayRole {
  const role = clayRoles.find((item) => item.replace(" ", "_") === text);
  if (role === undefined) throw new Error(`Clay has no role ${text}`);
  return role;
}

export function clayInvitations(clay: ClaySimulator, email: string): readonly Invitation[] {
  const member = clay.state().members.find((item) => item.email === email);
  if (member === undefined) return [];
  return [
    { vendor: "clay", role: member.role, end: member.status === "active" ? "accepted" : "open" },
  ];
}

export function clayTruth(clay: ClaySimulator): VendorTruth {
  const { members, groups } = clay.state();
  return {
    connection: "clay",
    accountKind: "workspace_role",
    names: {},
    bystanders: ["clay.service@example.com", "it-admin@example.com"],
    accounts: members.map(({ email, status, role }) => ({
      email,
      state: status,
      role: role.replace(" ", "_"),
      slots: Object.fromEntries(
        groups
          .filter((group) => group.members.includes(email))
          .map((group) => [group.name, "member"]),
      ),
    })),
  };
}
