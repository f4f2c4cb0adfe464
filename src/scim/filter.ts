import { FilterScanner, type Token, type TokenKind } from "./filter-scanner.ts";
import type { ScimError, ScimType } from "./scim-error.ts";

export type FilterValue = string | number | boolean | null;

export type ComparisonTest = "eq" | "ne" | "co" | "sw" | "ew" | "gt" | "ge" | "lt" | "le";

/** An RFC 7644 section 3.4.2.2 filter as written; `path` is an attribute name that was checked for form, not for existence. */
export type Filter =
  | { readonly op: "and" | "or"; readonly of: readonly Filter[] }
  | { readonly op: "not"; readonly of: Filter }
  | {
      readonly op: "compare";
      readonly path: string;
      readonly test: ComparisonTest;
      readonly value: FilterValue;
    }
  | { readonly op: "present"; readonly path: string }
  /** One element of the multi-valued `path` meets the whole inner filter, whose paths are the element's sub-attributes. */
  | { readonly op: "element"; readonly path: string; readonly of: Filter };

/** The path of a PATCH operation (RFC 7644 section 3.5.2, figure 7). */
export interface ValuePath {
  readonly path: string;
  /** Of `path[…]`. */
  readonly filter: Filter | undefined;
  /** After the bracket: `value` in `emails[type eq "work"].value`. */
  readonly sub: string | undefined;
}

/** Open parentheses and brackets at once. */
export const maxFilterDepth = 32;

/**
 * `not` binds tighter than `and`, `and` tighter than `or`; keywords and operators in any case.
 * `emails[type eq "work"].value eq "x"`, which Entra matches people by, means one element with both.
 * @throws ScimError 400 invalidFilter with the position (from 1) and what was expected there
 */
export function parseFilter(text: string): Filter {
  const parser = new FilterParser(text, "filter", "invalidFilter");
  const filter = parser.readOr(0, false);
  parser.expectEnd('"and", "or" or the end');
  return filter;
}

/** @throws ScimError 400 invalidPath with the position (from 1) and what was expected there */
export function parseValuePath(text: string): ValuePath {
  const parser = new FilterParser(text, "path", "invalidPath");
  const valuePath = parser.readValuePath();
  parser.expectEnd("the end of the path");
  return valuePath;
}

const tests: ReadonlySet<string> = new Set([
  "eq",
  "ne",
  "co",
  "sw",
  "ew",
  "gt",
  "ge",
  "lt",
  "le",
] satisfies ComparisonTest[]);

const number = /^-?\d{1,17}(\.\d{1,17})?([eE][+-]?\d{1,2})?$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const attributeName = /^[A-Za-z$][\w$-]*(\.[A-Za-z$][\w$-]*)?$/;
const urn = /^urn:[\w:.%/~+$-]+$/i;

/** Reads left to right, one token ahead, never back: linear in the length. */
class FilterParser {
  private readonly scanner: FilterScanner;
  private token: Token;
  private endOfLast = 0;

  constructor(source: string, label: string, scimType: ScimType) {
    this.scanner = new FilterScanner(source, label, scimType);
    this.token = this.scanner.scan(0);
  }

  readOr(depth: number, inElement: boolean): Filter {
    const parts = [this.readAnd(depth, inElement)];
    while (this.takeWord("or")) parts.push(this.readAnd(depth, inElement));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { op: "or", of: parts };
  }

  private readAnd(depth: number, inElement: boolean): Filter {
    const parts = [this.readTerm(depth, inElement)];
    while (this.takeWord("and")) parts.push(this.readTerm(depth, inElement));
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { op: "and", of: parts };
  }

  private readTerm(depth: number, inElement: boolean): Filter {
    if (this.token.kind === "(") return this.readGroup(depth, inElement);
    if (this.takeWord("not")) {
      if (this.kind() !== "(") throw this.expected('"(" after "not"');
      return { op: "not", of: this.readGroup(depth, inElement) };
    }
    return this.readAttribute(depth, inElement);
  }

  private readGroup(depth: number, inElement: boolean): Filter {
    this.open(depth);
    const inner = this.readOr(depth + 1, inElement);
    this.close(")");
    return inner;
  }

  private readAttribute(depth: number, inElement: boolean): Filter {
    const path = this.readName();
    if (this.token.kind !== "[" || this.token.start !== this.endOfLast) {
      return this.readComparison(path);
    }
    if (inElement) throw this.expected("no second bracket inside a bracket");
    this.open(depth);
    const inner = this.readOr(depth + 1, true);
    this.close("]");
    const sub = this.takeSub();
    if (sub === undefined) return { op: "element", path, of: inner };
    const parts = inner.op === "and" ? inner.of : [inner];
    return { op: "element", path, of: { op: "and", of: [...parts, this.readComparison(sub)] } };
  }

  private readComparison(path: string): Filter {
    if (this.token.kind !== "word") throw this.expected(operatorsText);
    const test = this.token.text.toLowerCase();
    if (test === "pr") {
      this.advance();
      return { op: "present", path };
    }
    if (!tests.has(test)) throw this.expected(operatorsText);
    this.advance();
    return { op: "compare", path, test: test as ComparisonTest, value: this.readValue() };
  }

  private readValue(): FilterValue {
    const { kind, text } = this.token;
    if (kind === "text") {
      this.advance();
      return text;
    }
    if (kind === "word") {
      const literal = readLiteral(text);
      if (literal !== undefined) {
        this.advance();
        return literal;
      }
    }
    throw this.expected("a value: text in double quotes, a number, true, false or null");
  }

  readValuePath(): ValuePath {
    const path = this.readName();
    if (this.token.kind !== "[" || this.token.start !== this.endOfLast) {
      return { path, filter: undefined, sub: undefined };
    }
    this.open(0);
    const filter = this.readOr(1, true);
    this.close("]");
    return { path, filter, sub: this.takeSub() };
  }

  private readName(): string {
    if (this.token.kind !== "word" || !isName(this.token.text)) {
      throw this.expected("an attribute name such as userName, name.givenName or a schema URN");
    }
    const { text } = this.token;
    this.advance();
    return text;
  }

  /** `.value` directly behind a closing bracket. */
  private takeSub(): string | undefined {
    const { kind, text, start } = this.token;
    if (kind !== "word" || !text.startsWith(".") || start !== this.endOfLast) return undefined;
    const sub = text.slice(1);
    if (sub.includes(".") || !attributeName.test(sub)) {
      throw this.expected('a sub-attribute such as ".value"');
    }
    this.advance();
    return sub;
  }

  private kind(): TokenKind {
    return this.token.kind;
  }

  private takeWord(word: string): boolean {
    if (this.token.kind !== "word" || this.token.text.toLowerCase() !== word) return false;
    this.advance();
    return true;
  }

  private open(depth: number): void {
    if (depth >= maxFilterDepth) {
      throw this.expected(`at most ${String(maxFilterDepth)} open parentheses and brackets`);
    }
    this.advance();
  }

  private close(kind: ")" | "]"): void {
    if (this.token.kind !== kind) throw this.expected(`"and", "or" or "${kind}"`);
    this.advance();
  }

  expectEnd(expected: string): void {
    if (this.token.kind !== "end") throw this.expected(expected);
  }

  private advance(): void {
    this.endOfLast = this.token.end;
    this.token = this.scanner.scan(this.token.end);
  }

  private expected(what: string): ScimError {
    const { kind, text, start } = this.token;
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    return this.scanner.problem(
      start,
      what,
      kind === "end" ? "the end" : JSON.stringify(shown.toWellFormed()),
    );
  }
}

const operatorsText = "an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)";

function readLiteral(word: string): FilterValue | undefined {
  if (word.length > 64) return undefined;
  switch (word.toLowerCase()) {
    case "true":
      return true;
    case "false":
      return false;
    case "null":
      return null;
    default:
      if (number.test(word)) return Number(word);
      // Entra's reference probe compares ids without quotes (entra-docs, use-scim, example 4).
      return uuid.test(word) ? word : undefined;
  }
}

function isName(text: string): boolean {
  if (text.slice(0, 4).toLowerCase() !== "urn:") return attributeName.test(text);
  return urn.test(text) && !text.endsWith(":") && !text.endsWith(".");
}
