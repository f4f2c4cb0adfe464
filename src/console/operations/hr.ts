import { z } from "zod";
import type { ParkedHrMessage } from "../../directory/hr-store.ts";
import { asId, isName, type HrSourceId } from "../../model/ids.ts";
import { rowsMax } from "../../hr/state-upload.ts";
import { operation, OperationError, type OperationContext } from "../operation.ts";
import { theIdentity } from "./people.ts";

const source = z
  .string()
  .refine(isName, "a source has a lower-case name of letters, digits and hyphens");
const why = z.string().min(3).max(500);
const place = { uploadId: z.string().max(64), position: z.coerce.number().int().min(0) };

/** What HR sent may tell of leaves that have not come: whoever has not the role sees that it is there, not what it says. */
function mayRead({ actor }: OperationContext): boolean {
  return actor.role === "hr";
}

const hidden = "for operators with the role hr: `rolecall token create --kind operator --role hr`";

function shown(context: OperationContext, message: ParkedHrMessage) {
  return mayRead(context) ? message : { ...message, why: hidden };
}

export const hrOperations = [
  operation({
    name: "listHrSources",
    method: "GET",
    path: "/hr/sources",
    summary: "HR systems that may push to us, with the fingerprints of their secrets",
    input: z.object({}),
    run: async (deps, { tenantId }) => {
      const now = deps.clock.now();
      const sources = [];
      for (const item of await deps.store.listHrSources(tenantId)) {
        const secrets = await deps.store.listHrSecrets(tenantId, item.sourceId, now);
        sources.push({
          ...item,
          secrets: secrets.map(({ fingerprint, createdAt, expiresAt }) => ({
            fingerprint,
            createdAt,
            expiresAt,
          })),
        });
      }
      return { sources };
    },
  }),
  operation({
    name: "addHrSource",
    method: "POST",
    path: "/hr/sources",
    needs: "admin",
    summary: "A new HR source; the answer holds its secret, shown this once",
    input: z.object({ source }),
    run: async (deps, { tenantId, actor }, input) => ({
      source: input.source,
      url: `${deps.publicUrl}/hr/v1`,
      ...(await deps.hr.desk.addSource(tenantId, asId<HrSourceId>(input.source), actor)),
    }),
  }),
  operation({
    name: "rotateHrSecret",
    method: "POST",
    path: "/hr/sources/:source/secrets",
    needs: "admin",
    summary: "A new secret, shown this once; the one before stays good for some hours",
    input: z.object({ source, overlapHours: z.number().min(0).max(720).default(24) }),
    run: (deps, { tenantId, actor }, input) =>
      deps.hr.desk.rotate(
        tenantId,
        asId<HrSourceId>(input.source),
        input.overlapHours * 3_600_000,
        actor,
      ),
  }),
  operation({
    name: "removeHrSource",
    method: "DELETE",
    path: "/hr/sources/:source",
    needs: "admin",
    summary: "A source is heard no more; what it said stands, and it is no leave of anybody",
    input: z.object({ source }),
    run: async (deps, { tenantId, actor }, input) => {
      await deps.hr.desk.removeSource(tenantId, asId<HrSourceId>(input.source), actor);
      return { source: input.source };
    },
  }),
  operation({
    name: "importHrFile",
    method: "POST",
    path: "/hr/sources/:source/files",
    needs: "approver",
    summary: `A CSV file as a state upload, read by the field map of hr.yaml; at most ${String(rowsMax)} rows`,
    input: z.object({
      source,
      text: z.string().min(1),
      asOf: z.iso.datetime({ offset: true }).optional(),
      complete: z.boolean().default(false),
    }),
    run: async (deps, context, input) => {
      const answer = await deps.hr.desk.importFile(
        context.tenantId,
        asId<HrSourceId>(input.source),
        { text: input.text, asOf: input.asOf, complete: input.complete },
        context.actor,
      );
      return {
        ...answer,
        receipts: answer.receipts.map((receipt) =>
          receipt.why === undefined || mayRead(context) ? receipt : { ...receipt, why: hidden },
        ),
      };
    },
  }),
  operation({
    name: "listParkedHr",
    method: "GET",
    path: "/hr/parked",
    summary: "HR messages that were kept and do nothing yet, oldest first",
    input: z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
    run: async (deps, context, { limit }) => ({
      parked: (await deps.store.listParkedHr(context.tenantId, { after: undefined, limit })).map(
        (message) => shown(context, message),
      ),
    }),
  }),
  operation({
    name: "replayHr",
    method: "POST",
    path: "/hr/uploads/:uploadId/replay",
    needs: "approver",
    summary: "Read a kept upload again by what hr.yaml says now; what counted already stays",
    input: z.object({ uploadId: z.string().max(64) }),
    run: async (deps, context, { uploadId }) => {
      const { receipts } = await deps.hr.desk.replay(context.tenantId, uploadId, context.actor);
      const parked = receipts.filter((receipt) => receipt.state === "parked").length;
      return { uploadId, messages: receipts.length, parked };
    },
  }),
  operation({
    name: "dismissHr",
    method: "DELETE",
    path: "/hr/uploads/:uploadId/messages/:position",
    needs: "approver",
    summary: "A parked message stays without effect, by decision",
    input: z.object({ ...place, why }),
    run: async (deps, { tenantId, actor }, input) => {
      const { uploadId, position } = input;
      await deps.hr.desk.dismiss(tenantId, { uploadId, position }, input.why, actor);
      return { uploadId, position };
    },
  }),
  operation({
    name: "joinHr",
    method: "PUT",
    path: "/hr/sources/:source/people/:key",
    needs: "approver",
    summary: "Say whose an HR record is; without an identity: nobody's",
    input: z.object({ source, key: z.string().max(200), identity: z.string().optional(), why }),
    run: async (deps, { tenantId, actor }, input) => {
      const identityId =
        input.identity === undefined
          ? undefined
          : await theIdentity(deps, tenantId, input.identity);
      const key = { sourceId: asId<HrSourceId>(input.source), personKey: input.key };
      await deps.hr.desk.join(tenantId, key, identityId, input.why, actor);
      deps.ringRelay();
      return { ...key, identityId: identityId ?? null };
    },
  }),
  operation({
    name: "showHrRecord",
    method: "GET",
    path: "/hr/sources/:source/people/:key",
    summary: "What one source says about one person; for the role hr",
    input: z.object({ source, key: z.string().max(200) }),
    run: async (deps, context, input) => {
      if (!mayRead(context)) throw new OperationError(403, hidden);
      const key = { sourceId: asId<HrSourceId>(input.source), personKey: input.key };
      const { record, messages } = await deps.store.readHrPerson(context.tenantId, key);
      if (record === undefined)
        throw new OperationError(404, `${input.source} has no record ${input.key}`);
      return { record, messages };
    },
  }),
];
