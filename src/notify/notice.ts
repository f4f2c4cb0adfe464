import type { Instant } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";

/** What kinds of things people are told; channels choose among them. */
export const topics = [
  "hold",
  "deadline",
  "finding",
  "case",
  "task",
  "record",
  "checkpoint",
] as const;
export type Topic = (typeof topics)[number];

/**
 * Something that people outside should hear, made from what the store says. The same thing has the same id, however often it is
 * seen; ids and codes only, no personal value.
 */
export interface Notice {
  readonly tenantId: TenantId;
  /** `hold.opened:<hold>`, `finding:<key>:<opened>`: what makes it the same one. */
  readonly noticeId: string;
  readonly topic: Topic | "test";
  /** CloudEvents `type`: `rolecall.hold.opened`. */
  readonly type: string;
  readonly at: Instant;
  /** CloudEvents `subject`: what it is about. */
  readonly subject: string;
  /** One sentence that says what to do. */
  readonly text: string;
  readonly data: JsonObject;
}

/** A notice as a CloudEvent 1.0 in structured JSON (cloudevents.io, spec v1.0.2 §3). `source` is the public address of this service. */
export function cloudEvent(notice: Notice, publicUrl: string): JsonObject {
  return {
    specversion: "1.0",
    id: notice.noticeId,
    source: `${publicUrl}/tenants/${notice.tenantId}`,
    type: notice.type,
    subject: notice.subject,
    time: new Date(notice.at).toISOString(),
    datacontenttype: "application/json",
    data: { text: notice.text, ...notice.data },
  };
}
