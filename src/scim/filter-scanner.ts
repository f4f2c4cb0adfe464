import { textProblem } from "./coerce-value.ts";
import { ScimError, type ScimType } from "./scim-error.ts";

export const maxFilterLength = 8_192;
/** A path may pick many members by their ids. */
export const maxPathLength = 65_536;

export type TokenKind = "word" | "text" | "(" | ")" | "[" | "]" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** Of a text: its value without quotes and escapes. */
  readonly text: string;
  /** Index of its first and of the character after its last. */
  readonly start: number;
  readonly end: number;
}

/** Cuts a filter or a path into words, texts and brackets; each character is looked at once. */
export class FilterScanner {
  private readonly source: string;
  private readonly label: string;
  private readonly scimType: ScimType;

  /** @throws ScimError 400 for a text that is too long */
  constructor(source: string, label: string, scimType: ScimType) {
    this.source = source;
    this.label = label;
    this.scimType = scimType;
    const maxLength = scimType === "invalidPath" ? maxPathLength : maxFilterLength;
    if (source.length <= maxLength) return;
    throw new ScimError(
      400,
      scimType,
      `${label}: got ${String(source.length)} characters, but expected at most ${String(maxLength)}`,
    );
  }

  /** The token at or behind index `from`. @throws ScimError 400 for a text in quotes that does not end or cannot be read */
  scan(from: number): Token {
    const { source } = this;
    let start = from;
    while (isSpace(source.charCodeAt(start))) start += 1;
    const character = source[start];
    if (character === undefined) return { kind: "end", text: "", start, end: start };
    if (character === "(" || character === ")" || character === "[" || character === "]") {
      return { kind: character, text: character, start, end: start + 1 };
    }
    if (character === '"') return this.scanText(start);
    let end = start + 1;
    while (end < source.length && !isDelimiter(source.charCodeAt(end))) end += 1;
    return { kind: "word", text: source.slice(start, end), start, end };
  }

  private scanText(start: number): Token {
    const { source } = this;
    let end = start + 1;
    while (end < source.length && source[end] !== '"') end += source[end] === "\\" ? 2 : 1;
    if (end >= source.length) {
      throw this.problem(
        start,
        'a closing double quote (a quote inside is written \\")',
        "the end",
      );
    }
    const quoted = source.slice(start, end + 1);
    let text: unknown;
    try {
      text = JSON.parse(quoted);
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw this.problem(start, "text with the escapes of JSON", "text that JSON cannot read");
    }
    if (typeof text !== "string") throw this.problem(start, "text in double quotes", quoted);
    const wrong = textProblem(text);
    if (wrong !== undefined) throw this.problem(start, wrong.expected, wrong.got);
    return { kind: "text", text, start, end: end + 1 };
  }

  /** An error at index `at`, told with positions from 1. */
  problem(at: number, expected: string, got: string): ScimError {
    return new ScimError(
      400,
      this.scimType,
      `${this.label}: at position ${String(at + 1)} expected ${expected}, but got ${got}`,
    );
  }
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function isDelimiter(code: number): boolean {
  return (
    isSpace(code) ||
    code === 0x22 ||
    code === 0x28 ||
    code === 0x29 ||
    code === 0x5b ||
    code === 0x5d
  );
}
