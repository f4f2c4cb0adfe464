import { html as tag } from "hono/html";

/** Text that is HTML already: what `html` makes, and nothing else. */
export interface Markup {
  readonly isEscaped: true;
  toString(): string;
}

/** What may stand in a page: text is escaped, markup is put in as it is, nothing is left out. */
export type Piece = Markup | string | number | null | undefined | false | readonly Piece[];

/** A piece of a page. Values are escaped, in attributes too, which therefore stand in double quotes. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  const made = tag(strings, ...pieces);
  if (made instanceof Promise) throw new TypeError("a page is made of text, not of promises");
  return made;
}
