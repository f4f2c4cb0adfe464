import { readFileSync } from "node:fs";
import { z } from "zod";

const manifest = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")));

/** What we call ourselves to vendors; some edges block the default names of clients. */
export const userAgent = `rolecall/${manifest.version}`;
