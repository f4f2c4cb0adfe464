/** A statement as PostgreSQL takes it. Prepared once per connection where it has a name. */
export interface PreparedText {
  readonly text: string;
  readonly name: string | undefined;
}

/** Texts that are kept prepared: all that commands are made of. Questions of SCIM filters come in many shapes. */
const namesMax = 500;
const known = new Map<string, PreparedText>();

/** `?` becomes `$1`, `$2`, … in their order, `?3` becomes `$3`; texts with `$` already stay. No literal of ours holds a `?`. */
export function preparedText(sql: string): PreparedText {
  const found = known.get(sql);
  if (found !== undefined) return found;
  let count = 0;
  const text = sql.replace(/\?(\d*)/g, (_, number: string) => {
    if (number !== "") return `$${number}`;
    count += 1;
    return `$${String(count)}`;
  });
  if (known.size >= namesMax) return { text, name: undefined };
  const prepared = { text, name: `rc${String(known.size)}` };
  known.set(sql, prepared);
  return prepared;
}
