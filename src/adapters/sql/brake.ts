import { isDeepStrictEqual } from "node:util";
import type { Instant } from "../../model/clock.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import type { Brake, BrakeStore } from "../../recovery/brake-store.ts";
import { parsedOrNull } from "./account-args.ts";
import { writeAlso } from "./also.ts";
import { documentText, type Database, type Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

function* storedBrake(db: Database): Steps<Brake | undefined> {
  const row = yield* db.get<{ brake: string | null }>("SELECT brake FROM stamp");
  return parsedOrNull<Brake>(row?.brake ?? null) ?? undefined;
}

function* pullBrake(db: Database, brake: Brake): Steps<null> {
  // Two processes that start at once both have their say.
  yield* db.lock("SELECT 1 FROM stamp FOR NO KEY UPDATE");
  const known = yield* storedBrake(db);
  const reasons = [...(known?.reasons ?? [])];
  for (const reason of brake.reasons) {
    if (!reasons.some((item) => isDeepStrictEqual(item, reason))) reasons.push(reason);
  }
  yield* db.tell(
    "UPDATE stamp SET brake = ?",
    documentText({ since: known?.since ?? brake.since, reasons }),
  );
  return null;
}

function* releaseBrake(
  db: Database,
  command: {
    readonly home: string | null;
    readonly now: Instant;
    readonly tenants: readonly { readonly tenantId: TenantId; readonly also: Also }[];
  },
): Steps<null> {
  yield* db.tell("UPDATE stamp SET brake = NULL, home = coalesce(?, home)", command.home);
  for (const { tenantId, also } of command.tenants) {
    yield* writeAlso(db, tenantId, also, command.now);
  }
  return null;
}

const readBrake: Query<null, Brake | undefined> = { place: "point", run: storedBrake };

export const brakeCommands = { pullBrake, releaseBrake };
export const brakeQueries = { readBrake };

/** The brake of the store over an engine. */
export function brakeStore(engine: Engine): BrakeStore {
  return {
    readBrake: () => engine.read(readBrake, null),
    pullBrake: async (brake) => {
      await engine.write(pullBrake, brake);
    },
    releaseBrake: async ({ home, now, tenants }) => {
      await engine.write(releaseBrake, { home: home ?? null, now, tenants });
    },
  };
}
