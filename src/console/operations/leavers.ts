import { z } from "zod";
import { foldEmail } from "../../model/fold.ts";
import { asId, type CaseId, type ConnectionId, type IdentityId } from "../../model/ids.ts";
import { newRecord } from "../../model/records.ts";
import { leaverPack, packHash } from "../../offboarding/leaver-pack.ts";
import { rehearse } from "../../offboarding/rehearse.ts";
import { operation, OperationError } from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

const who = z.string().min(1).max(320);
const why = z.string().min(3).max(500);

export const leaverOperations = [
  operation({
    name: "listCases",
    method: "GET",
    path: "/cases",
    summary: "Leaver cases: open ones first, oldest first",
    input: z.object({
      state: z.enum(["open", "done", "cancelled"]).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(200),
    }),
    run: async (deps, { tenantId }, { state, limit }) => {
      const cases = await deps.store.listCases(tenantId, {
        limit,
        ...(state === undefined ? {} : { state }),
      });
      const names = await namesOf(
        deps,
        tenantId,
        cases.map((item) => item.identityId),
      );
      const now = deps.clock.now();
      const listed = [];
      for (const item of cases) {
        const open = await deps.store.listObligations(tenantId, {
          caseId: item.caseId,
          state: "open",
          limit: 500,
        });
        const next = open.map((duty) => duty.deadline);
        listed.push({
          ...item,
          userName: names.get(item.identityId) ?? null,
          open: open.length,
          overdue: open.filter((duty) => duty.deadline <= now).length,
          nextDeadlineAt: next.length === 0 ? null : Math.min(...next),
        });
      }
      return { cases: listed };
    },
  }),
  operation({
    name: "showCase",
    method: "GET",
    path: "/cases/:caseId",
    summary:
      "One leaver case: both clocks, what each vendor owes, every write, and the hash of its evidence",
    input: z.object({ caseId: who }),
    run: async (deps, { tenantId }, input) => {
      const known = await deps.store.getCase(tenantId, asId<CaseId>(input.caseId));
      const item =
        known ??
        (
          await deps.store.listCases(tenantId, {
            identityId: await theIdentity(deps, tenantId, input.caseId),
            limit: 1,
          })
        )[0];
      if (item === undefined) throw new OperationError(404, `"${input.caseId}" has no leaver case`);
      const pack = await leaverPack(deps, item);
      const names = await namesOf(deps, tenantId, [item.identityId]);
      return {
        userName: names.get(item.identityId) ?? null,
        now: deps.clock.now(),
        order: (await deps.store.getDeparture(tenantId, item.identityId)) ?? null,
        ...pack,
        packHash: packHash(pack),
      };
    },
  }),
  operation({
    name: "settleDuty",
    method: "POST",
    path: "/cases/:caseId/duties",
    needs: "approver",
    summary: "Say that a duty was done where no vendor shows it, or needs not be done, and why",
    input: z.object({
      caseId: z.string(),
      connection: z.string().max(64).optional(),
      kind: z.enum(["contain", "remove", "transfer", "rotate_key", "verify", "evidence"]),
      subject: z.string().max(300).default(""),
      outcome: z.enum(["done", "waived"]),
      why,
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const caseId = asId<CaseId>(input.caseId);
      const item = await deps.store.getCase(tenantId, caseId);
      if (item === undefined) throw new OperationError(404, `no case ${input.caseId}`);
      const connectionId =
        input.connection === undefined ? undefined : asId<ConnectionId>(input.connection);
      const { kind, subject, outcome } = input;
      await deps.store.decideObligation(
        tenantId,
        {
          caseId,
          connectionId,
          kind,
          subject,
          state: outcome,
          facts: { saidBy: actor.id, why: input.why },
          now: deps.clock.now(),
        },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: `case.duty_${outcome}`,
              subject: { type: "identity", id: item.identityId },
              ...(connectionId === undefined ? {} : { connectionId }),
              facts: { caseId, kind, subject, why: input.why },
            }),
          ],
          recompute: [],
        },
      );
      return { caseId, kind, subject, outcome };
    },
  }),
  operation({
    name: "rehearseLeave",
    method: "GET",
    path: "/offboard",
    summary:
      "What would end for good if somebody left now, and why they could not leave cleanly; writes nothing",
    input: z.object({
      identity: who.optional(),
      after: z.string().max(200).optional(),
      limit: z.coerce.number().int().min(1).max(500).default(500),
    }),
    run: async (deps, { tenantId }, input) => {
      const ids =
        input.identity === undefined
          ? await deps.store.listIdentities(tenantId, {
              after: input.after === undefined ? undefined : asId<IdentityId>(input.after),
              limit: input.limit,
            })
          : [await theIdentity(deps, tenantId, input.identity)];
      const people = await rehearse(deps, tenantId, ids);
      const more = input.identity === undefined && ids.length === input.limit;
      return {
        people:
          input.identity === undefined
            ? people.filter((person) => person.problems.length > 0)
            : people,
        ...(more ? { next: ids.at(-1) } : {}),
      };
    },
  }),
  operation({
    name: "orderLeave",
    method: "POST",
    path: "/offboard",
    needs: "approver",
    summary:
      "End somebody's access now, whatever IdP and HR say; an emergency is never held by a rail",
    input: z.object({
      identity: who,
      /** The e-mail address or userName of the person, typed again. */
      confirm: who,
      why,
      emergency: z.boolean().default(false),
    }),
    run: async (deps, { tenantId, actor }, input) => {
      const identityId = await theIdentity(deps, tenantId, input.identity);
      const [person] = await deps.store.readIdentities(tenantId, [identityId]);
      const typed = foldEmail(input.confirm);
      const fits =
        person !== undefined &&
        (person.emails.includes(typed) || foldEmail(person.userName) === typed);
      if (!fits) {
        throw new OperationError(
          422,
          "what was typed to confirm is no address of this person: nothing was done",
        );
      }
      const { emergency } = input;
      await deps.store.orderDeparture(
        tenantId,
        { identityId, by: actor.id, why: input.why, emergency, now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "departure.ordered",
              subject: { type: "identity", id: identityId },
              facts: { emergency, why: input.why },
            }),
          ],
          recompute: [{ identityId, cause: { kind: "operator" }, urgent: true }],
        },
      );
      deps.ringRelay();
      return { identityId, emergency };
    },
  }),
  operation({
    name: "liftLeave",
    method: "POST",
    path: "/readmit",
    needs: "approver",
    summary: "Take an order to leave back: what IdP and HR say counts again",
    input: z.object({ identity: who, why }),
    run: async (deps, { tenantId, actor }, input) => {
      const identityId = await theIdentity(deps, tenantId, input.identity);
      await deps.store.liftDeparture(
        tenantId,
        { identityId, by: actor.id, now: deps.clock.now() },
        {
          records: [
            newRecord(deps.clock, {
              actor,
              action: "departure.lifted",
              subject: { type: "identity", id: identityId },
              facts: { why: input.why },
            }),
          ],
          recompute: [{ identityId, cause: { kind: "operator" }, urgent: false }],
        },
      );
      deps.ringRelay();
      return { identityId };
    },
  }),
];
