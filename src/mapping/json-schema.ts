import { z } from "zod";
import { hrFile } from "./hr-file.ts";
import { pulseFile } from "./pulse-file.ts";
import { mappingFile } from "./schema.ts";

/** The JSON Schema of a mapping file, as text: editors complete and underline by it. Checked in as `mappings/mapping.schema.json`. */
export function mappingJsonSchema(): string {
  return schemaText("Rolecall mapping file", mappingFile);
}

/** The same of `hr.yaml`. Checked in as `mappings/hr.schema.json`. */
export function hrJsonSchema(): string {
  return schemaText("Rolecall HR sources", hrFile);
}

/** The same of `pulse.yaml`. Checked in as `mappings/pulse.schema.json`. */
export function pulseJsonSchema(): string {
  return schemaText("Rolecall pulse", pulseFile);
}

function schemaText(title: string, file: z.ZodType): string {
  const schema = z.toJSONSchema(file, { io: "input", reused: "inline" });
  return `${JSON.stringify({ title, ...schema }, null, 2)}\n`;
}
