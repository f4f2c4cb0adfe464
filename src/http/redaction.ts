const detailMax = 200;
/** More of a text is not looked at: patterns over megabytes would stop the process. */
const inputMax = 1_000;

/**
 * Makes text of a vendor fit for an error or a log line: one line, at most 200 characters, without the given secrets, without
 * e-mail addresses, and without anything that looks like a key.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const known = secrets.flatMap(spellings).filter((secret) => secret.length >= 6);
  return (text) => {
    let clean = text.length <= inputMax ? text : wholeWords(text.slice(0, inputMax));
    for (const secret of known) clean = clean.replaceAll(secret, "[secret]");
    clean = clean
      .replace(/[^\s<>"'(),;:]{1,320}@[^\s<>"'(),;:]+/g, "[address]")
      .replace(/\b(?:sk|pk|rc|xox[a-z])[-_][\w-]{8,}/g, "[secret]")
      .replace(/\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{40,}/g, "[secret]")
      .replace(/[\s\p{Cc}]+/gu, " ")
      .trim();
    return clean.length <= detailMax ? clean : `${clean.slice(0, detailMax - 1)}…`;
  };
}

/** Without the last word, which the cut may have halved: half a secret is not recognised. */
function wholeWords(text: string): string {
  return text.slice(0, Math.max(0, text.search(/\S*$/)));
}

/** The value of a credential header, and what stands behind its scheme. */
function spellings(value: string): readonly string[] {
  const space = value.indexOf(" ");
  return space < 0 ? [value] : [value, value.slice(space + 1)];
}
