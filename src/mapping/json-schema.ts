import { z } from "zod";
import { mappingFile } from "./schema.ts";

/** The JSON Schema of a mapping file, as text: editors complete and underline by it. Checked in as `mappings/mapping.schema.json`. */
export function mappingJsonSchema(): string {
  const schema = z.toJSONSchema(mappingFile, { io: "input", reused: "inline" });
  const named = { title: "Rolecall mapping file", ...schema };
  return `${JSON.stringify(named, null, 2)}\n`;
}
