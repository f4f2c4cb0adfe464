import type { Clock, Instant } from "../model/clock.ts";
import type { Logger } from "../model/log.ts";
import type { FaultKind, FaultSchedule } from "./fault-schedule.ts";
import type { PersistedState } from "./state-file.ts";

/** What every simulated vendor offers to the process that runs it. Over HTTP the same is under `/__control/`. */
export interface VendorSimulator {
  readonly vendor: string;
  /** Base URL without trailing slash, e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  readonly faults: FaultSchedule;
  /** The newest requests, oldest first; bounded. */
  readonly requests: readonly RecordedRequest[];
  /** Per folded address: how often somebody asked to create an account or invitation for it. */
  createAttempts(email: string): CreateAttempts;
  allCreateAttempts(): Readonly<Record<string, CreateAttempts>>;
  /** Ends every connection, held ones too, and resolves when the port is free. May be called again. */
  close(): Promise<void>;
}

export interface SimulatorOptions {
  /** Domain time: expiry, rate limits, delays and retry-after follow it. */
  readonly clock: Clock;
  /** 0 or absent: a free one. */
  readonly port?: number;
  /** Absent: 127.0.0.1, since `/__control/` asks for no credential. */
  readonly host?: string;
  /** Where the vendor's truth outlives the process. What is stored wins over the options that describe a first truth. */
  readonly state?: PersistedState;
  readonly log?: Logger;
}

export interface RecordedRequest {
  /** Counts from 1 in this process. */
  readonly seq: number;
  readonly method: string;
  /** Path and query as sent. */
  readonly path: string;
  /** Undefined for a path that the vendor does not have. */
  readonly operation: string | undefined;
  readonly at: Instant;
  /** Undefined where no answer was sent. */
  readonly status: number | undefined;
  /** SHA-256 (hex) of the body; undefined where there was none. */
  readonly bodyHash: string | undefined;
  /** The fault that struck. */
  readonly fault: FaultKind | undefined;
}

/** `attempted` counts every create that passed credential and rate limit, whatever became of it. */
export interface CreateAttempts {
  readonly attempted: number;
  /** The vendor made one, whether or not the answer arrived. */
  readonly created: number;
  /** The vendor said no, e.g. because there is one already. */
  readonly refused: number;
}
