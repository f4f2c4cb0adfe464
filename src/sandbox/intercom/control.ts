import { InputError } from "../../model/errors.ts";
import { foldEmail } from "../../model/fold.ts";
import type { Clock, Instant } from "../../model/clock.ts";
import type { SimulatedVendor } from "../simulated-vendor.ts";
import { uuid } from "../simulated-id.ts";
import { putConversation } from "./conversations.ts";
import type { Caller } from "./route.ts";
import { adminByEmail, nextId, putActivity, putAdmin, removeAdmin, secretOf } from "./truth.ts";
import type { Admin, Conversation, Settings, Team, Token, Truth } from "./truth.ts";
import { changeTicket } from "./tickets.ts";
import {
  scopes,
  undocumentedActivity,
  type ActivityType,
  type Scope,
  type TicketCategory,
} from "./vocabulary.ts";

/**
 * What the vendor's people and its users do in the settings. Each change is saved before the method returns, and writes the activity that the
 * vendor would write. Every method throws InputError where what it names is not there.
 */
export class IntercomControl {
  readonly #vendor: SimulatedVendor<Truth, Caller>;
  readonly #clock: Clock;

  constructor(vendor: SimulatedVendor<Truth, Caller>) {
    this.#vendor = vendor;
    this.#clock = vendor.clock;
  }

  /** A teammate who is simply there. */
  seedAdmin(admin: {
    readonly email: string;
    readonly name?: string;
    readonly role?: string;
  }): Admin {
    return this.#change((truth) => {
      if (adminByEmail(truth, admin.email) !== undefined) {
        throw new InputError(`${admin.email} is a teammate already`, []);
      }
      const roleId = admin.role === undefined ? null : roleOf(truth, admin.role).id;
      const name = admin.name ?? admin.email.split("@")[0] ?? "";
      return putAdmin(truth, this.#clock, { email: admin.email, name, roleId });
    });
  }

  /** Settings > Teammates > Add new. The invitation is in no API. */
  invite(input: { readonly email: string; readonly role?: string }): void {
    this.#change((truth) => {
      const roleId = input.role === undefined ? null : roleOf(truth, input.role).id;
      truth.invites.push({ email: input.email, roleId });
      this.#log(truth, "admin_invite_creation", `${input.email} was invited`);
    });
  }

  acceptInvite(email: string): Admin {
    return this.#change((truth) => {
      const invite = takeInvite(truth, email);
      const name = email.split("@")[0] ?? "";
      const admin = putAdmin(truth, this.#clock, { ...invite, name });
      this.#log(truth, "app_admin_join", `${name} joined`, { admin_id: admin.id });
      return admin;
    });
  }

  revokeInvite(email: string): void {
    this.#change((truth) => {
      takeInvite(truth, email);
      this.#log(truth, "admin_invite_deletion", `The invitation of ${email} was revoked`);
    });
  }

  /** Absent: the teammate has no named role any more, but may have permissions ticked by hand. */
  setRole(email: string, role?: string): Admin {
    return this.#change((truth) => {
      const admin = adminOf(truth, email);
      admin.roleId = role === undefined ? null : roleOf(truth, role).id;
      this.#log(truth, "admin_permission_change", `${admin.name} got other permissions`, {
        admin_id: admin.id,
      });
      return admin;
    });
  }

  addRole(name: string): { id: string; name: string } {
    return this.#change((truth) => {
      const made = { id: nextId(truth), name };
      truth.roles.push(made);
      this.#log(truth, "role_creation", `The role ${name} was made`);
      return made;
    });
  }

  setSeat(email: string, inboxSeat: boolean): Admin {
    return this.#change((truth) => {
      const admin = adminOf(truth, email);
      const used = truth.admins.filter((each) => each.inboxSeat).length;
      if (inboxSeat && !admin.inboxSeat && used >= truth.settings.seats) {
        throw new InputError("Every paid seat is taken", []);
      }
      admin.inboxSeat = inboxSeat;
      this.#log(truth, "seat_change", `${admin.name} got another seat`, { admin_id: admin.id });
      return admin;
    });
  }

  /** Settings > Teammates > Remove. */
  removeAdmin(email: string): void {
    this.#change((truth, now) => {
      const admin = adminOf(truth, email);
      removeAdmin(truth, admin, now);
      this.#log(truth, "admin_deletion", `${admin.name} was removed`, { admin_id: admin.id });
    });
  }

  /** Settings > SCIM: never deprovisioned, whatever the identity provider says. */
  exclude(email: string, excluded = true): void {
    this.#change((truth) => {
      adminOf(truth, email).excluded = excluded;
    });
  }

  /** Who gets what removed teammates had. */
  setInheritor(email: string): void {
    this.#change((truth) => {
      truth.inheritorId = adminOf(truth, email).id;
    });
  }

  addTeam(team: {
    readonly name: string;
    readonly method?: Team["method"];
    readonly emails?: readonly string[];
  }): Team {
    return this.#change((truth) => {
      const method = team.method ?? "round_robin";
      const made: Team = {
        id: nextId(truth),
        name: team.name,
        method,
        assignmentLimit: method === "load_balanced" ? 10 : null,
        adminIds: (team.emails ?? []).map((email) => adminOf(truth, email).id),
        secondaryIds: [],
      };
      truth.teams.push(made);
      this.#log(truth, "app_team_creation", `The team ${team.name} was made`);
      return made;
    });
  }

  renameTeam(id: string, name: string): Team {
    return this.#change((truth) => {
      const team = teamOf(truth, id);
      team.name = name;
      return team;
    });
  }

  removeTeam(id: string): void {
    this.#change((truth) => {
      const team = teamOf(truth, id);
      truth.teams = truth.teams.filter((each) => each !== team);
      this.#log(truth, "app_team_deletion", `The team ${team.name} was deleted`);
    });
  }

  /** Somebody joins or leaves a team by hand. */
  setTeamMember(id: string, email: string, member: boolean): Team {
    return this.#change((truth) => {
      const team = teamOf(truth, id);
      const admin = adminOf(truth, email);
      const others = team.adminIds.filter((each) => each !== admin.id);
      team.adminIds = member ? [...others, admin.id] : others;
      if (!member) team.secondaryIds = team.secondaryIds.filter((each) => each !== admin.id);
      this.#log(truth, "app_team_membership_modification", `${team.name} got other members`, {
        team: { id: team.id, name: team.name },
      });
      return team;
    });
  }

  seedConversation(input: {
    readonly assignee?: string;
    readonly teamId?: string;
    readonly state?: Conversation["state"];
    readonly title?: string;
    readonly tags?: readonly string[];
    readonly topics?: readonly string[];
  }): Conversation {
    return this.#change((truth, now) => {
      const { assignee, teamId, ...rest } = input;
      return putConversation(truth, now, {
        ...rest,
        adminAssigneeId: assignee === undefined ? null : adminOf(truth, assignee).id,
        teamAssigneeId: teamId ?? null,
      });
    });
  }

  /** Settings > Tickets: a type, with a contact whom its tickets can be about. */
  addTicketType(name: string): { typeId: string; contactId: string } {
    return this.#change((truth) => {
      const typeId = nextId(truth);
      truth.ticketTypes.push({ id: typeId, name });
      const contactId = uuid(this.#clock).replaceAll("-", "").slice(0, 24);
      truth.contacts.push({ id: contactId, externalId: `${name} contact` });
      return { typeId, contactId };
    });
  }

  /** A teammate moves a ticket on in the Inbox. */
  setTicket(id: string, change: { readonly category?: TicketCategory; readonly open?: boolean }) {
    return this.#change((truth, now) => {
      const ticket = truth.tickets.find((each) => each.id === id);
      if (ticket === undefined) throw new InputError(`There is no ticket ${id}`, []);
      changeTicket(ticket, now, change);
      return ticket;
    });
  }

  removeTicket(id: string): void {
    this.#change((truth) => {
      truth.tickets = truth.tickets.filter((each) => each.id !== id);
    });
  }

  addAwayReason(label: string, deleted = false): { id: number; label: string } {
    return this.#change((truth, now) => {
      const made = { id: Number(nextId(truth)), label, deleted, createdAt: now };
      truth.awayReasons.push(made);
      return made;
    });
  }

  /** A token that acts for a teammate; absent: for the first one, with every scope. */
  addToken(input: { readonly email?: string; readonly scopes?: readonly Scope[] } = {}): Token {
    return this.#change((truth) => {
      const admin = input.email === undefined ? truth.admins[0] : adminOf(truth, input.email);
      const made: Token = {
        token: secretOf(this.#clock),
        adminId: admin?.id ?? "",
        scopes: [...(input.scopes ?? scopes)],
        revoked: false,
      };
      truth.tokens.push(made);
      return made;
    });
  }

  /** One token, or all: what "Regenerate token" and an uninstallation do. */
  revokeToken(token?: string): void {
    this.#change((truth) => {
      const found = truth.tokens.filter((each) => token === undefined || each.token === token);
      if (found.length === 0) throw new InputError("There is no such token to revoke", []);
      for (const each of found) each.revoked = true;
      this.#log(truth, "app_package_token_regeneration", "A token was made anew");
    });
  }

  /** Somebody clicks "Authorize": the code that goes back with the browser. */
  authorize(input: { readonly redirectUri?: string; readonly email?: string }): { code: string } {
    return this.#change((truth) => {
      const { redirectUris } = truth.app;
      if (input.redirectUri !== undefined && !redirectUris.includes(input.redirectUri)) {
        throw new InputError("The redirect URI is not one of the app's", [...redirectUris]);
      }
      const admin = input.email === undefined ? truth.admins[0] : adminOf(truth, input.email);
      const code = uuid(this.#clock);
      truth.app.codes[code] = admin?.id ?? "";
      return { code };
    });
  }

  /** What the Developer Hub shows of the app. */
  app(): { clientId: string; clientSecret: string } {
    const { clientId, clientSecret } = this.#vendor.truth.app;
    return { clientId, clientSecret };
  }

  setRedirectUris(redirectUris: readonly string[]): void {
    this.#change((truth) => {
      truth.app.redirectUris = [...redirectUris];
    });
  }

  /** The next write of team members is applied in part and refused with 409. */
  partlyApplyNext(): void {
    this.#change((truth) => {
      truth.partlyApply = true;
    });
  }

  /** The workspace gets another id and name, as if the token belonged to another one all along. */
  setWorkspace(idCode: string, name: string): void {
    this.#change((truth) => {
      truth.workspace = { ...truth.workspace, idCode, name };
    });
  }

  changeSettings(settings: Partial<Settings>): Settings {
    return this.#change((truth) => {
      truth.settings = { ...truth.settings, ...settings };
      return truth.settings;
    });
  }

  counts(): { members: number; pendingInvites: number; teams: number; openConversations: number } {
    const { admins, invites, teams, conversations } = this.#vendor.truth;
    return {
      members: admins.length,
      pendingInvites: invites.length,
      teams: teams.length,
      openConversations: conversations.filter((each) => each.state !== "closed").length,
    };
  }

  #log(
    truth: Truth,
    type: ActivityType,
    description: string,
    metadata: Record<string, unknown> = {},
  ): void {
    const byId = truth.admins[0]?.id ?? "";
    putActivity(truth, this.#clock, { type, description, byId, metadata });
    if (!truth.settings.undocumentedActivity) return;
    putActivity(truth, this.#clock, {
      type: undocumentedActivity,
      description: "Something new was changed",
      byId,
    });
  }

  /** Answers a copy, so that nobody edits the truth from outside. */
  #change<T>(edit: (truth: Truth, now: Instant) => T): T {
    return structuredClone(this.#vendor.change(edit));
  }
}

function adminOf(truth: Truth, email: string): Admin {
  const found = adminByEmail(truth, email);
  if (found === undefined) throw new InputError(`There is no teammate ${foldEmail(email)}`, []);
  return found;
}

function teamOf(truth: Truth, id: string): Team {
  const found = truth.teams.find((each) => each.id === id);
  if (found === undefined) throw new InputError(`There is no team ${id}`, []);
  return found;
}

function roleOf(truth: Truth, name: string): { id: string; name: string } {
  const found = truth.roles.find((each) => each.name === name);
  if (found === undefined) {
    throw new InputError(`There is no role ${name}; there are`, [
      ...truth.roles.map((role) => role.name),
    ]);
  }
  return found;
}

function takeInvite(truth: Truth, email: string): Truth["invites"][number] {
  const found = truth.invites.find((each) => foldEmail(each.email) === foldEmail(email));
  if (found === undefined) throw new InputError(`There is no invitation of ${email}`, []);
  truth.invites = truth.invites.filter((each) => each !== found);
  return found;
}
