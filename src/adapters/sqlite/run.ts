import { Database } from "../sql/database.ts";
import type { Query } from "../sql/engine.ts";
import { sqliteDialect } from "../sql/sql-dialect.ts";
import type { Connection } from "./connection.ts";

/** What commands and queries of this process and its threads ask through. */
export const database = new Database(sqliteDialect);

export function runQuery<Args, Result>(
  connection: Connection,
  query: Query<Args, Result>,
  args: Args,
): Result {
  const steps = query.run(database, args);
  return query.snapshot === true ? connection.finishOnSnapshot(steps) : connection.finish(steps);
}
