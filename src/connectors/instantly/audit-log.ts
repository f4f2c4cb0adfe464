import type { ActivityHint, Call, EndOfList } from "../connector.ts";
import { askPages } from "./ask.ts";
import { auditWire, nextPage, pageWire } from "./wire.ts";

/** Numbers of the log by what they mean (OpenAPI document, 2026-08-21); the list is open, and members are in none of them. */
const types: Readonly<Record<number, string>> = {
  1: "login",
  2: "lead deletion",
  3: "campaign deletion",
  4: "campaign launch",
  5: "campaign pause",
  6: "account added",
  7: "account deleted",
  8: "lead moved",
  9: "lead added",
  10: "lead merged",
  11: "campaign update",
  12: "subsequence update",
  18: "webhook created",
  19: "webhook updated",
  20: "webhook marked as failing",
  21: "webhook resumed",
  32: "import started",
  33: "import cancelled",
  34: "leads exported",
  35: "enrichment created",
  36: "account update",
  37: "API key created",
  38: "API key deleted",
  40: "domain forwarding changed",
};

/** Data that leaves, is deleted, or gets a way out; and second factors (22 to 31), which guard everything else. */
const alarming = new Set([2, 3, 7, 18, 19, 34, 37, 38, 40]);
const isGuard = (type: number): boolean => type >= 22 && type <= 31;

const pageMax = 1_000;
const auditPage = pageWire(auditWire);

/** The log since an instant: what somebody should know. */
export async function* listAudit(
  call: Call,
  since: number,
): AsyncGenerator<ActivityHint | EndOfList> {
  const pages = askPages(
    call,
    {
      operation: "audit_logs.list",
      query: { limit: pageMax, start_date: new Date(since).toISOString() },
      parse: (body) => auditPage.parse(body),
    },
    nextPage,
  );
  let count = 0;
  for await (const page of pages) {
    for (const entry of page.value.items) {
      count += 1;
      const type = entry.activity_type;
      yield {
        entryId: entry.id,
        at: entry.timestamp,
        type: types[type] ?? (isGuard(type) ? "second factor changed" : `type ${String(type)}`),
        touchesAccess: false,
        alarming: alarming.has(type) || isGuard(type),
        // Log and member list name people by different ids.
        by: undefined,
        byAddress: entry.ip_address ?? undefined,
      };
    }
  }
  yield { complete: true, count };
}
