const detailMax = 200;

/**
 * Makes text of a vendor fit for an error or a log line: one line, at most 200 characters, without the given secrets, without
 * e-mail addresses, and without anything that looks like a key.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const known = secrets.flatMap(spellings).filter((secret) => secret.length >= 6);
  return (text) => {
    let clean = text;
    for (const secret of known) clean = clean.replaceAll(secret, "[secret]");
    clean = clean
      .replace(/[^\s<>"'(),;:]+@[^\s<>"'(),;:]+/g, "[address]")
      .replace(/\b(?:sk|pk|rc|xox[a-z])[-_][\w-]{8,}/g, "[secret]")
      .replace(/\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}/g, "[secret]")
      .replace(/[\s\p{Cc}]+/gu, " ")
      .trim();
    return clean.length <= detailMax ? clean : `${clean.slice(0, detailMax - 1)}…`;
  };
}

/** The value of a credential header, and what stands behind its scheme. */
function spellings(value: string): readonly string[] {
  const space = value.indexOf(" ");
  return space < 0 ? [value] : [value, value.slice(space + 1)];
}
