import { createHash } from "node:crypto";
import type { HrRecord } from "../directory/hr-store.ts";
import type { Instant } from "../model/clock.ts";
import { StoreError } from "../model/errors.ts";
import { newId, type HrSourceId, type IdentityId, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor } from "../model/records.ts";
import { acceptUpload, workUpload, type UploadAnswer } from "./accept.ts";
import type { HrDeps } from "./hr-deps.ts";

/** What operators do with HR sources and what they sent. */
export interface HrDesk {
  /** The answer is the only place where the secret is ever seen. @throws StoreError ALREADY_EXISTS */
  addSource(
    tenantId: TenantId,
    sourceId: HrSourceId,
    actor: Actor,
  ): Promise<{ readonly secret: string }>;
  /** A new secret; the one before is good for `overlapMs` more. @throws StoreError NOT_FOUND */
  rotate(
    tenantId: TenantId,
    sourceId: HrSourceId,
    overlapMs: number,
    actor: Actor,
  ): Promise<{ readonly secret: string; readonly formerUntil: Instant }>;
  /** It is heard no more; what it said stands, and nobody leaves by it. @throws StoreError NOT_FOUND */
  removeSource(tenantId: TenantId, sourceId: HrSourceId, actor: Actor): Promise<void>;
  /** A CSV file, as an upload of its own. @throws StoreError NOT_FOUND; ALREADY_EXISTS where the name was used for another file */
  importFile(
    tenantId: TenantId,
    sourceId: HrSourceId,
    file: {
      readonly text: string;
      readonly asOf: string | undefined;
      readonly complete: boolean;
    },
    actor: Actor,
  ): Promise<UploadAnswer>;
  /** Reads a kept upload again by what hr.yaml says now. @throws StoreError NOT_FOUND */
  replay(tenantId: TenantId, uploadId: string, actor: Actor): Promise<UploadAnswer>;
  dismiss(
    tenantId: TenantId,
    place: { readonly uploadId: string; readonly position: number },
    why: string,
    actor: Actor,
  ): Promise<void>;
  /** Says whose record it is, or (undefined) that it is nobody's. @throws StoreError NOT_FOUND, VERSION_CONFLICT, ALREADY_EXISTS */
  join(
    tenantId: TenantId,
    record: { readonly sourceId: HrSourceId; readonly personKey: string },
    identityId: IdentityId | undefined,
    why: string,
    actor: Actor,
  ): Promise<void>;
}

export interface HrDeskDeps extends HrDeps {
  readonly putSecret: (
    tenantId: TenantId,
    name: string,
    secret: string,
    actor: Actor,
  ) => Promise<{ readonly fingerprint: string }>;
}

export function createHrDesk(deps: HrDeskDeps): HrDesk {
  return {
    addSource: async (tenantId, sourceId, actor) => {
      const now = deps.clock.now();
      await deps.store.addHrSource(
        tenantId,
        { sourceId, now },
        sourceRecord(deps, actor, "hr.source_added", sourceId),
      );
      return { secret: await newSecret(deps, tenantId, sourceId, now, actor) };
    },
    rotate: async (tenantId, sourceId, overlapMs, actor) => {
      const formerUntil = deps.clock.now() + overlapMs;
      const secret = await newSecret(deps, tenantId, sourceId, formerUntil, actor);
      return { secret, formerUntil };
    },
    removeSource: (tenantId, sourceId, actor) =>
      deps.store.removeHrSource(
        tenantId,
        { sourceId, now: deps.clock.now() },
        sourceRecord(deps, actor, "hr.source_removed", sourceId),
      ),
    importFile: (tenantId, sourceId, file, actor) =>
      importFile(deps, tenantId, sourceId, file, actor),
    replay: async (tenantId, uploadId, actor) => {
      const upload = await deps.store.getHrUpload(tenantId, uploadId);
      if (upload === undefined)
        throw new StoreError("NOT_FOUND", `there is no HR upload ${uploadId}`);
      return workUpload(deps, { tenantId, sourceId: upload.sourceId, actor }, upload);
    },
    dismiss: (tenantId, place, why, actor) =>
      deps.store.dismissHrMessage(tenantId, place, {
        records: [
          newRecord(deps.clock, {
            actor,
            action: "hr.message_dismissed",
            subject: { type: "hr_message", id: `${place.uploadId}/${String(place.position)}` },
            facts: { why },
          }),
        ],
        recompute: [],
      }),
    join: (tenantId, key, identityId, why, actor) =>
      join(deps, tenantId, key, identityId, why, actor),
  };
}

const secretBytes = 32;

async function newSecret(
  deps: HrDeskDeps,
  tenantId: TenantId,
  sourceId: HrSourceId,
  formerUntil: Instant,
  actor: Actor,
): Promise<string> {
  const secret = `rc_hr_${Buffer.from(deps.clock.bytes(secretBytes)).toString("base64url")}`;
  // A name of its own for each: of two rotations at once neither takes the other's place.
  const secretName = `hr-${Buffer.from(deps.clock.bytes(8)).toString("hex")}`;
  const { fingerprint } = await deps.putSecret(tenantId, secretName, secret, actor);
  await deps.store.addHrSecret(
    tenantId,
    {
      secret: { sourceId, secretName, fingerprint, createdAt: deps.clock.now() },
      formerUntil,
    },
    sourceRecord(deps, actor, "hr.secret_added", sourceId, { fingerprint, formerUntil }),
  );
  return secret;
}

function sourceRecord(
  deps: HrDeps,
  actor: Actor,
  action: string,
  sourceId: HrSourceId,
  facts: Readonly<Record<string, string | number>> = {},
) {
  return {
    records: [
      newRecord(deps.clock, {
        actor,
        action,
        subject: { type: "hr_source", id: sourceId },
        facts,
      }),
    ],
    recompute: [],
  };
}

async function importFile(
  deps: HrDeskDeps,
  tenantId: TenantId,
  sourceId: HrSourceId,
  file: {
    readonly text: string;
    readonly asOf: string | undefined;
    readonly complete: boolean;
  },
  actor: Actor,
): Promise<UploadAnswer> {
  const body = Buffer.from(file.text, "utf8");
  const contentType = [
    "text/csv",
    ...(file.asOf === undefined ? [] : [`asOf=${file.asOf}`]),
    ...(file.complete ? ["complete=yes"] : []),
  ].join("; ");
  const answer = await acceptUpload(
    deps,
    { tenantId, sourceId, actor },
    // The same file for the same day is the same upload; for another day it says something new.
    {
      kind: "file",
      key: createHash("sha256")
        .update(`${file.asOf ?? String(deps.clock.now())}\n`)
        .update(body)
        .digest("hex"),
      contentType,
      body,
    },
  );
  if (answer === "conflict")
    throw new StoreError("ALREADY_EXISTS", "another file was imported under this name");
  return answer;
}

async function join(
  deps: HrDeskDeps,
  tenantId: TenantId,
  key: { readonly sourceId: HrSourceId; readonly personKey: string },
  identityId: IdentityId | undefined,
  why: string,
  actor: Actor,
): Promise<void> {
  const record = await deps.store.getHrRecord(tenantId, key);
  if (record === undefined)
    throw new StoreError("NOT_FOUND", `${key.sourceId} has no record ${key.personKey}`);
  await deps.store.joinHrRecord(
    tenantId,
    {
      ...key,
      expect: record.version,
      identityId,
      by: identityId === undefined ? undefined : "operator",
    },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: identityId === undefined ? "hr.parted" : "hr.joined",
          subject: { type: "identity", id: identityId ?? record.identityId ?? newId(deps.clock) },
          facts: { sourceId: key.sourceId, by: "operator", why },
          personal: { personKey: key.personKey },
        }),
      ],
      recompute: concerned(record, identityId).map((id) => ({
        identityId: id,
        cause: { kind: "operator" },
        urgent: false,
      })),
    },
  );
  deps.onCommit();
}

function concerned(record: HrRecord, next: IdentityId | undefined): readonly IdentityId[] {
  return [...new Set([record.identityId, next])].filter((id) => id !== undefined);
}
