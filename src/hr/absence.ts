import { createHash } from "node:crypto";
import type { HrRecord } from "../directory/hr-store.ts";
import { defaultEmploymentPolicy, employmentAt } from "../model/employment.ts";
import type { Json } from "../model/json.ts";
import type { ReadMessage, Reading } from "./event.ts";
import { readRow } from "./field-map.ts";
import type { HrDeps, HrSender } from "./hr-deps.ts";
import { MessageFault } from "./message-fault.ts";
import type { StateUpload } from "./state-upload.ts";

const pageSize = 500;
/** Places of missing people come after every row, and stay with the person when the upload is read again. */
const placeOf = (personKey: string) =>
  1_000_000 +
  Number.parseInt(createHash("sha256").update(personKey, "utf8").digest("hex").slice(0, 10), 16);

/**
 * Who is employed and missing from a complete upload, as leaves, where hr.yaml declares that; nobody otherwise. With more of them than
 * its guard lets pass they are all parked: a lost page of an export looks like this.
 */
export async function* missingPeople(
  deps: HrDeps,
  sender: HrSender,
  upload: StateUpload,
  reading: Reading,
): AsyncGenerator<{
  readonly position: number;
  readonly document: Json;
  readonly read: () => ReadMessage;
}> {
  const { source, settings } = reading;
  if (source.absent !== "left") return;
  const named = new Set<string>();
  for (const row of upload.rows) {
    const key = keyOf(row, upload.asOf, reading);
    // Of a row that cannot be read nobody knows whom it names: then nobody is missing.
    if (key === undefined) return;
    named.add(key);
  }
  const employed: HrRecord[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await deps.store.listHrRecords(sender.tenantId, {
      sourceId: sender.sourceId,
      after,
      limit: pageSize,
    });
    for (const record of page) {
      if (record.spells.length === 0) continue;
      const facts = {
        records: [
          { sourceId: sender.sourceId, personKey: record.person.key, spells: record.spells },
        ],
        policy: settings?.employment ?? defaultEmploymentPolicy,
      };
      const { state } = employmentAt(facts, upload.asOf);
      if (state === "employed" || state === "on-leave") employed.push(record);
    }
    after = page.at(-1)?.person.key;
    if (page.length < pageSize) break;
  }
  const missing = employed.filter((record) => !named.has(record.person.key));
  const most = Math.max(source.absentFloor, Math.floor(source.absentFraction * employed.length));
  if (missing.length > most)
    await deps.raiseFinding(sender.tenantId, {
      key: `hr_absence_guard:${sender.sourceId}`,
      kind: "hr_absence_guard",
      severity: "warning",
      text: "a complete HR upload lacks more people than may leave by absence: nobody left by it; compare the export, then replay or dismiss what is parked",
      facts: { sourceId: sender.sourceId, missing: missing.length, allowed: most },
    });
  for (const record of missing) {
    yield {
      position: placeOf(record.person.key),
      document: { missing: record.person.key },
      read: () => {
        if (missing.length > most)
          throw new MessageFault(
            "ABSENCE_GUARD",
            `${String(missing.length)} people are missing from the upload, ${String(most)} may leave by absence: compare the export, then raise the guard in hr.yaml and replay, or dismiss`,
          );
        return {
          person: record.person,
          statement: { type: "state", status: "left", starts: undefined, leaves: undefined },
          saidAt: upload.asOf,
        };
      },
    };
  }
}

function keyOf(
  row: StateUpload["rows"][number],
  asOf: number,
  reading: Reading,
): string | undefined {
  try {
    return readRow(row, asOf, reading).person.key;
  } catch (error) {
    if (error instanceof MessageFault) return undefined;
    throw error;
  }
}
