import { stringify } from "yaml";
import { InputError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { checkMapping } from "./check.ts";
import { documentOf, expandMapping } from "./expand.ts";
import { problemsOf } from "./problem.ts";
import { mappingFile } from "./schema.ts";
import { placed, readYaml } from "./yaml-file.ts";

/**
 * The document that one connection's file, given as text, would be proposed as; what its tenant's file adds is not added.
 * @throws InputError with every problem and its place
 */
export function readMapping(
  connection: string,
  text: string,
  factsOf: (vendor: string, profile: string) => VendorFacts | undefined,
): JsonObject {
  const name = `${connection}.yaml`;
  const file = readYaml(text);
  if (file.complaints.length > 0) throw refused(file.complaints.map((line) => `${name}:${line}`));
  const parsed = mappingFile.safeParse(file.value);
  if (!parsed.success) throw refused([...placed(name, file, problemsOf(parsed.error, file.value))]);
  const facts = factsOf(parsed.data.vendor, parsed.data.profile ?? "default");
  if (facts === undefined)
    throw refused([`${name}: there is no connector for "${parsed.data.vendor}" with this profile`]);
  const expansion = expandMapping(parsed.data);
  const problems = checkMapping(expansion, facts);
  if (problems.length > 0) throw refused([...placed(name, file, problems)]);
  return documentOf({ ...expansion.mapping, profile: facts.profile });
}

/** A document as a file that says the same. */
export function writeMapping(document: JsonObject): string {
  return stringify(document, { lineWidth: 120 });
}

function refused(problems: readonly string[]): InputError {
  return new InputError("the file cannot be used:", problems);
}
