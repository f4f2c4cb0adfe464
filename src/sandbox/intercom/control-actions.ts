import { z } from "zod";
import { controlAction } from "../control-surface.ts";
import type { ControlAction } from "../control-surface.ts";
import { withoutUndefined } from "../simulated-api.ts";
import type { IntercomControl } from "./control.ts";
import { settingsSchema } from "./truth.ts";
import { scopes, ticketCategories } from "./vocabulary.ts";

const email = z.email();
const role = z.string().min(1).optional();
const names = z.array(z.string().min(1)).optional();
const nothing = z.strictObject({});

/** The methods of `IntercomControl` as `POST /__control/<name>` with a JSON body. */
export function intercomActions(control: IntercomControl): Record<string, ControlAction> {
  return { ...peopleActions(control), ...teamActions(control), ...appActions(control) };
}

function peopleActions(control: IntercomControl): Record<string, ControlAction> {
  return {
    "seed-admin": controlAction(
      z.strictObject({ email, name: z.string().optional(), role }),
      (input) => control.seedAdmin(withoutUndefined(input)),
    ),
    invite: controlAction(z.strictObject({ email, role }), (input) => {
      control.invite(withoutUndefined(input));
    }),
    "accept-invite": controlAction(z.strictObject({ email }), (input) =>
      control.acceptInvite(input.email),
    ),
    "revoke-invite": controlAction(z.strictObject({ email }), (input) => {
      control.revokeInvite(input.email);
    }),
    "set-role": controlAction(z.strictObject({ email, role }), (input) =>
      control.setRole(input.email, input.role),
    ),
    "add-role": controlAction(z.strictObject({ name: z.string().min(1) }), ({ name }) =>
      control.addRole(name),
    ),
    "set-seat": controlAction(z.strictObject({ email, inboxSeat: z.boolean() }), (input) =>
      control.setSeat(input.email, input.inboxSeat),
    ),
    "remove-admin": controlAction(z.strictObject({ email }), (input) => {
      control.removeAdmin(input.email);
    }),
    exclude: controlAction(z.strictObject({ email, excluded: z.boolean().optional() }), (input) => {
      control.exclude(input.email, input.excluded);
    }),
    "set-inheritor": controlAction(z.strictObject({ email }), (input) => {
      control.setInheritor(input.email);
    }),
    counts: controlAction(nothing, () => control.counts()),
  };
}

function teamActions(control: IntercomControl): Record<string, ControlAction> {
  return {
    "add-team": controlAction(
      z.strictObject({
        name: z.string().min(1),
        method: z.enum(["manual", "round_robin", "load_balanced"]).optional(),
        emails: z.array(email).optional(),
      }),
      (input) => control.addTeam(withoutUndefined(input)),
    ),
    "rename-team": controlAction(
      z.strictObject({ id: z.string(), name: z.string().min(1) }),
      ({ id, name }) => control.renameTeam(id, name),
    ),
    "remove-team": controlAction(z.strictObject({ id: z.string() }), ({ id }) => {
      control.removeTeam(id);
    }),
    "set-team-member": controlAction(
      z.strictObject({ id: z.string(), email, member: z.boolean() }),
      (input) => control.setTeamMember(input.id, input.email, input.member),
    ),
    "partly-apply-next": controlAction(nothing, () => {
      control.partlyApplyNext();
    }),
    "seed-conversation": controlAction(
      z.strictObject({
        assignee: email.optional(),
        teamId: z.string().optional(),
        state: z.enum(["open", "closed", "snoozed"]).optional(),
        title: z.string().optional(),
        tags: names,
        topics: names,
      }),
      (input) => control.seedConversation(withoutUndefined(input)),
    ),
    "add-ticket-type": controlAction(z.strictObject({ name: z.string().min(1) }), ({ name }) =>
      control.addTicketType(name),
    ),
    "set-ticket": controlAction(
      z.strictObject({
        id: z.string(),
        category: z.enum(ticketCategories).optional(),
        open: z.boolean().optional(),
      }),
      ({ id, ...change }) => control.setTicket(id, withoutUndefined(change)),
    ),
    "remove-ticket": controlAction(z.strictObject({ id: z.string() }), ({ id }) => {
      control.removeTicket(id);
    }),
    "add-away-reason": controlAction(
      z.strictObject({ label: z.string().min(1), deleted: z.boolean().optional() }),
      (input) => control.addAwayReason(input.label, input.deleted),
    ),
  };
}

function appActions(control: IntercomControl): Record<string, ControlAction> {
  return {
    "add-token": controlAction(
      z.strictObject({ email: email.optional(), scopes: z.array(z.enum(scopes)).optional() }),
      (input) => control.addToken(withoutUndefined(input)),
    ),
    "revoke-token": controlAction(z.strictObject({ token: z.string().optional() }), (input) => {
      control.revokeToken(input.token);
    }),
    authorize: controlAction(
      z.strictObject({ redirectUri: z.string().optional(), email: email.optional() }),
      (input) => control.authorize(withoutUndefined(input)),
    ),
    app: controlAction(nothing, () => control.app()),
    "set-redirect-uris": controlAction(
      z.strictObject({ redirectUris: z.array(z.string()) }),
      (input) => {
        control.setRedirectUris(input.redirectUris);
      },
    ),
    "set-workspace": controlAction(
      z.strictObject({ id: z.string().min(1), name: z.string().min(1) }),
      (input) => {
        control.setWorkspace(input.id, input.name);
      },
    ),
    "change-settings": controlAction(settingsSchema.partial(), (input) =>
      control.changeSettings(withoutUndefined(input)),
    ),
  };
}
