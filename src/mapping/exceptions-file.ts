import { z } from "zod";
import { foldEmail } from "../model/fold.ts";
import type { AccessException } from "../model/identity.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { endOfDay, isRealDay } from "../model/zoned-time.ts";
import { canonicalHash } from "./canonical.ts";
import { checkDeny, checkGrant } from "./check.ts";
import { foldName } from "./claim-key.ts";
import { oneOf } from "./nearest.ts";
import type { Problem } from "./problem.ts";
import { objectFields, objectProblem } from "./schema.ts";
import { connectionName, line, strictObject } from "./strict-object.ts";

const grant = strictObject({ kind: line(64), ...objectFields, role: line(300) }).superRefine(
  objectProblem,
);
const deny = strictObject({
  kind: line(64),
  ...objectFields,
  role: line(300).optional(),
}).superRefine(objectProblem);

const exception = strictObject({
  person: line(320).describe("E-mail address or userName"),
  connection: connectionName(),
  grant: grant.optional(),
  deny: deny.optional(),
  until: z
    .string()
    .regex(
      /^(?:withdrawn|\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2}))?)$/,
      "write a day (2027-01-31), an instant (2027-01-31T18:00:00Z) or `withdrawn` for no end",
    ),
  why: line(500),
  by: line(320).describe("Who decided"),
}).superRefine((value, context) => {
  if ((value.grant === undefined) === (value.deny === undefined)) {
    context.addIssue({ code: "custom", message: "an exception has either `grant:` or `deny:`" });
  }
});

/** `exceptions.yaml`: what single people get or must not have, whatever the rules say. */
export const exceptionsFile = strictObject({
  version: z.literal(1),
  exceptions: z.array(exception).max(10_000),
});

type Written = z.infer<typeof exception>;

/**
 * The exceptions of a file, with ids that stay the same as long as person and entitlement do.
 * @param zone IANA time zone in which a day ends
 * @param connections the vendors' facts by connection; a connection without them is not checked
 */
export function readExceptions(
  file: z.infer<typeof exceptionsFile>,
  zone: string,
  connections: ReadonlyMap<string, VendorFacts | undefined>,
): { readonly exceptions: readonly AccessException[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const found = new Map<string, AccessException>();
  file.exceptions.forEach((item, at) => {
    const path = ["exceptions", at];
    if (!connections.has(item.connection)) {
      problems.push({
        path: [...path, "connection"],
        message: `there is no connection "${item.connection}": ${oneOf(item.connection, [...connections.keys()])}`,
      });
    }
    const facts = connections.get(item.connection);
    if (facts !== undefined) {
      if (item.grant !== undefined) checkGrant(item.grant, [...path, "grant"], facts, problems);
      if (item.deny !== undefined) checkDeny(item.deny, [...path, "deny"], facts, problems);
    }
    const until = untilOf(item.until, zone);
    if (until === undefined) {
      problems.push({ path: [...path, "until"], message: `there is no such day: ${item.until}` });
      return;
    }
    const read = accessException(item, until);
    if (found.has(read.exceptionId)) {
      problems.push({ path, message: "the same exception stands above already: keep one" });
    }
    found.set(read.exceptionId, read);
  });
  return { exceptions: [...found.values()], problems };
}

function accessException(item: Written, until: number | null): AccessException {
  const entry = item.grant ?? item.deny;
  const object =
    entry?.id !== undefined
      ? { by: "id" as const, value: entry.id }
      : entry?.name !== undefined
        ? { by: "name" as const, value: entry.name }
        : null;
  const what = {
    person: foldEmail(item.person),
    connectionId: item.connection,
    effect: item.grant === undefined ? ("deny" as const) : ("grant" as const),
    kind: entry?.kind ?? "",
    object,
    role: entry?.role ?? null,
  };
  const identity =
    object?.by === "name"
      ? { ...what, object: { by: "name", value: foldName(object.value) } }
      : what;
  return {
    exceptionId: `file-${canonicalHash(identity).slice(0, 20)}`,
    ...what,
    until,
    why: item.why,
    by: item.by,
    source: "file",
  };
}

/** The last instant at which an exception counts; null: no end; undefined: no such day. */
function untilOf(text: string, zone: string): number | null | undefined {
  if (text === "withdrawn") return null;
  if (text.includes("T")) {
    const instant = Date.parse(text);
    return isRealDay(text.slice(0, 10)) && Number.isFinite(instant) ? instant : undefined;
  }
  return isRealDay(text) ? endOfDay(text, zone) : undefined;
}
