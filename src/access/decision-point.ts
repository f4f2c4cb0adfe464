import type { Clock } from "../model/clock.ts";
import { asId, isName, type ConnectionId, type IdentityId, type TenantId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import type { Metrics } from "../model/log.ts";
import type { AccessStore, AccessSubject, SubjectKey } from "./access-store.ts";
import {
  evaluationRequest,
  type Decision,
  type EvaluationRequest,
  type EvaluationsRequest,
} from "./authzen.ts";
import { decide, type Question, type Verdict } from "./decide.ts";
import type { Matrices } from "./matrices.ts";

export interface DecisionPointDeps {
  readonly store: AccessStore;
  readonly matrices: Pick<Matrices, "read">;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** The people of one request, each read once in it and never beyond it. */
type Readings = Map<string, Promise<readonly AccessSubject[]>>;

/**
 * Answers AuthZEN questions from the rows as they are. Resources: `{ type: "connection", id: NAME }`, or anything with
 * `properties.connection`; where its type is a kind of the connector (`workspace`), roles at other objects of that kind do not count.
 * Subjects: `user` by address or userName, `identity` by the person's id here.
 */
export class DecisionPoint {
  readonly #deps: DecisionPointDeps;

  constructor(deps: DecisionPointDeps) {
    this.#deps = deps;
  }

  /** @throws StoreError where the rows cannot be read: whoever asks must not let anybody in */
  evaluate(tenantId: TenantId, request: EvaluationRequest): Promise<Decision> {
    return this.#one(tenantId, request, new Map());
  }

  /** In the order of the request; short where the semantic ends early. @throws StoreError */
  async evaluateAll(tenantId: TenantId, request: EvaluationsRequest): Promise<readonly Decision[]> {
    const { evaluations = [], options, ...defaults } = request;
    const semantic = options?.evaluations_semantic ?? "execute_all";
    const readings: Readings = new Map();
    const decisions: Decision[] = [];
    for (const own of evaluations) {
      const whole = evaluationRequest.safeParse({ ...defaults, ...own });
      const decision = whole.success
        ? await this.#one(tenantId, whole.data, readings)
        : unreadable(whole.error.issues[0]);
      decisions.push(decision);
      if (semantic === "deny_on_first_deny" && !decision.decision) break;
      if (semantic === "permit_on_first_permit" && decision.decision) break;
    }
    return decisions;
  }

  async #one(
    tenantId: TenantId,
    request: EvaluationRequest,
    readings: Readings,
  ): Promise<Decision> {
    const { store, matrices, clock, metrics } = this.#deps;
    const question = questionOf(request);
    const key = subjectKey(request.subject);
    const matrix =
      question.connectionId === undefined
        ? undefined
        : (await matrices.read(tenantId)).get(question.connectionId);
    const people =
      key === undefined ? [] : await reading(readings, key, () => store.readAccess(tenantId, key));
    const verdict = decide(people, matrix, question, clock.now());
    metrics.count("rolecall_access_decisions_total", {
      decision: verdict.allowed ? "permit" : "deny",
      reason: verdict.reason,
    });
    return { decision: verdict.allowed, context: told(verdict, question) };
  }
}

function reading(
  readings: Readings,
  key: SubjectKey,
  read: () => Promise<readonly AccessSubject[]>,
): Promise<readonly AccessSubject[]> {
  const name = JSON.stringify(key);
  const known = readings.get(name);
  if (known !== undefined) return known;
  const people = read();
  readings.set(name, people);
  return people;
}

function subjectKey({ type, id }: EvaluationRequest["subject"]): SubjectKey | undefined {
  if (id.includes("\0") || !id.isWellFormed()) return undefined;
  if (type === "user") return { name: id };
  return type === "identity" ? { identityId: asId<IdentityId>(id.toLowerCase()) } : undefined;
}

function questionOf({ resource, action }: EvaluationRequest): Question {
  const connection =
    resource.type === "connection" ? resource.id : textOf(resource.properties?.["connection"]);
  const asked = action.properties?.["max_tokens"];
  return {
    connectionId:
      connection !== undefined && isName(connection) ? asId<ConnectionId>(connection) : undefined,
    permission: action.name,
    object: resource.type === "connection" ? undefined : { kind: resource.type, id: resource.id },
    model: textOf(action.properties?.["model"]),
    maxTokens:
      typeof asked === "number" && Number.isSafeInteger(asked) && asked > 0 ? asked : undefined,
  };
}

const textOf = (value: Json | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

/** The context of an answer; names as they are on the wire. */
function told(verdict: Verdict, question: Question): NonNullable<Decision["context"]> {
  const { limits, role, maxTokens } = verdict;
  const limited = {
    ...(limits?.models === undefined ? {} : { models: [...limits.models] }),
    ...(limits?.maxTokens === undefined ? {} : { max_tokens: limits.maxTokens }),
    ...(limits?.requestsPerMinute === undefined
      ? {}
      : { requests_per_minute: limits.requestsPerMinute }),
  };
  return {
    reason: verdict.reason,
    message: verdict.message,
    permission: question.permission,
    ...(question.connectionId === undefined ? {} : { connection: question.connectionId }),
    ...(role === undefined ? {} : { role }),
    ...(Object.keys(limited).length === 0 ? {} : { limits: limited }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
}

function unreadable(
  issue: { readonly path: readonly PropertyKey[]; readonly message: string } | undefined,
): Decision {
  const message = `${(issue?.path ?? []).map(String).join(".")}: ${issue?.message ?? "is missing"}`;
  return { decision: false, context: { error: { status: 400, message } } };
}
