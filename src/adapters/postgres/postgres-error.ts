import { DatabaseError } from "pg";
import { StoreError } from "../../model/errors.ts";

/** Names of unique indexes, and the field that each makes unique. */
export type UniqueFields = ReadonlyMap<string, string>;

/** Error codes of PostgreSQL (postgresql.org/docs/current/errcodes-appendix.html, 2026-01). */
const codes = {
  unique: "23505",
  foreignKey: "23503",
  check: "23514",
  notNull: "23502",
  serialization: "40001",
  deadlock: "40P01",
  featureNotSupported: "0A000",
  inFailedTransaction: "25P02",
};

/** The transaction was undone by the server, and the same one may pass now. */
export function mayPassAgain(error: unknown): boolean {
  const code = codeOf(error);
  return code === codes.serialization || code === codes.deadlock;
}

/** The connection cannot be used any more, or its prepared statements cannot. */
export function breaksConnection(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return isNetworkError(error);
  const code = error.code ?? "";
  // 57P01 to 57P03: the server shuts down, crashed or starts; 0A000: "cached plan must not change result type" after a migration.
  return /^(08|57P)/.test(code) || code === codes.featureNotSupported;
}

/** An echo of an earlier error of the same transaction. */
export function isEcho(error: unknown): boolean {
  return codeOf(error) === codes.inFailedTransaction;
}

/**
 * Classes whose statement may well pass later: connection exceptions, read-only servers, resources, cancellations and time-outs,
 * shutdowns, system errors, refused log-ins, and databases that are not there (yet).
 */
const unavailable = /^(08|25006|28|3D|40|53|55P03|57|58)/;

/** The same typed error for the same cause as every other database; what is no database error stays as it is. */
export function toStoreError(error: unknown, fields: UniqueFields): Error {
  if (error instanceof StoreError) return error;
  if (!(error instanceof DatabaseError)) {
    if (isNetworkError(error)) return unavailableError(error);
    return error instanceof Error ? error : new Error(String(error));
  }
  const code = error.code ?? "";
  if (unavailable.test(code)) return unavailableError(error);
  const cause = withoutValues(error);
  switch (code) {
    case codes.unique: {
      const field = fields.get(error.constraint ?? "");
      return new StoreError("ALREADY_EXISTS", `${field ?? "the value"} is taken`, {
        ...(field !== undefined && { field }),
        cause,
      });
    }
    case codes.foreignKey:
      return new StoreError("NOT_FOUND", "what the row belongs to does not exist in this tenant", {
        cause,
      });
    case codes.check:
    case codes.notNull:
      return new StoreError("INVALID", `the value cannot be stored: ${cause.message}`, { cause });
    default:
      return cause;
  }
}

/** @param unknown whether the transaction may have been written all the same */
export function unavailableError(error: unknown, unknown = false): StoreError {
  const why = whyUnavailable(error);
  const cause = error instanceof DatabaseError ? withoutValues(error) : error;
  return new StoreError(
    "UNAVAILABLE",
    unknown
      ? `the database did not say whether the change was written: ${why}`
      : `the database does not answer: ${why}`,
    { cause },
  );
}

/** The driver's or the server's own words, with what to do where they leave that open. */
function whyUnavailable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = networkCode(error);
  if (isCertificateCode(code))
    return `its certificate is not trusted (${code}): name its authority as sslrootcert in DATABASE_URL, and connect by the name in the certificate`;
  if (error.message.startsWith("The server does not support SSL"))
    return "it does not speak TLS: switch that on there, or say sslmode=disable in DATABASE_URL where the network is your own";
  return error.message;
}

/** Node's codes for a certificate that does not prove who is there. */
function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code);
}

function networkCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}

/** The details of a database error repeat the values of the row: people's data, which belongs in no log. */
function withoutValues(error: DatabaseError): Error {
  const place = error.constraint ?? error.table;
  return new Error(
    `${error.message} (${error.code ?? "no code"}${place === undefined ? "" : `, ${place}`})`,
  );
}

function codeOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

const systemErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ENOENT",
  "ENOTCONN",
  "ERR_STREAM_DESTROYED",
]);

/** What the driver throws when there is no connection: system errors, and sentences of its own. */
const driverSentences =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool|The server does not support SSL|read ECONN)/;

function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.every(isNetworkError);
  const code = networkCode(error);
  return (
    systemErrors.has(code) ||
    /^ERR_(TLS|SSL)/.test(code) ||
    isCertificateCode(code) ||
    driverSentences.test(error.message)
  );
}
