import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { personBody } from "../people.ts";
import { identityIdOf, sourceUserIdOf } from "./company.ts";

/**
 * The physical floor of a new person: the same bytes in as many rows and indexes, plain statements, 16 people in a commit that is
 * synced, no thread, no check, no ids made. Answers people per second.
 */
export function rawInserts(
  folder: string,
  seconds: number,
  from: number,
): { readonly perSecond: number; readonly next: number } {
  const db = new DatabaseSync(join(folder, "raw.db"));
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    db.exec(schema);
    const statements = inserts.map((sql) => db.prepare(sql));
    const startedAt = performance.now();
    let next = from;
    while (performance.now() < startedAt + seconds * 1_000) {
      db.exec("BEGIN IMMEDIATE");
      for (let of = 0; of < 16; of++) {
        const rows = rowsOf(next++);
        statements.forEach((statement, at) => statement.run(...(rows[at] ?? [])));
      }
      db.exec("COMMIT");
    }
    return { next, perSecond: (next - from) / ((performance.now() - startedAt) / 1_000) };
  } finally {
    db.close();
  }
}

/** Keys and indexes as the store has them. */
const schema = `
  CREATE TABLE IF NOT EXISTS identities (tenant TEXT, id TEXT, active INTEGER, created INTEGER, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS users (tenant TEXT, id TEXT, idp TEXT, identity TEXT, name TEXT, folded TEXT, external TEXT, display TEXT,
    version INTEGER, resource TEXT, PRIMARY KEY (tenant, id));
  CREATE UNIQUE INDEX IF NOT EXISTS users_name ON users (tenant, idp, folded);
  CREATE INDEX IF NOT EXISTS users_external ON users (tenant, idp, external);
  CREATE INDEX IF NOT EXISTS users_live ON users (tenant, idp, id);
  CREATE INDEX IF NOT EXISTS users_identity ON users (tenant, identity, idp);
  CREATE TABLE IF NOT EXISTS emails (tenant TEXT, user TEXT, email TEXT, position INTEGER, PRIMARY KEY (tenant, user, email)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS emails_email ON emails (tenant, email);
  CREATE TABLE IF NOT EXISTS marks (tenant TEXT, identity TEXT, wanted INTEGER, done INTEGER, since INTEGER, PRIMARY KEY (tenant, identity)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (n INTEGER PRIMARY KEY, tenant TEXT, id TEXT, action TEXT, identity TEXT, body TEXT, personal TEXT);
  CREATE UNIQUE INDEX IF NOT EXISTS records_id ON records (tenant, id);
  CREATE INDEX IF NOT EXISTS records_identity ON records (tenant, identity, n);`;

const inserts = [
  "INSERT INTO identities VALUES (?, ?, 1, ?)",
  "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
  "INSERT INTO emails VALUES (?, ?, ?, 0)",
  "INSERT INTO marks VALUES (?, ?, 1, 0, ?)",
  "INSERT INTO records (tenant, id, action, identity, body, personal) VALUES (?, ?, 'user.created', ?, ?, ?)",
] as const;

function rowsOf(at: number): readonly (string | number)[][] {
  const person = personBody(at);
  const [user, identity, name] = [
    sourceUserIdOf(at),
    identityIdOf(at),
    person["userName"] as string,
  ];
  const text = JSON.stringify(person);
  // As long as a record of ours.
  const body = text.slice(0, 420);
  return [
    ["bench", identity, at],
    ["bench", user, "okta", identity, name, name, `00u${String(at)}`, name, text],
    ["bench", user, name],
    ["bench", identity, at],
    ["bench", user, identity, body, text.slice(0, 320)],
  ];
}
