import type { DirectoryField, DirectoryQuery, PageRequest } from "../../directory/query.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdpId, TenantId } from "../../model/ids.ts";
import { compileCondition, type ListRules } from "./directory-condition.ts";
import type { SqlDialect } from "./sql-dialect.ts";
import { sql, type Sql, type Statement } from "./sql-text.ts";

export interface ListQuestion {
  readonly tenantId: TenantId;
  readonly idpId: IdpId;
  readonly query: DirectoryQuery;
  readonly sort: PageRequest["sort"];
  readonly limit: number;
  /** Rows to pass over; `after` makes it cheap where a former page's end is known. */
  readonly offset: number;
  readonly after: string | undefined;
}

/** One page of live people or groups of an IdP connection, and how many there are in all. */
export function compileList(
  question: ListQuestion,
  rules: ListRules,
  columns: readonly string[],
  dialect: SqlDialect,
): { readonly page: Statement; readonly count: Statement } {
  const { tenantId, idpId, query, sort, limit, offset, after } = question;
  const table = sql.table(rules.table);
  const column = (name: string) => sql.ref(`${rules.table}.${name}`);
  const matching = sql`from ${table} where ${column("tenant_id")} = ${tenantId} and ${column("idp_id")} = ${idpId} and ${column("deleted_at")} is null and ${compileCondition(query, rules, tenantId, dialect)}`;
  const from = after === undefined ? sql`` : sql` and ${column(rules.id)} > ${after}`;
  const order =
    sort === undefined
      ? sql`${column(rules.id)}`
      : sql.join([
          ...sortKeys(sort.field, rules, dialect).map(
            (key) => sql`${key} ${sort.descending ? sql`desc nulls first` : sql`asc nulls last`}`,
          ),
          column(rules.id),
        ]);
  return {
    page: dialect.finish(
      sql`select ${sql.join(columns.map(column))} ${matching}${from} order by ${order} limit ${limit} offset ${offset}`,
    ),
    count: dialect.finish(sql`select count(*) as total ${matching}`),
  };
}

/** RFC 7644 section 3.4.2.3: text sorts without regard to case; of many values the first counts; absent values are the greatest. */
function sortKeys(
  field: DirectoryField,
  rules: ListRules,
  dialect: SqlDialect,
): readonly [Sql, ...Sql[]] {
  const column = (name: string) => sql.ref(`${rules.table}.${name}`);
  if ("resource" in field) return documentSortKeys(field.resource, rules, dialect);
  const rule = rules.columns[field.column];
  switch (rule?.kind) {
    case "text":
      return [column(rule.folded ?? rule.exact)];
    case "boolean":
    case "instant":
      return [column(rule.column)];
    case "many":
      return [
        sql`(select min(${sql.ref(rule.value)}) from ${sql.table(rule.table)} where tenant_id = ${column("tenant_id")} and ${sql.ref(`${rule.table}.${rule.owner}`)} = ${column(rules.id)} and ${rule.only ?? sql`true`})`,
      ];
    case undefined:
      throw new StoreError("INVALID", `sortBy: ${field.column} cannot be sorted by`, {
        field: "sortBy",
      });
  }
}

/** Numbers stand before text, as two keys: one column cannot hold both everywhere. */
function documentSortKeys(
  path: readonly string[],
  rules: ListRules,
  dialect: SqlDialect,
): readonly [Sql, Sql] {
  if (rules.document === undefined || path.length === 0) {
    throw new StoreError("INVALID", `sortBy: ${path.join(".")} cannot be sorted by`, {
      field: "sortBy",
    });
  }
  let place: Sql = sql.ref(`${rules.table}.${rules.document}`);
  let alias = "";
  const items = path.map((step, index) => {
    alias = `s${String(index)}`;
    const item = dialect.elements(place, step, alias);
    place = sql`case when ${sql.ref(alias)}.type = 'object' then ${sql.ref(alias)}.value end`;
    return item;
  });
  const last = sql.ref(alias);
  const first = (key: Sql) =>
    sql`(select ${key} from ${sql.join(items, sql` cross join `)} where ${last}.type not in ('object', 'null') limit 1)`;
  return [
    first(dialect.numberOf(last)),
    first(
      sql`case when ${last}.type not in ('integer', 'real') then ${dialect.fold(sql`${last}.value`)} end`,
    ),
  ];
}
