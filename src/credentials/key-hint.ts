/** So many characters of a secret tell it from others. */
const tellingMin = 4;

/** Whether a hint as vendors show keys (`sk-ant-…x7Qw`, `inst****`) is that of this secret: its beginning, its end, or both. */
export function isHintOf(hint: string, secret: string): boolean {
  const parts = hint.split(/\*+|…|\.{2,}/);
  const first = parts[0] ?? "";
  const last = parts.length > 1 ? (parts.at(-1) ?? "") : "";
  if (first.length + last.length < tellingMin) return false;
  return secret.startsWith(first) && secret.endsWith(last);
}
