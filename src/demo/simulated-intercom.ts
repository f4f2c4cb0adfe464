import type { Clock } from "../model/clock.ts";
import { foldEmail } from "../model/fold.ts";
import {
  startIntercomSimulator,
  type IntercomSimulator,
} from "../sandbox/intercom/intercom-simulator.ts";
import type { VendorTruth } from "./final-check.ts";

const bystanders = ["owner@example.com", "support.lead@example.com"];

/** A workspace with two teams, each with somebody in it, as the day finds it. */
export async function startDemoIntercom(clock: Clock): Promise<IntercomSimulator> {
  const intercom = await startIntercomSimulator({ clock });
  intercom.control.seedAdmin({ email: "support.lead@example.com", name: "Support Lead" });
  for (const name of ["Technical", "Sales"]) {
    intercom.control.addTeam({ name, method: "round_robin", emails: ["support.lead@example.com"] });
  }
  return intercom;
}

export function intercomTruth(intercom: IntercomSimulator): VendorTruth {
  const { admins, teams } = intercom.state();
  return {
    connection: "intercom",
    accountKind: "teammate",
    names: Object.fromEntries(teams.map((team) => [team.id, team.name])),
    bystanders,
    accounts: admins.map((admin) => ({
      email: foldEmail(admin.email),
      state: "active" as const,
      role: "member",
      slots: Object.fromEntries(
        teams.filter((team) => team.adminIds.includes(admin.id)).map((team) => [team.id, "member"]),
      ),
    })),
  };
}
