/** A comparison of a filter (RFC 7644 §3.4.2.2): the value is a JSON string, so quotes and backslashes are escaped. */
export function equals(attribute: string, value: string): string {
  return `${attribute} eq ${JSON.stringify(value)}`;
}

/** One element of a multi-valued attribute as a path (RFC 7644 §3.5.2). */
export function elementPath(attribute: string, value: string): string {
  return `${attribute}[${equals("value", value)}]`;
}
