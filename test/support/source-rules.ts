import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** A file of `src`, with its path below `src`: `apply/worker.ts`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A row of the import table: a room (`apply`, `connectors/*`, `app.ts`) and what it may import, `anything` included. */
export interface RoomRule {
  readonly room: string;
  readonly mayImport: readonly string[];
}

/** A row of the second table: a package or a global, and the only rooms or files that may use it. */
export interface HomeRule {
  readonly thing: string;
  readonly homes: readonly string[];
}

const sourceFolder = fileURLToPath(new URL("../../src", import.meta.url));

/** Every TypeScript and JavaScript file of `src`. */
export function readSource(folder = sourceFolder): readonly SourceFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name))
    .map((entry) => {
      const full = join(entry.parentPath, entry.name);
      const path = full.slice(folder.length + 1).replaceAll("\\", "/");
      return { path, text: readFileSync(full, "utf8") };
    })
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Rows of the Markdown table whose first column has this heading; each cell's code spans, or its text where it has none. */
export function readTable(markdown: string, heading: string): readonly (readonly string[][])[] {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  if (start < 0) throw new Error(`no table whose first column is "${heading}"`);
  const rows: string[][][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    rows.push(
      cells.map((cell) => {
        const spans = [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "");
        return spans.length > 0 ? spans : [cell.trim()];
      }),
    );
  }
  return rows;
}

interface Import {
  readonly target: string;
  readonly line: number;
}

const parsed = new WeakMap<SourceFile, ts.SourceFile>();

function parse(file: SourceFile): ts.SourceFile {
  const known = parsed.get(file);
  if (known !== undefined) return known;
  const made = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  parsed.set(file, made);
  return made;
}

function lineOf(source: ts.SourceFile, node: ts.Node): number {
  return source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
}

function visit(node: ts.Node, each: (node: ts.Node) => void): void {
  each(node);
  ts.forEachChild(node, (child) => {
    visit(child, each);
  });
}

/** Every import, re-export, dynamic import, import type and worker entry of a file. */
function importsOf(file: SourceFile): readonly Import[] {
  const source = parse(file);
  const found: Import[] = [];
  const add = (node: ts.Node | undefined) => {
    if (node !== undefined && ts.isStringLiteralLike(node)) {
      found.push({ target: node.text, line: lineOf(source, node) });
    }
  };
  visit(source, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0]);
    } else if (ts.isNewExpression(node) && node.expression.getText(source) === "Worker") {
      // `new Worker(new URL("./writer.ts", import.meta.url))` runs a file as surely as an import does.
      const [url] = node.arguments ?? [];
      if (url !== undefined && ts.isNewExpression(url)) add(url.arguments?.[0]);
    }
  });
  return found;
}

const resolveImport = (from: string, target: string) =>
  posix.normalize(posix.join(dirname(from), target));

/** Whether a path lies in a room: the file itself, a folder above it, or a folder pattern whose last part is `*`. */
function liesIn(path: string, room: string): boolean {
  if (path === room) return true;
  if (!room.endsWith("/*")) return path.startsWith(`${room}/`);
  const above = room.slice(0, -1);
  return path.startsWith(above) && path.slice(above.length).includes("/");
}

/** The narrowest row that holds a path. */
function ruleOf(path: string, rules: readonly RoomRule[]): RoomRule | undefined {
  return rules
    .filter((rule) => liesIn(path, rule.room))
    .toSorted((a, b) => b.room.length - a.room.length)[0];
}

/** The folder of a `*` row that a path lies in, so that two folders of one pattern are two rooms. */
function folderOf(path: string, rule: RoomRule): string {
  if (!rule.room.endsWith("/*")) return rule.room;
  return path.split("/").slice(0, rule.room.split("/").length).join("/");
}

/** Imports that the table does not allow, and rooms that it lacks. */
export function layerOffences(
  files: readonly SourceFile[],
  rules: readonly RoomRule[],
): readonly string[] {
  const offences: string[] = [];
  for (const file of files) {
    const rule = ruleOf(file.path, rules);
    if (rule === undefined) {
      offences.push(`${file.path}: no row of the import table holds it`);
      continue;
    }
    if (rule.mayImport.includes("anything")) continue;
    for (const { target, line } of importsOf(file)) {
      if (!target.startsWith(".")) continue;
      const path = resolveImport(file.path, target);
      // Our own version is no room.
      if (path === "../package.json") continue;
      const theirs = ruleOf(path, rules);
      const own = theirs === rule && folderOf(path, rule) === folderOf(file.path, rule);
      if (own || rule.mayImport.some((allowed) => liesIn(path, allowed))) continue;
      offences.push(`${file.path}:${String(line)}: ${rule.room} may not import ${path}`);
    }
  }
  return offences;
}

/** Packages used outside their rooms, and packages that no row names. */
export function libraryOffences(
  files: readonly SourceFile[],
  homes: readonly HomeRule[],
): readonly string[] {
  const offences: string[] = [];
  for (const file of files) {
    for (const { target, line } of importsOf(file)) {
      if (target.startsWith(".")) continue;
      const name = target.startsWith("node:")
        ? target
        : target
            .split("/")
            .slice(0, target.startsWith("@") ? 2 : 1)
            .join("/");
      const rule = homes.find((home) => home.thing === name);
      const at = `${file.path}:${String(line)}`;
      if (rule !== undefined) {
        const home =
          rule.homes.includes("anywhere") || rule.homes.some((room) => liesIn(file.path, room));
        if (!home) offences.push(`${at}: ${name} belongs to ${rule.homes.join(", ")}`);
      } else if (!name.startsWith("node:")) {
        offences.push(`${at}: ${name} has no row in the table of libraries`);
      }
    }
  }
  return offences;
}

/** Circles of imports, types included: each as the files on it. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const graph = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ target }) => target.startsWith("."))
        .map(({ target }) => resolveImport(file.path, target)),
    ]),
  );
  const state = new Map<string, "open" | "done">();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === "done") return;
    if (state.get(path) === "open") {
      cycles.push([...trail.slice(trail.indexOf(path)), path].join(" -> "));
      return;
    }
    state.set(path, "open");
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    state.set(path, "done");
  };
  for (const path of graph.keys()) walk(path, []);
  return cycles;
}

/** What a global is called in the table of homes, where code uses one of the guarded ones. */
function guardedUse(node: ts.Node, source: ts.SourceFile): string | undefined {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    const whole = node.getText(source).replace(/^globalThis\./, "");
    if (/^process\.env\b/.test(whole) || /^process\["env"\]/.test(whole)) return "process.env";
    if (/^(Date|performance)\.now$/.test(whole) || whole === "Math.random")
      return "clock and random";
    if (whole === "AbortSignal.timeout") return "AbortSignal.timeout";
    if (whole.startsWith("console.")) return "console";
  }
  if (ts.isNewExpression(node) && node.expression.getText(source) === "Date") {
    return (node.arguments ?? []).length === 0 ? "clock and random" : undefined;
  }
  if (ts.isCallExpression(node)) {
    const called = node.expression.getText(source);
    if (/^(globalThis\.)?(setTimeout|setInterval|Date)$/.test(called)) return "clock and random";
    if (/^(globalThis\.)?fetch$/.test(called)) return "fetch";
    if (/(^|\.)getRandomValues$/.test(called)) return "clock and random";
  }
  if (ts.isImportSpecifier(node)) {
    const name = (node.propertyName ?? node.name).text;
    if (/^(randomBytes|randomUUID|randomInt|randomFill|randomFillSync)$/.test(name)) {
      return "clock and random";
    }
    const from = node.parent.parent.parent.moduleSpecifier.getText(source);
    if (/^"node:timers/.test(from) && /^(setTimeout|setInterval)$/.test(name))
      return "clock and random";
    if (/^"node:perf_hooks"/.test(from) && name === "performance") return "clock and random";
    if (/^"node:process"/.test(from) && name === "env") return "process.env";
  }
  return undefined;
}

/** Guarded globals used away from home. One that has no row may be used nowhere. */
export function globalOffences(
  files: readonly SourceFile[],
  homes: readonly HomeRule[],
): readonly string[] {
  const offences: string[] = [];
  for (const file of files) {
    const source = parse(file);
    visit(source, (node) => {
      const use = guardedUse(node, source);
      if (use === undefined) return;
      const allowed = homes.find((home) => home.thing === use)?.homes ?? [];
      if (allowed.some((room) => liesIn(file.path, room))) return;
      offences.push(
        `${file.path}:${String(lineOf(source, node))}: ${use} ${allowed.length === 0 ? "is used nowhere" : `belongs to ${allowed.join(", ")}`}`,
      );
    });
  }
  return [...new Set(offences)];
}

const bannedNames = [
  "utils",
  "util",
  "helpers",
  "helper",
  "common",
  "services",
  "types",
  "index",
  "misc",
];

/** `any`, default exports, left-over marks, and names that say nothing. */
export function styleOffences(files: readonly SourceFile[]): readonly string[] {
  const offences: string[] = [];
  for (const file of files) {
    const source = parse(file);
    const say = (node: ts.Node, what: string) => {
      offences.push(`${file.path}:${String(lineOf(source, node))}: ${what}`);
    };
    visit(source, (node) => {
      if (node.kind === ts.SyntaxKind.AnyKeyword) say(node, "any");
      if (ts.isExportAssignment(node)) say(node, "default export");
      const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : [];
      if (modifiers.some((item) => item.kind === ts.SyntaxKind.DefaultKeyword)) {
        say(node, "default export");
      }
      if (ts.isExportSpecifier(node) && node.name.text === "default") say(node, "default export");
    });
    file.text.split("\n").forEach((line, at) => {
      if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) {
        offences.push(`${file.path}:${String(at + 1)}: a mark of unfinished work`);
      }
    });
    const parts = file.path.replace(/\.[jt]s$/, "").split("/");
    for (const part of parts) {
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(part))
        offences.push(`${file.path}: "${part}" is no kebab-case name`);
      if (bannedNames.includes(part)) offences.push(`${file.path}: "${part}" says nothing`);
    }
    if (parts.length > 4) offences.push(`${file.path}: more than three folders deep`);
  }
  return offences;
}

export interface Size {
  readonly file: number;
  readonly function: number;
}

/** Lines of a file, and of its longest function. */
export function sizeOf(file: SourceFile): Size {
  const source = parse(file);
  let longest = 0;
  visit(source, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const last = source.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
    longest = Math.max(longest, last - lineOf(source, node) + 1);
  });
  return { file: file.text.split("\n").length - 1, function: longest };
}

/** Files and functions beyond the bounds of their path. */
export function sizeOffences(
  files: readonly SourceFile[],
  boundsOf: (path: string) => Size,
): readonly string[] {
  return files.flatMap((file) => {
    const size = sizeOf(file);
    const bounds = boundsOf(file.path);
    return [
      ...(size.file > bounds.file ? [`${file.path}: ${String(size.file)} lines`] : []),
      ...(size.function > bounds.function
        ? [`${file.path}: a function of ${String(size.function)} lines`]
        : []),
    ];
  });
}
