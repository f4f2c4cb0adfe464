/**
 * The one case folding of the project: NFC, then full lower case. It is done in code, never in SQL,
 * because SQLite folds ASCII only and PostgreSQL follows the database's locale. Stored in `*_folded` columns.
 */
export function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** An e-mail address as the matching key: trimmed and folded. Dots and plus-tags are kept: they can name different people. */
export function foldEmail(address: string): string {
  return fold(address.trim());
}

/** The domain of an address, folded; "" where there is none. */
export function emailDomain(address: string): string {
  const at = address.lastIndexOf("@");
  return at < 0 ? "" : foldEmail(address.slice(at + 1));
}
