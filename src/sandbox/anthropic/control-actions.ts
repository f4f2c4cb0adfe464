import { z } from "zod";
import { controlAction } from "../control-surface.ts";
import type { ControlAction } from "../control-surface.ts";
import { withoutUndefined } from "../simulated-api.ts";
import type { AnthropicControl } from "./control.ts";
import { keyClassSchema, scopes } from "./key-class.ts";
import { orgRoles, settingsSchema, workspaceRoles } from "./truth.ts";

const email = z.email();
const role = z.enum(orgRoles);
const workspace = z.string().min(1);
const byEmail = z.strictObject({ email });

/** The methods of `AnthropicControl` as `POST /__control/<name>` with a JSON body. */
export function anthropicActions(control: AnthropicControl): Record<string, ControlAction> {
  return {
    "seed-user": controlAction(
      z.strictObject({ email, name: z.string().optional(), role: role.optional() }),
      (input) => control.seedUser(withoutUndefined(input)),
    ),
    "seed-invite": controlAction(
      z.strictObject({ email, role: role.optional(), invitedAt: z.int().optional() }),
      (input) => control.seedInvite(withoutUndefined(input)),
    ),
    "accept-invite": controlAction(
      z.strictObject({ email, name: z.string().optional() }),
      (input) => control.acceptInvite(input.email, input.name),
    ),
    "expire-invite": controlAction(byEmail, (input) => control.expireInvite(input.email)),
    "remove-user": controlAction(byEmail, (input) => {
      control.removeUser(input.email);
    }),
    "set-user-role": controlAction(z.strictObject({ email, role }), (input) =>
      control.setUserRole(input.email, input.role),
    ),
    "add-workspace": controlAction(z.strictObject({ name: workspace }), (input) =>
      control.addWorkspace(input.name),
    ),
    "archive-workspace": controlAction(z.strictObject({ workspace }), (input) =>
      control.archiveWorkspace(input.workspace),
    ),
    "set-member": controlAction(
      z.strictObject({ workspace, email, role: z.enum(workspaceRoles) }),
      (input) => {
        control.setMember(input.workspace, input.email, input.role);
      },
    ),
    "set-rate-limit": controlAction(
      z.strictObject({ workspace, group: z.string(), limiter: z.string(), value: z.int().min(0) }),
      (input) => {
        control.setRateLimit(input.workspace, input.group, input.limiter, input.value);
      },
    ),
    "remove-member": controlAction(z.strictObject({ workspace, email }), (input) => {
      control.removeMember(input.workspace, input.email);
    }),
    "seed-api-key": controlAction(
      z.strictObject({
        name: z.string().min(1),
        createdBy: email.optional(),
        workspace: workspace.optional(),
        personal: z.boolean().optional(),
        expiresAt: z.int().optional(),
      }),
      (input) => control.seedApiKey(withoutUndefined(input)),
    ),
    "add-group": controlAction(
      z.strictObject({
        name: z.string().min(1),
        source: z.enum(["direct", "scim"]).optional(),
        grantsOwner: z.boolean().optional(),
      }),
      (input) => control.addGroup(withoutUndefined(input)),
    ),
    "set-organization": controlAction(
      z.strictObject({ id: z.string().min(1), name: z.string().min(1) }),
      (input) => {
        control.setOrganization(input.id, input.name);
      },
    ),
    "add-key": controlAction(
      z.strictObject({
        keyClass: keyClassSchema,
        scopes: z.array(z.enum(scopes)).optional(),
        secret: z.string().min(1).optional(),
      }),
      (input) => control.addKey(withoutUndefined(input)),
    ),
    "revoke-key": controlAction(z.strictObject({ key: z.string().optional() }), (input) => {
      control.revokeKey(input.key);
    }),
    "set-scim-on": controlAction(z.strictObject({ on: z.boolean() }), (input) => {
      control.setScimOn(input.on);
    }),
    "change-settings": controlAction(settingsSchema.partial(), (input) =>
      control.changeSettings(withoutUndefined(input)),
    ),
    counts: controlAction(z.strictObject({}), () => control.counts()),
  };
}
