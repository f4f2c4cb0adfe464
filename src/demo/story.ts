import type { Clock } from "../model/clock.ts";
import { exampleCompany, personNamed, type Company } from "../sandbox/idp/company.ts";
import { EntraSimulator } from "../sandbox/idp/entra.ts";
import { OktaSimulator } from "../sandbox/idp/okta.ts";
import { Desk } from "./desk.ts";
import { invitationComplaint } from "./final-check.ts";
import type { Fleet } from "./fleet.ts";
import { HrChapters } from "./hr-chapters.ts";
import type { Operator } from "./operator.ts";
import type { Timeline } from "./timeline.ts";
import type { DemoVendors } from "./vendors.ts";

export interface StoryParts {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly service: Fleet;
  readonly operator: Operator;
  readonly vendors: DemoVendors;
}

/** Longest story time that one chapter may take before the demo gives up. */
const chapterMs = 120 * 60_000;
const connections = ["anthropic", "clay", "instantly", "intercom"] as const;

/** One day at an invented company, told in the order in which it happens; every chapter waits for a state, none for a time. */
export class Story {
  readonly #parts: StoryParts;
  readonly #desk: Desk;
  readonly #hr: HrChapters;
  readonly #company: Company = exampleCompany();
  #okta: OktaSimulator | undefined;
  #entra: EntraSimulator | undefined;
  /** What did not go as it should; empty at a good end. */
  readonly complaints: string[] = [];

  constructor(parts: StoryParts) {
    this.#parts = parts;
    this.#desk = new Desk(parts);
    this.#hr = new HrChapters(parts, {
      company: this.#company,
      until: (what, reached) => this.#until(what, reached),
      complain: (text) => {
        this.complaints.push(text);
      },
    });
  }

  async play(): Promise<void> {
    await this.#connect();
    await this.#joiners();
    await this.#raisedWhileInvited();
    await this.#acceptances();
    await this.#expiredInvitation();
    await this.#mover();
    await this.#rename();
    await this.#leaver();
    await this.#hr.leaver();
    await this.#hr.rehire(this.#idp.okta);
    await this.#massRemoval();
    await this.#quiet("the end of the day");
    this.#countInvitations();
  }

  /** Whatever was lost, retried or killed: nobody gets a second invitation that says what the first one said while it was good. */
  #countInvitations(): void {
    for (const person of [...this.#company.okta.people, ...this.#company.entra.people]) {
      const all = this.#parts.vendors.invitationsOf(person.email);
      // Who came back is invited once in each of their times here.
      const before = this.#hr.invitedBefore(person.email);
      for (const invitations of [all.slice(0, before), all.slice(before)]) {
        const complaint = invitationComplaint(person.email, invitations);
        if (complaint !== undefined) this.complaints.push(complaint);
      }
    }
  }

  async #connect(): Promise<void> {
    const { operator, vendors, timeline, service, clock } = this.#parts;
    for (const [name, secret] of Object.entries(vendors.credentials)) {
      await operator.ask("PUT", `/credentials/${name}`, { secret });
    }
    timeline.tell(
      "you",
      `sealed ${String(Object.keys(vendors.credentials).length)} vendor keys; mapping files are active`,
    );
    const session = { clock, persist: true, persistWaitMs: 2_000 };
    this.#okta = new OktaSimulator({
      ...session,
      baseUrl: `${service.scimUrl}/scim/v2`,
      token: await operator.newToken("okta"),
    });
    this.#entra = new EntraSimulator({
      ...session,
      baseUrl: `${service.scimUrl}/scim/v2`,
      token: await operator.newToken("entra"),
    });
    await this.#idp.okta.testConnection();
    await this.#idp.entra.testConnection();
    timeline.tell("IdP", "Okta and Entra ID tested the connection");
  }

  get #idp(): { readonly okta: OktaSimulator; readonly entra: EntraSimulator } {
    if (this.#okta === undefined || this.#entra === undefined)
      throw new Error("the IdPs are not connected yet");
    return { okta: this.#okta, entra: this.#entra };
  }

  async #joiners(): Promise<void> {
    const { timeline, operator, vendors } = this.#parts;
    const { okta, entra } = this.#idp;
    vendors.stumble(90_000);
    vendors.loseNextInvitationAnswer();
    timeline.tell(
      "vendor",
      "Anthropic answers 429 and 503 for a while, and will lose the answer to an invitation",
    );
    const oktaLoad = async () => {
      for (const person of this.#company.okta.people) await okta.assign(person);
      for (const group of this.#company.okta.groups)
        await okta.pushGroup(group.name, group.members);
    };
    const entraLoad = async () => {
      for (const person of this.#company.entra.people) entra.addUser(person);
      for (const group of this.#company.entra.groups) entra.createGroup(group.name, group.members);
      await entra.runCycle();
    };
    await Promise.all([oktaLoad(), entraLoad()]);
    const people = this.#company.okta.people.length + this.#company.entra.people.length;
    const groups = this.#company.okta.groups.length + this.#company.entra.groups.length;
    timeline.tell("IdP", `${String(people)} joiners in ${String(groups)} groups arrived over SCIM`);
    for (const idp of ["okta", "entra"]) await operator.ask("POST", `/idps/${idp}/loaded`, {});
    timeline.tell("you", "marked both identity providers as loaded: from now on absence counts");
    await this.#quiet("everybody is invited");
    timeline.tell(
      "Rolecall",
      `${String(vendors.openInvitations().length)} invitations are out, each sent once`,
    );
  }

  /** The vendor cannot change an open invitation: one with the new role must take its place. */
  async #raisedWhileInvited(): Promise<void> {
    const { timeline, vendors } = this.#parts;
    const kalani = personNamed(this.#company, "kalani.kahale");
    await this.#idp.okta.addToGroup("Data", kalani);
    timeline.tell("IdP", "Kalani joined Data too, before accepting the invitation");
    await this.#until("the open invitation says the new role", () =>
      Promise.resolve(
        vendors
          .truth()
          .some(({ accounts }) =>
            accounts.some(
              ({ email, state, role }) =>
                email === kalani.email && state === "invited" && role === "developer",
            ),
          ),
      ),
    );
    await this.#quiet("the new invitation is noted");
    timeline.tell("Rolecall", "took the invitation back and sent one with the new role");
  }

  async #acceptances(): Promise<void> {
    const { timeline, vendors } = this.#parts;
    const late = email(this.#company, "omar.benjelloun");
    const never = [email(this.#company, "aroha.ngata"), email(this.#company, "hana.dvorakova")];
    const count = vendors.acceptInvitations(
      (address) => address !== late && !never.includes(address),
    );
    timeline.tell("vendor", `${String(count)} people accepted their invitations; three did not`);
    await this.#until(
      "workspaces follow acceptance",
      async () => !(await this.#waitsForAcceptance(late, never)),
    );
    await this.#quiet("workspace roles are in place");
    timeline.tell("Rolecall", "workspace roles followed, each for its rule");
  }

  /** Whether somebody who accepted still counts as invited. */
  async #waitsForAcceptance(late: string, never: readonly string[]): Promise<boolean> {
    for (const connection of connections) {
      const rows = await this.#parts.operator.targets(connection);
      const waiting = rows
        .filter((row) => row.code === "INVITATION_OPEN")
        .map((row) => row.emails[0] ?? "");
      if (waiting.some((address) => address !== late && !never.includes(address))) return true;
    }
    return false;
  }

  async #expiredInvitation(): Promise<void> {
    const { timeline, vendors } = this.#parts;
    const late = email(this.#company, "omar.benjelloun");
    vendors.expireInvitation(late);
    timeline.tell("vendor", "Omar's invitation expired unaccepted");
    await this.#until("the expired invitation is sent again", () =>
      Promise.resolve(vendors.openInvitations().includes(late)),
    );
    timeline.tell("Rolecall", "sent Omar a new one");
    vendors.acceptInvitations((address) => address === late);
    timeline.tell("vendor", "Omar accepted");
    await this.#until("the late one has everything", async () => {
      const row = (await this.#parts.operator.targets("anthropic")).find(
        (item) => item.emails[0] === late,
      );
      return row?.state === "idle";
    });
  }

  async #mover(): Promise<void> {
    const { timeline } = this.#parts;
    const wenjing = personNamed(this.#company, "wenjing.li");
    await this.#idp.okta.addToGroup("Data", wenjing);
    await this.#idp.okta.removeFromGroup("Engineering", wenjing);
    timeline.tell("IdP", "Wenjing moved from Engineering to Data");
    await this.#until("the mover has the new role alone", async () => {
      const row = (await this.#parts.operator.targets("anthropic")).find(
        (item) => item.emails[0] === wenjing.email,
      );
      return (
        row?.state === "idle" &&
        row.desired.every((item) => !item.because.includes("engineers-get-claude-code"))
      );
    });
    timeline.tell(
      "Rolecall",
      "gave Research first, took Staging after the 90 s debounce; at Clay a person raised the role by hand",
    );
  }

  async #rename(): Promise<void> {
    const { timeline } = this.#parts;
    await this.#idp.okta.renameGroup("Platform", "Platform and Reliability");
    timeline.tell(
      "IdP",
      "the group Platform is called Platform and Reliability now: its rules follow it, nobody's access changes",
    );
  }

  async #leaver(): Promise<void> {
    const { timeline, vendors } = this.#parts;
    const lukasz = personNamed(this.#company, "lukasz.wojcik");
    await this.#idp.okta.unassign(lukasz);
    timeline.tell(
      "IdP",
      "Łukasz left all four vendors; his account at Anthropic is older than Rolecall",
    );
    await this.#until("the leaver is out", () =>
      Promise.resolve(
        !vendors
          .truth()
          .some((truth) => truth.accounts.some((account) => account.email === lukasz.email)),
      ),
    );
    timeline.tell(
      "Rolecall",
      "removed him everywhere; an account that only looks like his is a finding, untouched",
    );
  }

  async #massRemoval(): Promise<void> {
    const { timeline, operator, vendors } = this.#parts;
    const marketing = this.#company.entra.groups.find((group) => group.name === "Marketing");
    const members = marketing?.members ?? [];
    const before = accountsOf(
      vendors,
      members.map((person) => person.email),
    );
    this.#idp.entra.removeFromGroup("Marketing", ...members);
    await this.#idp.entra.runCycle();
    timeline.tell(
      "IdP",
      `Entra ID emptied Marketing: ${String(members.length)} people would lose Instantly`,
    );
    await this.#until("the wave is held", async () =>
      (await operator.openHolds()).some(
        (hold) => hold.rail === "removals" && hold.people >= members.length,
      ),
    );
    if (
      accountsOf(
        vendors,
        members.map((person) => person.email),
      ) !== before
    ) {
      this.complaints.push("somebody of the held wave lost access before the decision");
    }
    for (const hold of await operator.openHolds()) {
      timeline.tell(
        "Rolecall",
        `held: ${String(hold.people)} people on the ${hold.rail} rail, ${String(hold.allowance)} pass without a decision; nothing was written`,
      );
      await operator.ask("POST", `/holds/${hold.holdId}/decision`, {
        decision: "approve",
        why: "marketing moves to another tool",
      });
      timeline.tell("you", "approved the batch");
    }
    await this.#until("the approved wave is done", () =>
      Promise.resolve(
        accountsOf(
          vendors,
          members.map((person) => person.email),
        ) === 0,
      ),
    );
    timeline.tell("Rolecall", "carried it out");
  }

  async #quiet(what: string): Promise<void> {
    await this.#until(
      what,
      async () => (await this.#desk.work()) && this.#parts.operator.isQuiet(connections),
    );
  }

  /** Waits for a state. @throws Error that names it when it does not come in story time */
  async #until(what: string, reached: () => Promise<boolean>): Promise<void> {
    const { clock, service, operator, timeline } = this.#parts;
    const end = clock.now() + chapterMs;
    while (!(await reached())) {
      service.assertAlive();
      if (clock.now() > end)
        throw new Error(
          `${what}: did not happen within ${String(chapterMs / 60_000)} story minutes`,
        );
      await this.#desk.work();
      timeline.status(await operator.summary());
      await clock.sleep(5_000);
    }
  }
}

function email(company: Company, login: string): string {
  return personNamed(company, login).email;
}

function accountsOf(vendors: DemoVendors, emails: readonly string[]): number {
  return vendors
    .truth()
    .reduce(
      (sum, truth) =>
        sum + truth.accounts.filter((account) => emails.includes(account.email)).length,
      0,
    );
}
