import { z } from "zod";
import { priorities } from "../../accounts/target.ts";
import { asId, newId, type ConnectionId, type IdentityId, type TenantId } from "../../model/ids.ts";
import { presenceAt } from "../../model/employment.ts";
import { newRecord } from "../../model/records.ts";
import { answerWant, explain } from "../../sync/explain.ts";
import { operation, OperationError, type ConsoleDeps } from "../operation.ts";

const who = z.string().min(1).max(320);
const connection = z.string().min(1).max(64);

/** The one identity that a person typed. @throws OperationError 404, or 409 with the candidates */
export async function theIdentity(
  deps: ConsoleDeps,
  tenantId: TenantId,
  text: string,
): Promise<IdentityId> {
  const found = await deps.store.findIdentities(tenantId, text);
  const one = found[0];
  if (one === undefined) {
    throw new OperationError(
      404,
      `nobody is known as "${text}": try an e-mail address, a userName or an id`,
    );
  }
  if (found.length > 1) {
    const people = await deps.store.readIdentities(tenantId, found);
    const now = deps.clock.now();
    const active = people.filter((person) => presenceAt(person, now) !== "departed");
    const only = active[0];
    if (active.length === 1 && only !== undefined) return only.identityId;
    const list = people.map(
      (person) =>
        `${person.identityId} (${person.userName}${active.includes(person) ? "" : ", left"})`,
    );
    throw new OperationError(409, `"${text}" fits several people: ${list.join(", ")}`);
  }
  return one;
}

/** The userNames of these people; who is not known has none. */
export async function namesOf(
  deps: ConsoleDeps,
  tenantId: TenantId,
  identityIds: readonly IdentityId[],
): Promise<ReadonlyMap<IdentityId, string>> {
  const people = await deps.store.readIdentities(tenantId, [...new Set(identityIds)]);
  return new Map(people.map((person) => [person.identityId, person.userName]));
}

export const peopleOperations = [
  operation({
    name: "findPeople",
    method: "GET",
    path: "/people",
    summary:
      "People page by page: everybody, or by e-mail, userName, external id or id, or by how their names begin",
    input: z.object({
      q: who.optional(),
      after: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(100),
    }),
    run: async (deps, { tenantId }, { q, after, limit }) => {
      const page = {
        after: after === undefined ? undefined : asId<IdentityId>(after),
        limit,
      };
      const [known, alike] =
        q === undefined
          ? [[], await deps.store.listIdentities(tenantId, page)]
          : await Promise.all([
              after === undefined ? deps.store.findIdentities(tenantId, q) : [],
              deps.store.searchIdentities(tenantId, { ...page, text: q }),
            ]);
      const people = await deps.store.readIdentities(tenantId, [...new Set([...known, ...alike])]);
      const now = deps.clock.now();
      const last = alike.length === limit ? alike.at(-1) : undefined;
      return {
        people: people.map((person) => {
          const presence = presenceAt(person, now);
          return {
            identityId: person.identityId,
            userName: person.userName,
            displayName: person.displayName,
            emails: person.emails,
            sources: person.sources.map((source) => source.idpId),
            presence,
            active: presence !== "departed",
          };
        }),
        ...(last === undefined ? {} : { next: last }),
      };
    },
  }),
  operation({
    name: "explain",
    method: "GET",
    path: "/explain",
    summary: "Why a person has what they have, and what would give a wanted thing",
    input: z.object({
      identity: who,
      connection: connection.optional(),
      want: z.string().max(200).optional(),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const identityId = await theIdentity(deps, tenantId, input.identity);
      const [wantConnection, thing] = splitWant(input.want);
      const only = wantConnection ?? input.connection;
      const explanation = await explain(
        deps,
        tenantId,
        identityId,
        only === undefined ? undefined : asId<ConnectionId>(only),
        actor.role === "hr",
      );
      if (explanation === undefined)
        throw new OperationError(404, "this person is not known any more");
      if (only !== undefined && explanation.connections.length === 0) {
        throw new OperationError(404, `no active connection "${only}"`);
      }
      if (thing === undefined) return explanation;
      const answers = [];
      for (const item of explanation.connections) {
        const lane = await deps.store.getLane(tenantId, item.connectionId);
        const facts =
          lane === undefined
            ? undefined
            : deps.vendorFacts(lane.vendor, lane.profile, lane.policy.target);
        if (facts !== undefined) answers.push(answerWant(item, facts, thing));
      }
      return { ...explanation, want: answers };
    },
  }),
  operation({
    name: "plan",
    method: "GET",
    path: "/plan",
    summary: "What would change and why, from what was last read; writes nothing",
    input: z.object({
      identity: who.optional(),
      connection: connection.optional(),
      after: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    run: async (deps, { tenantId }, input) => {
      const connectionId =
        input.connection === undefined ? undefined : asId<ConnectionId>(input.connection);
      const identityIds =
        input.identity === undefined
          ? await pageOfIdentities(deps, tenantId, input.after, input.limit)
          : [await theIdentity(deps, tenantId, input.identity)];
      const plans = [];
      for (const identityId of identityIds) {
        const found = await explain(deps, tenantId, identityId, connectionId);
        if (found === undefined) continue;
        for (const item of found.connections) {
          if (item.plan.length === 0 && input.identity === undefined) continue;
          plans.push({
            identityId,
            userName: found.person.userName,
            connectionId: item.connectionId,
            mode: item.mode,
            state: item.target?.state ?? "idle",
            readAt: item.observed?.readAt ?? null,
            plan: item.plan,
          });
        }
      }
      const next =
        input.identity === undefined && identityIds.length === input.limit
          ? identityIds.at(-1)
          : undefined;
      return { plans, ...(next === undefined ? {} : { next }) };
    },
  }),
  operation({
    name: "reconcile",
    method: "POST",
    path: "/reconcile",
    summary: "Recompute and look again now: one person, one connection, or everybody",
    input: z.object({ identity: who.optional(), connection: connection.optional() }),
    run: async (deps, context, input) => {
      const { tenantId, actor } = context;
      const now = deps.clock.now();
      const record = newRecord(deps.clock, {
        actor,
        action: "reconcile.requested",
        subject: { type: "tenant", id: tenantId },
        facts: {
          scope: input.identity === undefined ? (input.connection ?? "everybody") : "one person",
        },
      });
      if (input.identity !== undefined) {
        const identityId = await theIdentity(deps, tenantId, input.identity);
        let woken = 0;
        let recorded = false;
        for (const lane of await deps.store.listLanes(tenantId)) {
          if (input.connection !== undefined && lane.connectionId !== input.connection) continue;
          woken += await deps.store.wakeTargets(
            tenantId,
            {
              connectionId: lane.connectionId,
              identityIds: [identityId],
              priority: priorities.change,
              now,
            },
            {
              records: recorded ? [] : [record],
              recompute: [{ identityId, cause: { kind: "operator" }, urgent: false }],
            },
          );
          recorded = true;
        }
        ring(deps, tenantId);
        return { people: 1, targets: woken };
      }
      let targets = 0;
      let first = true;
      for (const lane of await deps.store.listLanes(tenantId)) {
        if (input.connection !== undefined && lane.connectionId !== input.connection) continue;
        targets += await deps.store.wakeTargets(
          tenantId,
          {
            connectionId: lane.connectionId,
            identityIds: "all",
            priority: priorities.background,
            now,
          },
          {
            records: first ? [record] : [],
            recompute: [],
            fanouts: [
              {
                fanoutId: newId(deps.clock),
                scope: { kind: "connection", connectionId: lane.connectionId },
                cause: { kind: "operator" },
                urgent: false,
              },
            ],
          },
        );
        first = false;
      }
      ring(deps, tenantId);
      return { targets };
    },
  }),
];

function ring(deps: ConsoleDeps, tenantId: TenantId): void {
  deps.ringRelay();
  deps.ringWorkers(tenantId);
}

function splitWant(want: string | undefined): readonly [string | undefined, string | undefined] {
  if (want === undefined) return [undefined, undefined];
  const at = want.indexOf(":");
  return at < 0 ? [undefined, want] : [want.slice(0, at), want.slice(at + 1)];
}

function pageOfIdentities(
  deps: ConsoleDeps,
  tenantId: TenantId,
  after: string | undefined,
  limit: number,
) {
  return deps.store.listIdentities(tenantId, {
    after: after === undefined ? undefined : asId<IdentityId>(after),
    limit,
  });
}
