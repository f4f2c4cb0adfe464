import { z } from "zod";
import type { DeadLetter } from "../../events/dead-letter-store.ts";
import { newRecord } from "../../model/records.ts";
import { operation, OperationError } from "../operation.ts";

/** Bytes as base64: they are what could not be read. */
const shown = (letter: DeadLetter) => ({
  ...letter,
  key: letter.key === undefined ? null : Buffer.from(letter.key).toString("base64"),
  value: letter.value === undefined ? null : Buffer.from(letter.value).toString("base64"),
});

export const deadLetterOperations = [
  operation({
    name: "listDeadLetters",
    method: "GET",
    path: "/dead-letters",
    summary: "Messages of the bus that nobody could read, newest first",
    input: z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) }),
    run: async (deps, _context, { limit }) => {
      const letters = await deps.store.listDeadLetters(limit);
      return { letters: letters.map(({ key: _key, value: _value, ...rest }) => rest) };
    },
  }),
  operation({
    name: "showDeadLetter",
    method: "GET",
    path: "/dead-letters/:letterId",
    summary: "One of them with its bytes, base64",
    input: z.object({ letterId: z.string() }),
    run: async (deps, _context, { letterId }) => {
      const letter = await deps.store.getDeadLetter(letterId);
      if (letter === undefined) throw new OperationError(404, `no dead letter ${letterId}`);
      return { letter: shown(letter) };
    },
  }),
  operation({
    name: "dropDeadLetter",
    method: "DELETE",
    path: "/dead-letters/:letterId",
    summary: "Forget one of them; whatever its hint meant is still owed and done by the sweep",
    input: z.object({ letterId: z.string(), why: z.string().min(3).max(500) }),
    run: async (deps, { tenantId, actor }, { letterId, why }) => {
      await deps.store.dropDeadLetter(tenantId, letterId, {
        records: [
          newRecord(deps.clock, {
            actor,
            action: "dead_letter.dropped",
            subject: { type: "dead_letter", id: letterId },
            facts: { why },
          }),
        ],
        recompute: [],
      });
      return { letterId };
    },
  }),
];
