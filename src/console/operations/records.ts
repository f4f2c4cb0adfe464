import { z } from "zod";
import { accessActions, whoHadWhat, type AccessThen } from "../../audit/who-had-what.ts";
import type { RecordFilter } from "../../audit/audit-store.ts";
import type { Instant } from "../../model/clock.ts";
import { asId, type ConnectionId, type IdentityId, type TenantId } from "../../model/ids.ts";
import { newRecord, type AuditRecord } from "../../model/records.ts";
import {
  operation,
  OperationError,
  type ConsoleDeps,
  type OperationContext,
} from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

const who = z.string().min(1).max(320);
const connection = z.string().min(1).max(64);
const moment = z.string().min(4).max(40);

/** A day is its first instant, in UTC; `2026-03-31T17:00:00+02:00` is that one. @throws OperationError 400 */
function instantOf(text: string): Instant {
  const zoned =
    /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;
  const at = zoned.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(at)) return at;
  throw new OperationError(
    400,
    `"${text}" is no instant: write a day (2026-03-31, its beginning in UTC) or 2026-03-31T17:00:00Z`,
  );
}

const filterInput = {
  action: z.string().min(1).max(100).optional(),
  actor: z.string().min(1).max(200).optional(),
  subject: z.string().min(1).max(400).optional(),
  identity: who.optional(),
  connection: connection.optional(),
  from: moment.optional(),
  to: moment.optional(),
};

/** `type:id`, `type:` or an id. */
function subjectOf(text: string): NonNullable<RecordFilter["subject"]> {
  const match = /^([a-z_]+):(.*)$/.exec(text);
  if (match === null) return { id: text };
  const [, type = "", id = ""] = match;
  return id === "" ? { type } : { type, id };
}

/** People whose records one page of the answer takes: one look into an index each. */
const peopleOfPage = 100;
/** Records of one person that are replayed at once; who has more is read in pieces. */
const recordsOfPage = 1_000;

/** All records of a person before an instant, oldest first; only those that say something about access. */
async function historyOf(
  deps: ConsoleDeps,
  tenantId: TenantId,
  identityId: IdentityId,
  asked: { readonly before: Instant; readonly connectionId?: ConnectionId },
): Promise<readonly AuditRecord[]> {
  const found: AuditRecord[] = [];
  let after: number | undefined;
  for (;;) {
    const page = await deps.store.findRecords(tenantId, {
      ...{ identityId, before: asked.before, limit: recordsOfPage },
      ...(asked.connectionId === undefined ? {} : { connectionId: asked.connectionId }),
      ...(after === undefined ? {} : { after }),
    });
    for (const { record } of page) if (accessActions.has(record.action)) found.push(record);
    if (page.length < recordsOfPage) return found.reverse();
    after = page.at(-1)?.order;
  }
}

/** A record about the record: that it was taken out, or what a verification said. */
async function note(
  deps: ConsoleDeps,
  { tenantId, actor }: OperationContext,
  action: string,
  facts: AuditRecord["facts"],
): Promise<void> {
  await deps.store.appendRecords(tenantId, [
    newRecord(deps.clock, { actor, action, subject: { type: "tenant", id: tenantId }, facts }),
  ]);
}

export const recordOperations = [
  operation({
    name: "noteExport",
    method: "POST",
    path: "/audit/exports",
    reads: true,
    summary: "Say that records are taken out, and by which filter: recorded before they are",
    input: z.object({
      what: z.enum(["records", "access"]),
      filter: z.record(z.string(), z.string()),
    }),
    run: async (deps, context, { what, filter }) => {
      // Who is asked about is a person's address at times: the record says by which fields, not by whom.
      await note(deps, context, "audit.exported", { what, fields: Object.keys(filter).toSorted() });
      return { noted: true };
    },
  }),
  operation({
    name: "noteVerification",
    method: "POST",
    path: "/audit/verifications",
    reads: true,
    summary:
      "Say how a verification of the record ended; one that failed is told to people outside",
    input: z.object({
      ok: z.boolean(),
      size: z.number().int().min(0),
      root: z.string().regex(/^[0-9a-f]{64}$/),
      problems: z.number().int().min(0),
    }),
    run: async (deps, context, { ok, ...facts }) => {
      await note(deps, context, ok ? "audit.verified" : "audit.verify_failed", facts);
      return { noted: true };
    },
  }),
  operation({
    name: "searchRecords",
    method: "GET",
    path: "/audit/search",
    summary:
      "The audit record, newest first: by action (`token.*` too), actor, subject (type:id), person, connection and period; `next` is the cursor of the next page",
    input: z.object({
      ...filterInput,
      cursor: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
    run: async (deps, { tenantId }, input) => {
      const { identity, subject, from, to, cursor, limit, action, actor } = input;
      const identityId =
        identity === undefined ? undefined : await theIdentity(deps, tenantId, identity);
      const records = await deps.store.findRecords(tenantId, {
        limit,
        ...(action === undefined ? {} : { action }),
        ...(actor === undefined ? {} : { actor }),
        ...(identityId === undefined ? {} : { identityId }),
        ...(subject === undefined ? {} : { subject: subjectOf(subject) }),
        ...(input.connection === undefined
          ? {}
          : { connectionId: asId<ConnectionId>(input.connection) }),
        ...(from === undefined ? {} : { from: instantOf(from) }),
        ...(to === undefined ? {} : { before: instantOf(to) }),
        ...(cursor === undefined ? {} : { after: cursor }),
      });
      const last = records.length === limit ? records.at(-1)?.order : undefined;
      return { records, ...(last === undefined ? {} : { next: last }) };
    },
  }),
  operation({
    name: "whoHadWhat",
    method: "GET",
    path: "/audit/access",
    summary:
      "Who had what at an instant, from the record, each line with how well it is known; by person, pages of people by `after`",
    input: z.object({
      at: moment,
      identity: who.optional(),
      connection: connection.optional(),
      after: z.string().max(64).optional(),
    }),
    run: async (deps, { tenantId }, input) => {
      const at = instantOf(input.at);
      const one =
        input.identity === undefined
          ? undefined
          : await theIdentity(deps, tenantId, input.identity);
      const after = input.after === undefined ? undefined : asId<IdentityId>(input.after);
      const people =
        one === undefined
          ? await deps.store.listIdentities(tenantId, { after, limit: peopleOfPage })
          : [one];
      const names = await namesOf(deps, tenantId, people);
      const asked = {
        // What was recorded at that very instant counts.
        before: at + 1,
        ...(input.connection === undefined
          ? {}
          : { connectionId: asId<ConnectionId>(input.connection) }),
      };
      const then: (AccessThen & { identityId: IdentityId; userName: string | null })[] = [];
      for (const identityId of people) {
        const told = whoHadWhat(identityId, await historyOf(deps, tenantId, identityId, asked));
        if (told.lines.length + told.absences.length === 0) continue;
        then.push({ identityId, userName: names.get(identityId) ?? null, ...told });
      }
      const last = one === undefined && people.length === peopleOfPage ? people.at(-1) : undefined;
      return { at, people: then, ...(last === undefined ? {} : { next: last }) };
    },
  }),
];
