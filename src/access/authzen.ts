// OpenID Authorization API 1.0 (AuthZEN), as of 2026-08: https://openid.net/specs/authorization-api-1_0.html
import { z } from "zod";

const properties = z.record(z.string(), z.json()).optional();
/** A request may carry more than one decision needs; what is unknown is ignored (§ "JSON Serialization"). */
const text = z.string().min(1).max(2_048);

export const subjectSchema = z.object({ type: text, id: text, properties });
export const resourceSchema = z.object({ type: text, id: text, properties });
export const actionSchema = z.object({ name: text, properties });
const context = z.record(z.string(), z.json());

/** § "Access Evaluation API Request". */
export const evaluationRequest = z.object({
  subject: subjectSchema,
  action: actionSchema,
  resource: resourceSchema,
  context: context.optional(),
});
export type EvaluationRequest = z.infer<typeof evaluationRequest>;

const semantics = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"] as const;
export type EvaluationsSemantic = (typeof semantics)[number];

/** Evaluations of one request; more is a mistake or an attack. */
export const evaluationsMax = 1_000;

/** § "Access Evaluations API Request": defaults, and what each evaluation says instead. A part that is nowhere is that evaluation's fault. */
export const evaluationsRequest = evaluationRequest.partial().extend({
  evaluations: z
    .array(z.record(z.string(), z.json()))
    .max(evaluationsMax, `at most ${String(evaluationsMax)} evaluations at once`)
    .optional(),
  options: z.looseObject({ evaluations_semantic: z.enum(semantics).optional() }).optional(),
});
export type EvaluationsRequest = z.infer<typeof evaluationsRequest>;

/** § "Decision". */
export const decisionSchema = z.object({ decision: z.boolean(), context: context.optional() });
export type Decision = z.infer<typeof decisionSchema>;

/** § "Access Evaluations API Response". */
export const evaluationsResponse = z.object({ evaluations: z.array(decisionSchema) });

/** § "Policy Decision Point Metadata", the parameters of what is served here and of what others serve. */
export const metadataSchema = z.object({
  policy_decision_point: z.url(),
  access_evaluation_endpoint: z.url(),
  access_evaluations_endpoint: z.url().optional(),
  search_subject_endpoint: z.url().optional(),
  search_resource_endpoint: z.url().optional(),
  search_action_endpoint: z.url().optional(),
  capabilities: z.array(z.string()).optional(),
  signed_metadata: z.string().optional(),
});
export type PdpMetadata = z.infer<typeof metadataSchema>;

export const metadataPath = "/.well-known/authzen-configuration";

/** What this service says of itself. @param publicUrl its public base, without a trailing slash or with one */
export function pdpMetadata(publicUrl: string): PdpMetadata {
  const base = publicUrl.replace(/\/+$/, "");
  return {
    policy_decision_point: base,
    access_evaluation_endpoint: `${base}/access/v1/evaluation`,
    access_evaluations_endpoint: `${base}/access/v1/evaluations`,
  };
}
