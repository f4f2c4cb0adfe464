import type { Commands, Queries } from "./engine.ts";
import { stampCommands, stampQueries } from "./stamp.ts";

/** Every command by the name under which it crosses to the writing thread. */
export const commands: Commands = { ...stampCommands };

/** Every query by the name under which it crosses to the reading thread. */
export const queries: Queries = { ...stampQueries };
