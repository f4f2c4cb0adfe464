import { z } from "zod";
import { controlAction } from "../control-surface.ts";
import type { ControlAction } from "../control-surface.ts";
import { withoutUndefined } from "../simulated-api.ts";
import type { InstantlyControl } from "./control.ts";
import { resourceTypeSchema, settingsSchema } from "./truth.ts";
import { memberRoles, scopes } from "./vocabulary.ts";

const email = z.email();
const role = z.enum(memberRoles);
const workspaceId = z.string().optional();
const name = z.strictObject({ first: z.string(), last: z.string() }).optional();

/** The methods of `InstantlyControl` as `POST /__control/<name>` with a JSON body. */
export function instantlyActions(control: InstantlyControl): Record<string, ControlAction> {
  return {
    "seed-member": controlAction(
      z.strictObject({
        workspaceId,
        email,
        role: role.optional(),
        accepted: z.boolean().optional(),
        userEmail: email.optional(),
        name,
      }),
      (input) => control.seedMember(withoutUndefined(input)),
    ),
    "accept-invite": controlAction(
      z.strictObject({ workspaceId, email, name, userEmail: email.optional() }),
      (input) => control.acceptInvite(withoutUndefined(input)),
    ),
    "remove-member": controlAction(z.strictObject({ workspaceId, email }), (input) => {
      control.removeMember(withoutUndefined(input));
    }),
    "set-role": controlAction(z.strictObject({ workspaceId, email, role }), (input) =>
      control.setRole(withoutUndefined(input)),
    ),
    "add-workspace": controlAction(
      z.strictObject({ name: z.string().min(1), ownerEmail: email }),
      ({ name: title, ownerEmail }) => {
        const { securityToken: _token, ...rest } = control.addWorkspace({
          name: title,
          ownerEmail,
        });
        return rest;
      },
    ),
    "set-organization": controlAction(
      z.strictObject({ id: z.string().min(1), name: z.string().min(1) }),
      (input) => {
        control.setOrganization(input.id, input.name);
      },
    ),
    "add-key": controlAction(
      z.strictObject({
        workspaceId,
        name: z.string(),
        scopes: z.array(z.enum(scopes)),
        secret: z.string().min(1).optional(),
      }),
      (input) => control.addKey(withoutUndefined(input)),
    ),
    "revoke-key": controlAction(z.strictObject({ key: z.string().optional() }), (input) => {
      control.revokeKey(input.key);
    }),
    "set-paid": controlAction(z.strictObject({ paid: z.boolean(), workspaceId }), (input) => {
      control.setPaid(input.paid, input.workspaceId);
    }),
    "answer-group-invite": controlAction(
      z.strictObject({ id: z.string(), answer: z.enum(["accepted", "rejected"]) }),
      (input) => control.answerGroupInvite(input.id, input.answer),
    ),
    "seed-resource": controlAction(
      z.strictObject({
        workspaceId,
        id: z.string().min(1),
        type: resourceTypeSchema,
        name: z.string().optional(),
        owner: z.email().optional(),
      }),
      (input) => {
        control.seedResource(withoutUndefined(input));
      },
    ),
    "security-token": controlAction(z.strictObject({ workspaceId }), (input) => ({
      securityToken: control.securityToken(input.workspaceId),
    })),
    "change-settings": controlAction(settingsSchema.partial(), (input) =>
      control.changeSettings(withoutUndefined(input)),
    ),
    counts: controlAction(z.strictObject({}), () => control.counts()),
  };
}
