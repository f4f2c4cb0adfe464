import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parseAllDocuments } from "yaml";
import { readConfig, type Environment } from "../../src/config/config.ts";
import { settings, type Setting } from "../../src/config/settings.ts";
import { InputError } from "../../src/model/errors.ts";

export const deployFolder = fileURLToPath(new URL("../../deploy", import.meta.url));

const rows: readonly Setting[] = Object.values(settings);

/** Names of variables that a container may be given: every setting, and the file of every secret. */
export const settingNames: ReadonlySet<string> = new Set(
  rows.flatMap((row) => (row.secret ? [row.name, `${row.name}_FILE`] : [row.name])),
);

/** Names of settings whose values must lie in files. */
export const secretNames: ReadonlySet<string> = new Set(
  rows.filter((row) => row.secret).map((row) => row.name),
);

/** Every document of a YAML file, anchors and merge keys resolved. @throws Error with the first fault of the text */
export function readYamlDocuments(text: string): readonly unknown[] {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    const [fault] = document.errors;
    if (fault !== undefined) throw fault;
    return document.toJS() as unknown;
  });
}

/** A Kubernetes object as far as tests look into it without its type. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const parsedTypes = new Map<string, ts.SourceFile>();

/**
 * What the types of the Kubernetes API say about objects: wrong types, unknown fields, missing ones. Strict where the API server is
 * lenient: a misspelt field is a fault. Each as `Kind name: message`.
 * @param as `patch`: every field may be missing, as in a strategic merge patch
 */
export function typeFaults(
  objects: readonly KubernetesObject[],
  as: "object" | "patch" = "object",
): readonly string[] {
  const lines = objects.map((object, at) => {
    const [group = "core", version = object.apiVersion] = object.apiVersion.includes("/")
      ? object.apiVersion.split("/")
      : [];
    const room = group.replace(/\.k8s\.io$/, "");
    const type = `import("kubernetes-types/${room}/${version}.js").${object.kind}`;
    return `export const object${String(at)}: ${as === "patch" ? `Patch<${type}>` : type} = ${JSON.stringify(object)};`;
  });
  const head = "type Patch<T> = T extends object ? { [K in keyof T]?: Patch<T[K]> } : T;";
  const name = join(deployFolder, "objects.ts");
  const text = [head, ...lines].join("\n");
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    types: [],
    lib: ["lib.es5.d.ts"],
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (file, languageVersion) => {
    if (file === name) return ts.createSourceFile(file, text, languageVersion);
    const source = parsedTypes.get(file) ?? getSourceFile.call(host, file, languageVersion);
    if (source !== undefined) parsedTypes.set(file, source);
    return source;
  };
  host.fileExists = (file) => file === name || fileExists.call(host, file);
  host.readFile = (file) => (file === name ? text : readFile.call(host, file));
  const program = ts.createProgram([name], options, host);
  return ts.getPreEmitDiagnostics(program).map((fault) => {
    const line = fault.file?.getLineAndCharacterOfPosition(fault.start ?? 0).line ?? 0;
    const object = objects[line - 1];
    const message = ts.flattenDiagnosticMessageText(fault.messageText, " ");
    return `${object?.kind ?? "?"} ${object?.metadata.name ?? "?"}: ${message}`;
  });
}

/** A file below `deploy`. */
export const readDeploy = (path: string): string => readFileSync(join(deployFolder, path), "utf8");

/** What the service says against an environment, beside that a build lacks a mode. */
export function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.filter((problem) => !problem.includes(": this version has the "));
  }
}
