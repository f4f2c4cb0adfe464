import type { Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { StoreStamp } from "../store.ts";
import type { Database, Steps } from "./database.ts";
import type { Query } from "./engine.ts";

interface StampRow {
  readonly world: StoreStamp["world"];
  readonly instance_id: string;
  readonly created_at: Instant;
  readonly home: string | null;
}

/**
 * Stamps a new database, or compares the stamp that is there.
 * @throws StoreError INVALID field "world" when the database was made for another world
 */
export function* stampDatabase(db: Database, wanted: StoreStamp): Steps<StoreStamp> {
  yield* db.tell(
    "INSERT INTO stamp (one, world, instance_id, created_at) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING",
    wanted.world,
    wanted.instanceId,
    wanted.createdAt,
  );
  if (wanted.home !== undefined) {
    yield* db.tell("UPDATE stamp SET home = ? WHERE home IS NULL", wanted.home);
  }
  const row = yield* db.get<StampRow>("SELECT world, instance_id, created_at, home FROM stamp");
  if (row === undefined) throw new StoreError("UNAVAILABLE", "the database has no stamp");
  if (row.world !== wanted.world) {
    throw new StoreError(
      "INVALID",
      `this data folder was made for the ${row.world} world and is now opened for the ${wanted.world} one: ` +
        "the two are never mixed. Choose another folder with ROLECALL_DATA_DIR, " +
        (row.world === "sandbox" ? "or set ROLECALL_SANDBOX=1." : "or unset ROLECALL_SANDBOX."),
      { field: "world" },
    );
  }
  return {
    world: row.world,
    instanceId: row.instance_id,
    createdAt: row.created_at,
    home: row.home ?? undefined,
  };
}

/** A write that proves that writing works, and changes nothing that anybody reads. */
function* pingWrite(db: Database, args: { readonly at: Instant }): Steps<null> {
  yield* db.tell("UPDATE stamp SET pinged_at = ?", args.at);
  return null;
}

const pingRead: Query<null, number> = {
  place: "point",
  *run(db) {
    return (yield* db.get<{ n: number }>("SELECT count(*) AS n FROM stamp"))?.n ?? 0;
  },
};

const pingScan: Query<null, number> = { place: "scan", run: pingRead.run };

export const stampCommands = { pingWrite };
export const stampQueries = { pingRead, pingScan };
