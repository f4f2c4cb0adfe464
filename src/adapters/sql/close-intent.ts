import type { IntentState } from "../../accounts/intent.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import { documentText, type Database, type Steps } from "./database.ts";

/** An outcome is written once; only `unknown` is followed by what it turned out to be. */
const isOpen = "AND state IN ('sent', 'unknown') AND state <> ?1";

/**
 * Writes the outcome of a write that passed a gate. Answers the `columns` of its row; undefined, with nothing written, where the outcome
 * is known already.
 * @throws StoreError NOT_FOUND
 */
export function* closeIntent<Row>(
  db: Database,
  from: { readonly table: "intents" | "thing_intents"; readonly columns: string },
  tenantId: TenantId,
  outcome: {
    readonly intentId: string;
    readonly state: IntentState;
    readonly facts: JsonObject;
    readonly now: Instant;
  },
): Steps<Row | undefined> {
  const closed = yield* db.get<Row>(
    `UPDATE ${from.table} SET state = ?1, facts = ?2, finished_at = ?3 WHERE tenant_id = ?4 AND intent_id = ?5 ${isOpen} RETURNING ${from.columns}`,
    outcome.state,
    documentText(outcome.facts),
    outcome.now,
    tenantId,
    outcome.intentId,
  );
  if (closed !== undefined) return closed;
  const known = yield* db.get(
    `SELECT 1 FROM ${from.table} WHERE tenant_id = ? AND intent_id = ?`,
    tenantId,
    outcome.intentId,
  );
  if (known === undefined)
    throw new StoreError("NOT_FOUND", `there is no intent ${outcome.intentId}`);
  return undefined;
}
