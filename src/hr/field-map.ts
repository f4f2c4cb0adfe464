import type { HrAttributes, HrMoment } from "../model/employment.ts";
import { fold, foldEmail } from "../model/fold.ts";
import type { RowField } from "../model/hr-settings.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { readMoment } from "./dates.ts";
import { word, type ReadMessage, type Reading } from "./event.ts";
import { MessageFault } from "./message-fault.ts";

/**
 * Reads one row of a state upload: who, and how things stand. Where a field map names a column for a field, the column has to be there:
 * an empty end says that no leave is planned, a missing column says nothing and parks the row.
 * @param saidAt the instant for which the upload holds
 * @throws MessageFault
 */
export function readRow(row: JsonObject, saidAt: number, reading: Reading): ReadMessage {
  const { source, settings } = reading;
  const value = (field: RowField) => fieldOf(row, field, source.fields);
  const id = value("id");
  if (id === undefined || id === "")
    throw new MessageFault("NO_PERSON", "the row has no id: it names nobody");
  const location = value("location");
  const zones = {
    person: emptied(value("zone")),
    location: emptied(location),
    source,
    settings,
  };
  const moment = (field: "start" | "end", dayTime: string): HrMoment | undefined => {
    const written = emptied(value(field));
    return written === undefined ? undefined : readMoment(written, field, dayTime, zones);
  };
  const email = emptied(value("email"));
  const leaves = moment("end", source.leaveTime);
  return {
    person: {
      key: id,
      employeeNumber: fold(emptied(value("employeeNumber")) ?? id),
      email: email === undefined ? undefined : foldEmail(email),
      displayName: emptied(value("name")),
      ...attributesOf(row, source.attributes ?? {}),
    },
    statement: {
      type: "state",
      status: statusOf(emptied(value("status")), reading),
      starts: moment("start", source.startTime),
      // A row without the field says nothing about a leave.
      leaves: value("end") === undefined ? undefined : (leaves ?? null),
    },
    saidAt,
  };
}

/** Declared attributes whose column is there; a column that is missing says nothing, an empty one that there is none. */
function attributesOf(
  row: JsonObject,
  declared: Readonly<Record<string, string>>,
): { readonly attributes?: HrAttributes } {
  const said = Object.entries(declared).flatMap(([name, column]) => {
    const value = valueAt(row, column);
    if (value === undefined) return [];
    if (typeof value === "object" && value !== null)
      throw new MessageFault("UNREADABLE", `"${column}": expected a text, not a list or an object`);
    return [[name, word(value)] as const];
  });
  return said.length === 0 ? {} : { attributes: Object.fromEntries(said) };
}

/** Some systems write no day as one that never was. */
function emptied(text: string | undefined): string | undefined {
  return text === "" || text === "0000-00-00" ? undefined : text;
}

/** A field's text; undefined: the row has no such field. @throws MessageFault FIELD_MISSING where hr.yaml names its column */
function fieldOf(
  row: JsonObject,
  field: RowField,
  fields: Readonly<Record<string, string>>,
): string | undefined {
  const mapped = Object.keys(fields).length > 0;
  const name = mapped ? fields[field] : field;
  if (name === undefined) return undefined;
  const found = valueAt(row, name);
  if (found === undefined) {
    if (!mapped) return undefined;
    throw new MessageFault(
      "FIELD_MISSING",
      `the row has no "${name}", which hr.yaml reads as ${field}: correct the field map, or export the column`,
    );
  }
  if (found === null) return "";
  if (typeof found === "object")
    throw new MessageFault("UNREADABLE", `"${name}": expected a text, not a list or an object`);
  return String(found).trim();
}

/** A column by its whole name, or a path of nested objects: `work.startDate`. */
function valueAt(row: JsonObject, name: string): Json | undefined {
  if (Object.hasOwn(row, name)) return row[name];
  let value: Json | undefined = row;
  for (const step of name.split(".")) {
    if (value === null) return null;
    if (typeof value !== "object" || Array.isArray(value) || !Object.hasOwn(value, step))
      return undefined;
    value = (value as JsonObject)[step];
  }
  return value;
}

function statusOf(text: string | undefined, { source }: Reading): "employed" | "away" | "left" {
  if (text === undefined) return "employed";
  const wanted = fold(text);
  for (const status of ["employed", "away", "left"] as const) {
    if (source.statuses[status].some((known) => fold(known) === wanted)) return status;
  }
  throw new MessageFault(
    "UNREADABLE",
    `status: hr.yaml does not say what "${text.slice(0, 60)}" means: list it under statuses`,
  );
}
