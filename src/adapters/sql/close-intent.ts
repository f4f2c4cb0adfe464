import type { IntentState } from "../../accounts/intent.ts";
import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import { documentText, type Database, type Steps } from "./database.ts";

/**
 * Writes the outcome of a write that passed a gate. Answers its row as it was before; undefined, with nothing written, where the outcome
 * is known already.
 * @throws StoreError NOT_FOUND
 */
export function* closeIntent<Row extends { readonly state: IntentState }>(
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
  const intent = yield* db.get<Row>(
    `SELECT ${from.columns} FROM ${from.table} WHERE tenant_id = ? AND intent_id = ? ${db.dialect.forUpdate}`,
    tenantId,
    outcome.intentId,
  );
  if (intent === undefined)
    throw new StoreError("NOT_FOUND", `there is no intent ${outcome.intentId}`);
  const open = intent.state === "sent" || intent.state === "unknown";
  if (!open || intent.state === outcome.state) return undefined;
  yield* db.tell(
    `UPDATE ${from.table} SET state = ?, facts = ?, finished_at = ? WHERE tenant_id = ? AND intent_id = ?`,
    outcome.state,
    documentText(outcome.facts),
    outcome.now,
    tenantId,
    outcome.intentId,
  );
  return intent;
}
