import { howKnown, type Trust } from "../accounts/trust.ts";
import type { PersonState } from "../accounts/account-store.ts";
import { explainEvaluation } from "../mapping/evaluate.ts";
import type { DesiredState, RuleTrace } from "../model/assignment.ts";
import {
  employmentAt,
  presenceAt,
  employmentForAll,
  type Employment,
  type Presence,
} from "../model/employment.ts";
import type { IdentityFacts } from "../model/identity.ts";
import type { ConnectionId, IdentityId, TenantId } from "../model/ids.ts";
import type { ObjectRef } from "../model/entitlement.ts";
import { fold } from "../model/fold.ts";
import { accountKindOf, planTarget } from "../plan/plan.ts";
import { renderPlan } from "../plan/render.ts";
import type { Finding } from "../accounts/finding.ts";
import { exceptionsFor, wishOf } from "./recompute.ts";
import type { SyncDeps } from "./sync-deps.ts";
import { worldOf, Worlds, type ConnectionWorld } from "./world.ts";

/** Why one person has what they have, everywhere: rules, wish, what the vendor showed, what waits. */
export interface Explanation {
  readonly person: {
    readonly identityId: IdentityId;
    readonly active: boolean;
    readonly userName: string;
    readonly displayName: string;
    readonly emails: readonly string[];
    readonly groups: readonly { readonly groupId: string; readonly displayName: string }[];
    readonly sources: IdentityFacts["sources"];
    /** Where the person stands, whatever each source says. */
    readonly presence: Presence;
    /** By HR; null: HR knows nothing. A planned leave shows to the role `hr` alone. */
    readonly employment: Employment | null;
  };
  readonly connections: readonly ConnectionExplanation[];
}

export interface ConnectionExplanation {
  readonly connectionId: ConnectionId;
  readonly mode: string;
  readonly mappingVersion: string;
  readonly rules: readonly RuleTrace[];
  readonly desired: DesiredState;
  /** Names of the vendor's objects by id, of those that the wish and the account speak of. */
  readonly objectNames: Readonly<Record<string, string>>;
  readonly observed: {
    readonly accountId: string;
    readonly state: string;
    readonly role: string;
    readonly grants: readonly {
      readonly kind: string;
      readonly objectId: string;
      /** What the vendor calls the object; null where it has none or was not read. */
      readonly objectName: string | null;
      readonly role: string;
      readonly implicit: boolean;
    }[];
    readonly readAt: number;
  } | null;
  readonly link: {
    readonly accountId: string;
    readonly origin: string;
    readonly since: number;
  } | null;
  readonly ledger: readonly {
    readonly kind: string;
    readonly objectId: string;
    readonly role: string;
    readonly origin: string;
  }[];
  readonly target: {
    readonly state: string;
    readonly reason: string | null;
    readonly code: string | null;
    readonly dueAt: number | null;
    readonly generation: number;
    readonly appliedGeneration: number;
    readonly verifiedAt: number | null;
    readonly trust: Trust | null;
    readonly taskId: string | null;
  } | null;
  readonly waiting: readonly {
    readonly slot: string;
    readonly rail: string;
    readonly state: string;
    readonly notBefore: number;
    readonly holdId: string | null;
  }[];
  readonly plan: readonly string[];
  readonly findings: readonly Pick<Finding, "kind" | "severity" | "text">[];
}

/** What would give a wanted thing, rule by rule, and what stands in the way. */
export interface WantAnswer {
  readonly connectionId: ConnectionId;
  readonly thing: string;
  readonly has: boolean;
  readonly ways: readonly {
    readonly ruleId: string;
    readonly missing: readonly string[];
    readonly blockedBy: readonly string[];
  }[];
}

export async function explain(
  deps: SyncDeps,
  tenantId: TenantId,
  identityId: IdentityId,
  connectionId?: ConnectionId,
  /** Whether the reader may know of planned leaves. */
  forHr = false,
): Promise<Explanation | undefined> {
  const [people, states, world] = await Promise.all([
    deps.store.readIdentities(tenantId, [identityId]),
    deps.store.readPeople(tenantId, [identityId]),
    new Worlds(deps).read(tenantId),
  ]);
  const person = people[0];
  const state = states[0];
  if (person === undefined || state === undefined) return undefined;
  const exceptions = (await exceptionsFor(deps, tenantId, [person]))(person);
  const groups = await deps.store.findGroupsById(tenantId, [...person.groups]);
  const chosen = worldOf(world, identityId).connections.filter(
    (item) => connectionId === undefined || item.version.connectionId === connectionId,
  );
  const connections = await Promise.all(
    chosen.map(async (connection) => {
      const findings = await deps.store.listFindings(tenantId, {
        identityId,
        connectionId: connection.version.connectionId,
        open: true,
        limit: 50,
      });
      return explainConnection(deps, connection, person, state, exceptions, findings);
    }),
  );
  return {
    person: {
      identityId,
      active: person.active,
      userName: person.userName,
      displayName: person.displayName,
      emails: person.emails,
      groups: groups.map(({ groupId, displayName }) => ({ groupId, displayName })),
      sources: person.sources,
      presence: presenceAt(person, deps.clock.now()),
      employment: employmentShown(person, deps.clock.now(), forHr),
    },
    connections,
  };
}

function employmentShown(person: IdentityFacts, now: number, forHr: boolean): Employment | null {
  if (person.employment === undefined) return null;
  return forHr
    ? employmentAt(person.employment, now)
    : (employmentForAll(person.employment, now) ?? null);
}

function explainConnection(
  deps: SyncDeps,
  connection: ConnectionWorld,
  person: IdentityFacts,
  state: PersonState,
  exceptions: Parameters<typeof wishOf>[2],
  findings: readonly Finding[],
): ConnectionExplanation {
  const { connectionId } = connection.version;
  const now = deps.clock.now();
  const own = exceptions.filter((item) => item.connectionId === connectionId);
  const here = <T extends { readonly connectionId: string }>(items: readonly T[]) =>
    items.filter((item) => item.connectionId === connectionId);
  const { desired } = wishOf(connection, person, exceptions, now);
  const target = here(state.targets)[0];
  const link = here(state.links)[0];
  const account = here(state.observed).find(
    (item) => item.accountId === link?.accountId && !item.gone,
  );
  const grants = here(state.observedGrants).filter((item) => item.accountId === account?.accountId);
  const objects = new Map(
    (connection.objects ?? []).map((item) => [`${item.kind} ${item.objectId}`, item.name]),
  );
  const nameOf = (item: { readonly kind: string; readonly objectId: string }) =>
    objects.get(`${item.kind} ${item.objectId}`);
  const plan = planTarget({
    facts: connection.facts,
    policy: connection.lane.policy,
    desired,
    account,
    grants,
    ledger: here(state.ledger),
    ownAccountIds: connection.lane.ownAccountIds,
    activeAdmins: Number.MAX_SAFE_INTEGER,
  });
  return {
    connectionId,
    mode: connection.lane.policy.mode,
    mappingVersion: connection.version.versionId,
    rules: explainEvaluation(connection.compiled, connection.bindings, person, own, now),
    desired,
    objectNames: Object.fromEntries(
      [...desired.assignments, ...grants].flatMap((item) => {
        const name = nameOf(item);
        return name === undefined ? [] : [[item.objectId, name]];
      }),
    ),
    observed:
      account === undefined
        ? null
        : {
            accountId: account.accountId,
            state: account.state,
            role: account.role,
            grants: grants.map(({ kind, objectId, role, implicit }) => ({
              kind,
              objectId,
              objectName: nameOf({ kind, objectId }) ?? null,
              role,
              implicit,
            })),
            readAt: account.readAt,
          },
    link:
      link === undefined
        ? null
        : { accountId: link.accountId, origin: link.origin, since: link.since },
    ledger: here(state.ledger).map(({ kind, objectId, role, origin }) => ({
      kind,
      objectId,
      role,
      origin,
    })),
    target:
      target === undefined
        ? null
        : {
            state: target.state,
            reason: target.reason?.text ?? null,
            code: target.reason?.code ?? null,
            dueAt: target.dueAt,
            generation: target.generation,
            appliedGeneration: target.appliedGeneration,
            verifiedAt: target.verifiedAt,
            ...howKnown(target, connection.facts),
          },
    waiting: here(state.entries).map((entry) => ({
      slot: `${entry.slot.kind}${entry.slot.objectId === "" ? "" : ` ${entry.slot.objectId}`}`,
      rail: entry.rail,
      state: entry.state,
      notBefore: entry.notBefore,
      holdId: entry.holdId,
    })),
    plan: renderPlan(plan),
    findings: findings.map(({ kind, severity, text }) => ({ kind, severity, text })),
  };
}

/**
 * Answers "what would give this person that thing": `thing` is a kind, an object (name or id), a role, or several of them
 * separated by spaces, as the mapping file writes them.
 */
export function answerWant(
  connection: ConnectionExplanation,
  facts: Parameters<typeof accountKindOf>[0],
  thing: string,
): WantAnswer {
  const words = thing
    .split(/\s+/)
    .filter((word) => word !== "")
    .map(fold);
  const matches = (item: {
    readonly kind: string;
    readonly object: ObjectRef;
    readonly role: string;
    readonly name?: string | null;
  }) => {
    const own = [item.kind, item.role, ...objectWords(item.object), item.name ?? ""].map(fold);
    // A name of several words is asked for by all of them.
    const parts = new Set(own.flatMap((text) => [text, ...text.split(/\s+/)]));
    return words.every((word) => parts.has(word));
  };
  const ways = connection.rules
    .filter((rule) => rule.effect === "grant" && rule.entitlements.some(matches))
    .map((rule) => ({
      ruleId: rule.ruleId,
      missing: rule.conditions
        .filter((condition) => condition.result !== "true")
        .map((condition) =>
          condition.why === undefined ? condition.text : `${condition.text} (${condition.why})`,
        ),
      blockedBy: [
        ...(connection.desired.lifecycle === "departed"
          ? ["this person is not active: who has left gets nothing"]
          : []),
        ...rule.beatenBy,
        ...(rule.result === "true" && rule.outcome === "won" ? waitsOf(connection) : []),
      ],
    }));
  const has =
    connection.observed !== null &&
    // An invitation is not held before it is accepted.
    connection.observed.state === "active" &&
    [
      {
        kind: accountKindOf(facts).name,
        object: { by: "none" as const },
        role: connection.observed.role,
      },
      ...connection.observed.grants.map((grant) => ({
        kind: grant.kind,
        object: { by: "id" as const, id: grant.objectId },
        role: grant.role,
        name: grant.objectName,
      })),
    ].some(matches);
  return { connectionId: connection.connectionId, thing, has, ways };
}

function objectWords(object: ObjectRef): readonly string[] {
  switch (object.by) {
    case "none":
      return [];
    case "id":
      return [object.id];
    case "name":
      return [object.name];
  }
}

function waitsOf(connection: ConnectionExplanation): readonly string[] {
  const held = connection.waiting
    .filter((entry) => entry.state === "held" || entry.state === "rejected")
    .map(
      (entry) =>
        `${entry.state} by the ${entry.rail} rail${entry.holdId === null ? "" : ` (hold ${entry.holdId})`}`,
    );
  const reason = connection.target?.reason;
  return reason === undefined || reason === null ? held : [...held, reason];
}
