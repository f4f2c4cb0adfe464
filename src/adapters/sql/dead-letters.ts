import type { DeadLetter, DeadLetterStore } from "../../events/dead-letter-store.ts";
import type { Clock, Instant } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";
import { writeAlso } from "./also.ts";
import type { Database, Steps } from "./database.ts";
import type { Engine, Query } from "./engine.ts";

interface LetterRow {
  readonly letter_id: string;
  readonly topic: string;
  readonly received_at: number;
  readonly why: string;
  readonly message_key: Uint8Array | null;
  readonly message_value: Uint8Array | null;
  readonly value_bytes: number;
}

const kept = 10_000;

const toLetter = (row: LetterRow): DeadLetter => ({
  letterId: row.letter_id,
  topic: row.topic,
  receivedAt: row.received_at,
  why: row.why,
  key: row.message_key ?? undefined,
  value: row.message_value ?? undefined,
  valueBytes: row.value_bytes,
});

function* keepDeadLetter(db: Database, letter: DeadLetter): Steps<null> {
  yield* db.run(
    `INSERT INTO dead_letters (letter_id, topic, received_at, why, message_key, message_value, value_bytes)
       VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (letter_id) DO UPDATE SET topic = excluded.topic, received_at = excluded.received_at, why = excluded.why,
       message_key = excluded.message_key, message_value = excluded.message_value, value_bytes = excluded.value_bytes`,
    letter.letterId,
    letter.topic,
    letter.receivedAt,
    letter.why,
    letter.key ?? null,
    letter.value ?? null,
    letter.valueBytes,
  );
  const row = yield* db.get<{ count: number }>("SELECT count(*) AS count FROM dead_letters");
  const over = Number(row?.count ?? 0) - kept;
  if (over > 0) {
    yield* db.run(
      `DELETE FROM dead_letters WHERE letter_id IN
         (SELECT letter_id FROM dead_letters ORDER BY received_at, letter_id LIMIT ?)`,
      over,
    );
  }
  return null;
}

function* dropDeadLetter(
  db: Database,
  args: {
    readonly tenantId: TenantId;
    readonly letterId: string;
    readonly now: Instant;
    readonly also: Also;
  },
): Steps<null> {
  const dropped = yield* db.run("DELETE FROM dead_letters WHERE letter_id = ?", args.letterId);
  if (dropped === 0) throw new StoreError("NOT_FOUND", `there is no dead letter ${args.letterId}`);
  yield* writeAlso(db, args.tenantId, args.also, args.now);
  return null;
}

const listDeadLetters: Query<{ readonly limit: number }, readonly DeadLetter[]> = {
  place: "scan",
  *run(db, { limit }) {
    const rows = yield* db.all<LetterRow>(
      "SELECT * FROM dead_letters ORDER BY received_at DESC, letter_id DESC LIMIT ?",
      limit,
    );
    return rows.map(toLetter);
  },
};

const getDeadLetter: Query<{ readonly letterId: string }, DeadLetter | undefined> = {
  place: "point",
  *run(db, { letterId }) {
    const row = yield* db.get<LetterRow>(
      "SELECT * FROM dead_letters WHERE letter_id = ?",
      letterId,
    );
    return row === undefined ? undefined : toLetter(row);
  },
};

export const deadLetterCommands = { keepDeadLetter, dropDeadLetter };
export const deadLetterQueries = { listDeadLetters, getDeadLetter };

/** The port of dead letters over an engine. */
export function deadLetterStore(engine: Engine, clock: Clock): DeadLetterStore {
  return {
    keepDeadLetter: async (letter) => {
      await engine.write(keepDeadLetter, letter);
    },
    listDeadLetters: (limit) => engine.read(listDeadLetters, { limit }),
    getDeadLetter: (letterId) => engine.read(getDeadLetter, { letterId }),
    dropDeadLetter: async (tenantId, letterId, also) => {
      await engine.write(dropDeadLetter, { tenantId, letterId, now: clock.now(), also });
    },
  };
}
