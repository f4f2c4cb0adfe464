import { z } from "zod";
import { foldEmail } from "../model/fold.ts";
import { asId, type ConnectionId } from "../model/ids.ts";
import type { PulseSettings } from "../model/pulse-settings.ts";
import { durationMs } from "./connection-policy.ts";
import { connectionName, line, strictObject } from "./strict-object.ts";
import { duration, email } from "./written.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

function between(least: string, most: string) {
  const [from, to] = [durationMs(least), durationMs(most)];
  return duration.refine((text) => {
    const ms = durationMs(text);
    return ms >= from && ms <= to;
  }, `write between ${least} and ${most}`);
}

/** `pulse.yaml`: one synthetic person who joins and leaves every day through the real chain. */
export const pulseFile = strictObject({
  version: z.literal(1),
  person: strictObject({
    email: email.describe("A mailbox of yours that nobody works with"),
    givenName: line(100).optional(),
    familyName: line(100).optional(),
    attributes: z.record(line(200), line(200)).optional(),
  }),
  groups: z
    .array(line(300))
    .min(1, "name a group that rules give something")
    .max(20)
    .describe("Groups of the IdP connection `pulse`; rules name them with `idp: pulse`"),
  connections: z
    .array(connectionName())
    .max(50)
    .optional()
    .describe(
      "Where the person must arrive; left out: every connection that writes and whose rules name one of the groups",
    ),
  every: between("1h", "7d").optional(),
  within: between("5m", "12h").optional(),
});

/**
 * The settings of a pulse, defaults filled in: daily, half an hour for each way.
 * @param named connections that write and whose rules name one of its groups, with `idp: pulse`
 */
export function pulseSettings(
  file: z.infer<typeof pulseFile>,
  named: (groups: readonly string[]) => readonly ConnectionId[],
): PulseSettings {
  const { person } = file;
  return {
    email: foldEmail(person.email),
    givenName: person.givenName ?? "Rolecall",
    familyName: person.familyName ?? "Pulse",
    attributes: person.attributes ?? {},
    groups: [...new Set(file.groups)],
    connections:
      file.connections === undefined
        ? named(file.groups)
        : [...new Set(file.connections)].map((name) => asId<ConnectionId>(name)),
    everyMs: file.every === undefined ? 24 * hourMs : durationMs(file.every),
    withinMs: file.within === undefined ? 30 * minuteMs : durationMs(file.within),
  };
}
