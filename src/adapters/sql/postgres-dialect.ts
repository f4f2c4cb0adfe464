import type { SqlDialect } from "./sql-dialect.ts";
import { sql } from "./sql-text.ts";

/**
 * PostgreSQL from 15 on, with ICU and a UTF-8 database, which the migrations check. Columns of text are `COLLATE "C"`, so that order
 * and comparison are those of bytes; texts that stand in no column say so here.
 */
export const postgresDialect: SqlDialect = {
  concurrent: true,
  // Weaker than FOR UPDATE: rows that only refer to this one do not wait.
  forUpdate: "FOR NO KEY UPDATE",
  forUpdateSkipLocked: "FOR NO KEY UPDATE SKIP LOCKED",
  indexedBy: () => "",
  values: (alias) =>
    `(SELECT item.key, item.value COLLATE "C" AS value FROM json_array_elements_text(CAST(? AS JSON)) WITH ORDINALITY AS item (value, key)) AS ${alias}`,
  rowList: (...columns) => `coalesce(json_agg(json_build_array(${columns.join(", ")})), '[]')`,
  greatest: (a, b) => `greatest(${a}, ${b})`,
  least: (a, b) => `least(${a}, ${b})`,
  finish: (piece) => piece.finish((n) => `$${String(n)}`),
  // ICU folds as JavaScript does, whatever the database's own locale is.
  fold: (text) => sql`(lower(normalize(${text}, NFC) collate "und-x-icu") collate "C")`,
  contains: (text, part) => sql`strpos(${text}, ${part}) > 0`,
  startsWith: (text, part) => sql`starts_with(${text}, ${part})`,
  endsWith: (text, part) =>
    part === ""
      ? sql`${text} is not null`
      : sql`right(${text}, ${Array.from(part).length}) = ${part}`,
  elements: (document, step, alias) => {
    const held = sql`(cast(${document} as json) -> cast(${step} as text))`;
    return sql`lateral (
      select item #>> '{}' collate "C" as value, case json_typeof(item)
        when 'string' then 'text'
        when 'number' then case when item #>> '{}' ~ '[.eE]' then 'real' else 'integer' end
        when 'boolean' then item #>> '{}'
        else json_typeof(item) end as type
      from json_array_elements(case when json_typeof(${held}) = 'array' then ${held} when ${held} is null then '[]' else json_build_array(${held}) end) as item
    ) as ${sql.ref(alias)}`;
  },
  textAt: (column, ...path) => `(${column}::jsonb #>> '{${path.join(",")}}')`,
  numberOf: (element) =>
    sql`case when ${element}.type in ('integer', 'real') then cast(${element}.value as double precision) end`,
};
