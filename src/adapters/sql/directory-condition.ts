import type { DirectoryField, DirectoryQuery } from "../../directory/query.ts";
import { StoreError } from "../../model/errors.ts";
import { fold, foldEmail } from "../../model/fold.ts";
import type { TenantId } from "../../model/ids.ts";
import type { SqlDialect } from "./sql-dialect.ts";
import { sql, type Sql } from "./sql-text.ts";

type Compare = Extract<DirectoryQuery, { op: "compare" }>;
type Column = Extract<DirectoryField, { column: string }>["column"];

/** How a column of a list is asked. */
export type ColumnRule =
  /** `folded`: the column that holds the folded text, where one is kept. */
  | { readonly kind: "text"; readonly exact: string; readonly folded?: string }
  | { readonly kind: "boolean"; readonly column: string }
  | { readonly kind: "instant"; readonly column: string }
  /** Many values in a table of their own; `owner` is the row's id there. `folded`: only folded text is kept. */
  | {
      readonly kind: "many";
      readonly table: string;
      readonly owner: string;
      readonly value: string;
      readonly only?: Sql;
      readonly folded: boolean;
    };

export interface ListRules {
  /** Table, and the column of its ids. */
  readonly table: "users" | "groups";
  readonly id: string;
  readonly columns: Readonly<Partial<Record<Column, ColumnRule>>>;
  /** Column of the JSON document; undefined: the resource is its columns. */
  readonly document: string | undefined;
}

export const userRules: ListRules = {
  table: "users",
  id: "source_user_id",
  document: "resource",
  columns: {
    id: { kind: "text", exact: "source_user_id" },
    userName: { kind: "text", exact: "user_name", folded: "user_name_folded" },
    externalId: { kind: "text", exact: "external_id" },
    displayName: { kind: "text", exact: "display_name", folded: "display_name_folded" },
    active: { kind: "boolean", column: "active" },
    emails: {
      kind: "many",
      table: "user_emails",
      owner: "source_user_id",
      value: "email_folded",
      only: sql`position is not null`,
      folded: true,
    },
    createdAt: { kind: "instant", column: "created_at" },
    updatedAt: { kind: "instant", column: "updated_at" },
  },
};

export const groupRules: ListRules = {
  table: "groups",
  id: "group_id",
  document: undefined,
  columns: {
    id: { kind: "text", exact: "group_id" },
    displayName: { kind: "text", exact: "display_name", folded: "display_name_folded" },
    externalId: { kind: "text", exact: "external_id" },
    members: {
      kind: "many",
      table: "memberships",
      owner: "group_id",
      value: "member_id",
      folded: false,
    },
    createdAt: { kind: "instant", column: "created_at" },
    updatedAt: { kind: "instant", column: "updated_at" },
  },
};

/** Where fields are looked for: the row of a list, or one element of a multi-valued attribute. */
interface Scope {
  readonly rules: ListRules;
  readonly tenantId: TenantId;
  readonly dialect: SqlDialect;
  /** The element as JSON object; undefined: the row itself. */
  readonly element: Sql | undefined;
  /** The element of a "many" column: its one value. */
  readonly member: string | undefined;
  readonly depth: number;
}

/** A question as an SQL condition on the rows of `rules.table`. @throws StoreError INVALID field "filter" */
export function compileCondition(
  query: DirectoryQuery,
  rules: ListRules,
  tenantId: TenantId,
  dialect: SqlDialect,
): Sql {
  return condition(query, {
    rules,
    tenantId,
    dialect,
    element: undefined,
    member: undefined,
    depth: 0,
  });
}

/** Whether an index leads to the few rows that can match: such a question costs no scan. */
export function isIndexed(query: DirectoryQuery, rules: ListRules): boolean {
  if (query.op === "and") return query.of.some((part) => isIndexed(part, rules));
  if (query.op !== "compare" || query.test !== "eq" || !("column" in query.field)) return false;
  if (query.value === null) return false;
  switch (query.field.column) {
    case "id":
    case "userName":
    case "emails":
    case "members":
      return true;
    case "externalId":
      return query.exact;
    case "displayName":
      return rules.table === "groups";
    case "active":
    case "createdAt":
    case "updatedAt":
      return false;
  }
}

/** Whether a condition reads documents, and not only columns. */
export function readsDocuments(query: DirectoryQuery): boolean {
  switch (query.op) {
    case "all":
      return false;
    case "and":
    case "or":
      return query.of.some(readsDocuments);
    case "not":
      return readsDocuments(query.of);
    case "compare":
    case "present":
    case "element":
      return "resource" in query.field;
  }
}

function condition(query: DirectoryQuery, scope: Scope): Sql {
  switch (query.op) {
    case "all":
      return sql`true`;
    case "and":
    case "or":
      if (query.of.length === 0) return query.op === "and" ? sql`true` : sql`false`;
      return sql`(${sql.join(
        query.of.map((part) => condition(part, scope)),
        query.op === "and" ? sql` and ` : sql` or `,
      )})`;
    case "not":
      // SQL's NULL is "unknown" and stays so under NOT; a filter knows only true and false.
      return sql`not coalesce((${condition(query.of, scope)}), false)`;
    case "present":
      return comparison({ ...presence, field: query.field }, scope);
    case "compare":
      return comparison(query, scope);
    case "element":
      return elementCondition(query.field, query.of, scope);
  }
}

/** "Present" is "not null and not empty"; it is compiled as `ne null`. */
const presence = { op: "compare", test: "ne", value: null, exact: true } as const;

function comparison(query: Compare, scope: Scope): Sql {
  const { field } = query;
  if ("resource" in field) {
    if (scope.member !== undefined) return memberCondition(query, scope);
    return documentCondition(query, field.resource, scope);
  }
  const rule = scope.rules.columns[field.column];
  if (rule === undefined || scope.element !== undefined || scope.member !== undefined) {
    throw cannotAsk(field.column);
  }
  const column = (name: string) => sql.ref(`${scope.rules.table}.${name}`);
  switch (rule.kind) {
    case "text":
      return textColumn(query, rule, column, scope.dialect);
    case "boolean":
      return booleanColumn(query, column(rule.column));
    case "instant":
      return instantColumn(query, column(rule.column));
    case "many":
      return manyColumn(query, rule, scope);
  }
}

function textColumn(
  query: Compare,
  rule: Extract<ColumnRule, { kind: "text" }>,
  column: (name: string) => Sql,
  dialect: SqlDialect,
): Sql {
  const stored = column(rule.exact);
  if (query.value === null) return nullTest(query, stored, sql`''`);
  const value = textOf(query);
  if (query.exact) {
    const exactly = textTest(query.test, stored, value, dialect);
    // The index is on the folded column: equal text is also equal when folded.
    return rule.folded !== undefined && query.test === "eq"
      ? sql`(${column(rule.folded)} = ${fold(value)} and ${exactly})`
      : exactly;
  }
  const folded = rule.folded === undefined ? dialect.fold(stored) : column(rule.folded);
  return textTest(query.test, folded, fold(value), dialect);
}

function textTest(test: Compare["test"], stored: Sql, value: string, dialect: SqlDialect): Sql {
  switch (test) {
    case "eq":
      return sql`${stored} = ${value}`;
    case "ne":
      return sql`(${stored} is null or ${stored} <> ${value})`;
    case "co":
      return dialect.contains(stored, value);
    case "sw":
      // The bound lets an index skip what sorts before; the test itself says which rows match.
      return sql`(${stored} >= ${value} and ${dialect.startsWith(stored, value)})`;
    case "ew":
      return dialect.endsWith(stored, value);
    case "gt":
      return sql`${stored} > ${value}`;
    case "ge":
      return sql`${stored} >= ${value}`;
    case "lt":
      return sql`${stored} < ${value}`;
    case "le":
      return sql`${stored} <= ${value}`;
  }
}

function nullTest(query: Compare, stored: Sql, empty: Sql): Sql {
  if (query.test === "eq") return sql`(${stored} is null or ${stored} = ${empty})`;
  if (query.test === "ne") return sql`(${stored} is not null and ${stored} <> ${empty})`;
  throw invalid(`null can be compared with "eq" and "ne" only`);
}

function booleanColumn(query: Compare, stored: Sql): Sql {
  if (query.value === null) return query.test === "ne" ? sql`true` : sql`false`;
  if (typeof query.value !== "boolean") throw invalid("expected true or false");
  if (query.test === "eq") return sql`${stored} = ${query.value}`;
  if (query.test === "ne") return sql`${stored} <> ${query.value}`;
  throw invalid(`true and false can be compared with "eq" and "ne" only`);
}

function instantColumn(query: Compare, stored: Sql): Sql {
  if (query.value === null) return query.test === "ne" ? sql`true` : sql`false`;
  const at = typeof query.value === "string" ? Date.parse(query.value) : query.value;
  if (typeof at !== "number" || !Number.isSafeInteger(at)) {
    throw invalid("expected an instant such as 2026-01-31T12:00:00Z");
  }
  return numberTest(query.test, stored, at);
}

function numberTest(test: Compare["test"], stored: Sql, value: number): Sql {
  const signs = { eq: "=", ne: "<>", gt: ">", ge: ">=", lt: "<", le: "<=" } as const;
  if (test === "co" || test === "sw" || test === "ew") {
    throw invalid(`"${test}" compares text, but the value is a number or an instant`);
  }
  return sql`${stored} ${sql.raw(signs[test])} ${value}`;
}

function manyColumn(
  query: Compare,
  rule: Extract<ColumnRule, { kind: "many" }>,
  scope: Scope,
): Sql {
  if (rule.folded && query.exact && typeof query.value === "string") {
    // Only folded text is kept beside the row; text as it was sent stands in the document.
    return documentCondition(query, ["emails", "value"], scope);
  }
  const value = sql.ref(rule.value);
  const id = sql.ref(`${scope.rules.table}.${scope.rules.id}`);
  const holding = (test: Sql) =>
    sql`${id} in (select ${sql.ref(rule.owner)} from ${sql.table(rule.table)} where tenant_id = ${scope.tenantId} and ${rule.only ?? sql`true`} and ${test})`;
  const any = holding(sql`${sql.ref(rule.owner)} = ${id}`);
  if (query.value === null) {
    if (query.test === "ne") return any;
    if (query.test === "eq") return sql`not ${any}`;
    throw invalid(`null can be compared with "eq" and "ne" only`);
  }
  const text = rule.folded ? foldEmail(textOf(query)) : textOf(query);
  const test = textTest(query.test, value, text, scope.dialect);
  return query.test === "ne" ? sql`(not ${any} or ${holding(test)})` : holding(test);
}

function memberCondition(query: Compare, scope: Scope): Sql {
  if (!("resource" in query.field) || query.field.resource.join(".") !== "value") {
    throw cannotAsk(`${scope.member ?? ""} other than by "value"`);
  }
  return textTest(query.test, sql.ref(scope.member ?? ""), textOf(query), scope.dialect);
}

function elementCondition(field: DirectoryField, inner: DirectoryQuery, scope: Scope): Sql {
  if (scope.element !== undefined || scope.member !== undefined) {
    throw invalid("brackets inside brackets cannot be asked");
  }
  if ("column" in field && field.column === "members") {
    const rule = scope.rules.columns.members;
    if (rule?.kind !== "many") throw cannotAsk("members");
    const id = sql.ref(`${scope.rules.table}.${scope.rules.id}`);
    const test = condition(inner, { ...scope, member: rule.value });
    return sql`${id} in (select ${sql.ref(rule.owner)} from ${sql.table(rule.table)} where tenant_id = ${scope.tenantId} and ${test})`;
  }
  const path = "column" in field ? [field.column] : field.resource;
  const { from, last } = walk(path, scope);
  const element = sql`case when ${last}.type = 'object' then ${last}.value end`;
  const test = condition(inner, { ...scope, element, depth: scope.depth + path.length });
  return sql`exists (select 1 from ${from} where ${last}.type = 'object' and ${test})`;
}

/** The FROM items that lead along a path of attributes; any element of each multi-valued one. */
function walk(path: readonly string[], scope: Scope): { readonly from: Sql; readonly last: Sql } {
  const { document, table } = scope.rules;
  if (document === undefined) throw cannotAsk(path.join("."));
  let place = scope.element ?? sql`${sql.ref(`${table}.${document}`)}`;
  let alias = "";
  const items = path.map((step, index) => {
    if (!/^[\w:.$/%~+-]+$/.test(step)) throw cannotAsk(step);
    alias = `e${String(scope.depth + index)}`;
    const item = scope.dialect.elements(place, step, alias);
    place = sql`case when ${sql.ref(alias)}.type = 'object' then ${sql.ref(alias)}.value end`;
    return item;
  });
  if (items.length === 0) throw invalid("expected an attribute name");
  return { from: sql.join(items, sql` cross join `), last: sql.ref(alias) };
}

function documentCondition(query: Compare, path: readonly string[], scope: Scope): Sql {
  const { from, last } = walk(path, scope);
  const value = sql`${last}.value`;
  const type = sql`${last}.type`;
  const some = (test: Sql) => sql`exists (select 1 from ${from} where ${test})`;
  const filled = sql`${type} <> 'null' and ${value} <> '' and ${value} <> '{}'`;
  if (query.value === null) {
    if (query.test === "ne") return some(filled);
    if (query.test === "eq") return sql`not ${some(filled)}`;
    throw invalid(`null can be compared with "eq" and "ne" only`);
  }
  const { test, exact } = query;
  if (typeof query.value === "boolean") {
    if (test !== "eq" && test !== "ne") {
      throw invalid(`true and false can be compared with "eq" and "ne" only`);
    }
    // RFC 7643 section 2.4: an absent boolean such as `primary` is false.
    const wanted = query.value === (test === "eq");
    const found = some(sql`${type} = ${wanted ? "true" : "false"}`);
    return wanted ? found : sql`(${found} or not ${some(sql`${type} in ('true', 'false')`)})`;
  }
  const absent = sql`not ${some(filled)}`;
  if (typeof query.value === "number") {
    const match = some(numberTest(test, scope.dialect.numberOf(last), query.value));
    return test === "ne" ? sql`(${absent} or ${match})` : match;
  }
  const text = exact ? query.value : fold(query.value);
  const stored = exact ? value : scope.dialect.fold(value);
  const match = some(sql`${type} = 'text' and ${textTest(test, stored, text, scope.dialect)}`);
  return test === "ne" ? sql`(${absent} or ${match})` : match;
}

function textOf(query: Compare): string {
  if (typeof query.value === "string") return query.value;
  throw invalid(`expected text, but got ${JSON.stringify(query.value)}`);
}

function invalid(what: string): StoreError {
  return new StoreError("INVALID", `filter: ${what}`, { field: "filter" });
}

function cannotAsk(what: string): StoreError {
  return invalid(`${what} cannot be asked`);
}
