import { z } from "zod";
import { asId, type ConnectionId, type MappingVersionId } from "../../model/ids.ts";
import { previewUndo, undo } from "../../sync/undo.ts";
import { previewVersionUndo, undoVersion, type VersionUndo } from "../../sync/undo-version.ts";
import { operation, OperationError } from "../operation.ts";
import { namesOf, theIdentity } from "./people.ts";

/** People of a version who are named in one answer. */
const namedMax = 200;

const who = { identity: z.string().min(1).max(320), connection: z.string().min(1).max(64) };

export const undoOperations = [
  operation({
    name: "previewVersionUndo",
    method: "GET",
    path: "/mappings/:versionId/undo",
    summary: "What taking back all that a mapping version did would mean, person by person",
    input: z.object({ versionId: z.string().min(1).max(64) }),
    run: async (deps, { tenantId }, input) => {
      const versionId = asId<MappingVersionId>(input.versionId);
      const named: VersionUndo[] = [];
      let people = 0;
      for await (const item of previewVersionUndo(deps, tenantId, versionId)) {
        people += 1;
        if (named.length < namedMax) named.push(item);
      }
      const names = await namesOf(
        deps,
        tenantId,
        named.map((item) => item.identityId),
      );
      return {
        people,
        unnamed: people - named.length,
        steps: named.flatMap(({ identityId, steps }) =>
          steps.map((step) => ({ userName: names.get(identityId) ?? identityId, ...step })),
        ),
      };
    },
  }),
  operation({
    name: "undoVersion",
    method: "POST",
    path: "/mappings/:versionId/undo",
    needs: "approver",
    summary: "Take back all that a mapping version did, through the same rails as any change",
    input: z.object({
      versionId: z.string().min(1).max(64),
      why: z.string().min(3).max(500),
    }),
    run: async (deps, { tenantId, actor }, { versionId, why }) => {
      const wish = { versionId: asId<MappingVersionId>(versionId), why, actor };
      const answer = await undoVersion(deps, tenantId, wish);
      if (answer.people === 0)
        throw new OperationError(409, "there is nothing that can be taken back");
      return answer;
    },
  }),
  operation({
    name: "previewUndo",
    method: "GET",
    path: "/undo",
    summary:
      "What taking back the last applied plan of a person would do, and where there is no way back",
    input: z.object(who),
    run: async (deps, { tenantId }, input) => {
      const identityId = await theIdentity(deps, tenantId, input.identity);
      const connectionId = asId<ConnectionId>(input.connection);
      return { steps: await previewUndo(deps, tenantId, connectionId, identityId) };
    },
  }),
  operation({
    name: "undo",
    method: "POST",
    path: "/undo",
    needs: "approver",
    summary: "Take the last applied plan of a person back, through the same rails as any change",
    input: z.object({ ...who, why: z.string().min(3).max(500) }),
    run: async (deps, { tenantId, actor }, input) => {
      const identityId = await theIdentity(deps, tenantId, input.identity);
      const connectionId = asId<ConnectionId>(input.connection);
      const { why } = input;
      const steps = await undo(deps, tenantId, { connectionId, identityId, why, actor });
      if (!steps.some((step) => step.way === "undo"))
        throw new OperationError(409, "there is nothing that can be taken back");
      return { steps };
    },
  }),
];
