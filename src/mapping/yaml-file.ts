import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
} from "yaml";
import type { Path, Problem } from "./problem.ts";
import { problemText } from "./problem.ts";

/** The largest file that is read, bytes. */
export const fileSizeMax = 1_048_576;
const depthMax = 40;
const tooDeep = `1:1 is nested deeper than ${String(depthMax)} levels`;

/** A YAML file as plain JSON values, and where in the text each of them is. */
export interface YamlFile {
  /** undefined: the text is no YAML that we take; `complaints` says why. */
  readonly value: unknown;
  /** `line:column` of a value, or of the nearest thing around it that is there. */
  readonly locate: (path: Path, atKey?: boolean) => string;
  /** `line:column message`, for what is wrong with the text itself. */
  readonly complaints: readonly string[];
}

/** Reads one YAML 1.2 document. Anchors, aliases, tags, merge keys and repeated keys are refused: a file says what it says. */
export function readYaml(text: string): YamlFile {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${String(line)}:${String(col)}`;
  };
  const refused = (complaints: readonly string[]): YamlFile => ({
    value: undefined,
    locate: () => "1:1",
    complaints,
  });
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      merge: false,
      uniqueKeys: true,
      strict: true,
      prettyErrors: false,
      lineCounter: lines,
    });
  } catch (error) {
    if (error instanceof RangeError) return refused([tooDeep]);
    throw error;
  }
  const syntax = [...document.errors, ...document.warnings].map(
    (error) => `${at(error.pos[0])} ${syntaxText(error.code, error.message)}`,
  );
  // The parser is recursive and reports an exhausted stack as errors of the text; nobody writes such a file by accident.
  if (syntax.some((text) => text.includes("call stack"))) return refused([tooDeep]);
  if (syntax.length > 0) return refused(syntax);
  const complaints: string[] = [];
  visit(document, (_key, node, ancestors) => {
    if (isPair(node) || !hasRange(node)) return undefined;
    const where = at(node.range[0]);
    if (isAlias(node) || node.anchor !== undefined) {
      complaints.push(
        `${where} anchors and aliases are not taken: repeat the text, or use a bundle`,
      );
      return visit.SKIP;
    }
    if (node.tag !== undefined) complaints.push(`${where} tags (${node.tag}) are not taken`);
    if (ancestors.filter(isCollection).length > depthMax) {
      complaints.push(`${where} is nested deeper than ${String(depthMax)} levels`);
      return visit.BREAK;
    }
    return undefined;
  });
  if (complaints.length > 0) return refused(complaints);
  return {
    value: document.toJS({ maxAliasCount: 0 }) as unknown,
    locate: (path, atKey = false) => at(offsetOf(document, path, atKey)),
    complaints: [],
  };
}

interface Ranged {
  readonly range: readonly [number, number, number];
  readonly anchor?: string;
  readonly tag?: string;
}

function hasRange(node: unknown): node is Ranged {
  return typeof node === "object" && node !== null && "range" in node && Array.isArray(node.range);
}

function offsetOf(document: Document.Parsed, path: Path, atKey: boolean): number {
  let node: unknown = document.contents;
  let offset = hasRange(node) ? node.range[0] : 0;
  for (const [index, part] of path.entries()) {
    if (!isCollection(node)) return offset;
    const pair = isMap(node)
      ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part))
      : undefined;
    const key: unknown = pair?.key;
    const next: unknown = pair?.value ?? node.get(part, true);
    if (next === undefined && key === undefined) return offset;
    const wanted = atKey && index === path.length - 1 && hasRange(key) ? key : next;
    if (hasRange(wanted)) offset = wanted.range[0];
    else if (hasRange(key)) offset = key.range[0];
    node = next;
  }
  return offset;
}

function syntaxText(code: string, message: string): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "this key is there twice: keep one";
    case "TAB_AS_INDENT":
      return "a tab stands where blanks belong: indent with blanks";
    case "MULTIPLE_DOCS":
      return "a file holds one document: remove the `---`";
    default:
      return message;
  }
}

/** `file:line:column path: message` for each problem. */
export function placed(fileName: string, file: YamlFile, problems: readonly Problem[]): string[] {
  return problems.map(
    (problem) => `${fileName}:${file.locate(problem.path, problem.atKey)} ${problemText(problem)}`,
  );
}
