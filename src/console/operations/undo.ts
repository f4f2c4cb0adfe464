import { z } from "zod";
import { asId, type ConnectionId } from "../../model/ids.ts";
import { previewUndo, undo } from "../../sync/undo.ts";
import { operation, OperationError } from "../operation.ts";
import { theIdentity } from "./people.ts";

const who = { identity: z.string().min(1).max(320), connection: z.string().min(1).max(64) };

export const undoOperations = [
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
