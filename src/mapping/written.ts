import { z } from "zod";
import { line } from "./strict-object.ts";

/** A length of time as written: `90s`, `15m`, `24h`, `7d`, `500ms`. */
export const duration = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,6})(?:ms|s|m|h|d)$/, "write a number and a unit: 90s, 15m, 24h or 7d")
  .meta({ description: "A number and a unit: ms, s, m, h or d" });

export const email = line(320).regex(/^[^@\s]+@[^@\s]+$/, "write an e-mail address");
