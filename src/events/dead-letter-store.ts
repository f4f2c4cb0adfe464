import type { Instant } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import type { Also } from "../model/records.ts";

/** A message of the bus that nobody could read. It belongs to no tenant: whose it is is what could not be read. */
export interface DeadLetter {
  /** Its place: `topic:partition:offset`. */
  readonly letterId: string;
  readonly topic: string;
  readonly receivedAt: Instant;
  readonly why: string;
  readonly key: Uint8Array | undefined;
  /** The first 64 KiB; undefined where the message had no value. */
  readonly value: Uint8Array | undefined;
  /** Of the whole value. */
  readonly valueBytes: number;
}

/** What a person looks at and drops. Nothing is redone from here: whatever a lost hint meant, its mark is still owed. */
export interface DeadLetterStore {
  /** Keeps a message; the same place again replaces it. Beyond 10,000 the oldest go. */
  keepDeadLetter(letter: DeadLetter): Promise<void>;
  /** Newest first. */
  listDeadLetters(limit: number): Promise<readonly DeadLetter[]>;
  getDeadLetter(letterId: string): Promise<DeadLetter | undefined>;
  /** The record is the tenant's of the operator who drops it. @throws StoreError NOT_FOUND */
  dropDeadLetter(tenantId: TenantId, letterId: string, also: Also): Promise<void>;
}

const valueMax = 64 * 1_024;

/** A letter from a message as it came, cut to size. */
export function deadLetter(
  message: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    readonly key: Uint8Array | undefined;
    readonly value: Uint8Array | undefined;
    readonly why: string;
  },
  receivedAt: Instant,
): DeadLetter {
  const { topic, partition, offset, key, value, why } = message;
  return {
    letterId: `${topic}:${String(partition)}:${offset}`,
    topic,
    receivedAt,
    why,
    key: key?.slice(0, 1_024),
    value: value?.slice(0, valueMax),
    valueBytes: value?.length ?? 0,
  };
}
