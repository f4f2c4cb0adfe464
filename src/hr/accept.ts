import { createHash } from "node:crypto";
import { z } from "zod";
import type { HrMessage, HrUpload } from "../directory/hr-store.ts";
import { defaultSourceSettings, type HrSettings } from "../model/hr-settings.ts";
import { newId } from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { newRecord } from "../model/records.ts";
import { applyMessage, type Applied } from "./apply-message.ts";
import { missingPeople } from "./absence.ts";
import {
  eventShape,
  problemsOf,
  readEvent,
  unwrapEvent,
  type ReadMessage,
  type Reading,
} from "./event.ts";
import { readRow } from "./field-map.ts";
import type { HrDeps, HrSender } from "./hr-deps.ts";
import { MessageFault } from "./message-fault.ts";
import { bulkRows, fileRows, parseJson, type StateUpload } from "./state-upload.ts";

/** What became of one message of an upload. */
export interface Receipt {
  readonly position: number;
  readonly state: Applied | "parked";
  readonly code?: string;
  readonly why?: string;
}

/** What a sender is told; kept, so that the same upload gets the same answer. */
export interface UploadAnswer {
  readonly uploadId: string;
  readonly receipts: readonly Receipt[];
}

/** A body with what its transport said of it. */
export interface RawUpload {
  readonly kind: HrUpload["kind"];
  readonly key: string;
  readonly contentType: string;
  readonly body: Uint8Array;
}

/**
 * Keeps a body, then works it through. The body is on disk before anybody looks into it; what cannot be understood is parked, never
 * dropped. The same key with the same body gets the same answer, with another body `conflict`.
 */
export async function acceptUpload(
  deps: HrDeps,
  sender: HrSender,
  raw: RawUpload,
): Promise<UploadAnswer | "conflict"> {
  const bodyHash = createHash("sha256").update(raw.body).digest("hex");
  const upload = {
    uploadId: newId(deps.clock) as string,
    sourceId: sender.sourceId,
    ...raw,
    bodyHash,
    receivedAt: deps.clock.now(),
  };
  const { known } = await deps.store.keepHrUpload(sender.tenantId, upload);
  if (known !== undefined) {
    if (known.bodyHash !== bodyHash) return "conflict";
    if (known.answer !== undefined) return known.answer as unknown as UploadAnswer;
  }
  const own = known ?? { ...upload, tenantId: sender.tenantId, answer: undefined };
  return workUpload(deps, sender, own);
}

/**
 * Works an upload through: for the first time, after a crash, or once more when hr.yaml has become better. Messages that counted already
 * are left as they are.
 */
export async function workUpload(
  deps: HrDeps,
  sender: HrSender,
  upload: HrUpload,
): Promise<UploadAnswer> {
  const { tenantId } = sender;
  const settings = await deps.store.getHrSettings(tenantId);
  const settled = await deps.store.settledHrMessages(tenantId, upload.uploadId);
  const reading: Reading = {
    source: settings?.sources[sender.sourceId] ?? defaultSourceSettings,
    settings,
    receivedAt: upload.receivedAt,
  };
  const receipts: Receipt[] = [];
  for await (const item of itemsOf(deps, sender, upload, reading)) {
    const state = settled.get(item.position);
    if (state !== undefined && state !== "parked") {
      receipts.push({ position: item.position, state: "unchanged" });
      continue;
    }
    receipts.push(await settle(deps, sender, upload, item, reading, settings));
  }
  const answer: UploadAnswer = { uploadId: upload.uploadId, receipts };
  await deps.store.answerHrUpload(tenantId, {
    uploadId: upload.uploadId,
    answer: answer as unknown as JsonObject,
  });
  for (const { state } of receipts) {
    deps.metrics.count("rolecall_hr_messages_total", { source: sender.sourceId, outcome: state });
  }
  return answer;
}

/** What is kept of an event's headers: its type, and what a CloudEvent in binary mode says beside the body. */
export function eventType(
  type: string,
  headers: Readonly<Record<string, string | undefined>>,
): string {
  const own = Object.entries(headers).filter(([name]) => name.startsWith("ce-"));
  return [type, ...own.map(([name, value]) => `${name}:${value ?? ""}`)].join("\n");
}

/** One message of an upload before it is understood. */
interface Item {
  readonly position: number;
  readonly document: Json;
  readonly read: () => ReadMessage;
}

async function settle(
  deps: HrDeps,
  sender: HrSender,
  upload: HrUpload,
  { position, document, read }: Item,
  reading: Reading,
  settings: HrSettings | undefined,
): Promise<Receipt> {
  let message: HrMessage;
  try {
    message = {
      ...read(),
      uploadId: upload.uploadId,
      position,
      receivedAt: reading.receivedAt,
      repeatedAt: undefined,
    };
  } catch (error) {
    if (!(error instanceof MessageFault)) throw error;
    const { code, message: why } = error;
    await deps.store.parkHrMessage(
      sender.tenantId,
      {
        uploadId: upload.uploadId,
        position,
        sourceId: sender.sourceId,
        kind: upload.kind,
        code,
        why,
        receivedAt: upload.receivedAt,
        document,
      },
      {
        records: [
          newRecord(deps.clock, {
            actor: sender.actor,
            action: "hr.message_parked",
            subject: { type: "hr_message", id: `${upload.uploadId}/${String(position)}` },
            facts: { sourceId: sender.sourceId, code },
          }),
        ],
        recompute: [],
      },
    );
    // Ids only: a reason may say what the message says.
    deps.logger.warn(
      {
        tenantId: sender.tenantId,
        sourceId: sender.sourceId,
        uploadId: upload.uploadId,
        position,
        code,
      },
      "HR message parked",
    );
    return { position, state: "parked", code, why };
  }
  return { position, state: await applyMessage(deps, sender, message, settings) };
}

async function* itemsOf(
  deps: HrDeps,
  sender: HrSender,
  upload: HrUpload,
  reading: Reading,
): AsyncGenerator<Item> {
  if (upload.kind === "event") {
    yield eventItem(upload, reading);
    return;
  }
  let rows: StateUpload;
  try {
    rows = upload.kind === "bulk" ? bulkRows(upload, reading) : fileRows(upload, reading);
  } catch (error) {
    if (!(error instanceof MessageFault)) throw error;
    yield { position: 0, document: null, read: () => fail(error) };
    return;
  }
  for (const [position, row] of rows.rows.entries())
    yield { position, document: row, read: () => readRow(row, rows.asOf, reading) };
  if (rows.complete) yield* missingPeople(deps, sender, rows, reading);
}

function fail(error: MessageFault): never {
  throw error;
}

/** A kept event's content type has the `ce-` headers of a CloudEvent in binary mode below it, one a line: `eventType` writes it. */
function eventItem(upload: HrUpload, reading: Reading): Item {
  let document: Json = null;
  const read = () => {
    const [type = "", ...parts] = upload.contentType.split("\n");
    const headers = Object.fromEntries(
      parts.map((part) => [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)]),
    );
    try {
      const body = parseJson(upload.body);
      return readEvent(eventShape.parse(unwrapEvent(body, type, headers)), reading);
    } catch (error) {
      if (error instanceof z.ZodError)
        throw new MessageFault("UNREADABLE", problemsOf(error).join("; "));
      throw error;
    }
  };
  try {
    document = parseJson(upload.body) as Json;
  } catch (error) {
    if (!(error instanceof MessageFault)) throw error;
  }
  return { position: 0, document, read };
}
