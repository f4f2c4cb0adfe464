import type { DirectoryQuery, PageRequest } from "../directory/query.ts";
import {
  type AttributePlace,
  type Constant,
  locate,
  refuseUnstored,
  shown,
  typeOf,
  unknownAttribute,
} from "./attribute-place.ts";
import { readBoolean, readNumber } from "./coerce-value.ts";
import { type Filter, type FilterValue, parseFilter } from "./filter.ts";
import { maxComparisons, maxScans } from "./limits.ts";
import { type Attribute, resolvePath, type ResourceSchema } from "./schema.ts";
import { ScimError } from "./scim-error.ts";

type Compare = Extract<Filter, { op: "compare" }>;
type Element = Extract<Filter, { op: "element" }>;

const everything: DirectoryQuery = { op: "all" };
const nothing: DirectoryQuery = { op: "not", of: everything };

/**
 * A filter of RFC 7644 section 3.4.2.2 as a question to the directory. undefined or blank: everything.
 * @throws ScimError 400 invalidFilter (form, unknown attribute, a comparison that makes no sense) or tooMany (too many conditions)
 */
export function planFilter(schema: ResourceSchema, text: string | undefined): DirectoryQuery {
  if (text === undefined || text.trim() === "") return everything;
  return new Planner(schema).plan(parseFilter(text));
}

/**
 * `sortBy` and `sortOrder` of RFC 7644 section 3.4.2.3.
 * @throws ScimError 400 invalidPath or invalidValue
 */
export function planSort(
  schema: ResourceSchema,
  sortBy: string | undefined,
  sortOrder: string | undefined,
): PageRequest["sort"] {
  if (sortBy === undefined || sortBy === "") return undefined;
  const order = (sortOrder ?? "ascending").toLowerCase();
  if (order !== "ascending" && order !== "descending") {
    throw new ScimError(400, "invalidValue", 'sortOrder: expected "ascending" or "descending"');
  }
  const place = locate(schema, sortBy, "sortBy", "invalidPath");
  if ("constant" in place) return undefined;
  if (place.type === "complex" || ("column" in place.field && place.field.column === "members")) {
    throw new ScimError(400, "invalidPath", `sortBy: ${sortBy} has no order; name a single value`);
  }
  if (place.type === "number") {
    // Lists sort text; 10 before 9 would be no order of numbers.
    throw new ScimError(
      400,
      "invalidPath",
      `sortBy: ${sortBy} is a number; lists sort by text and dates`,
    );
  }
  return { field: place.field, descending: order === "descending" };
}

class Planner {
  private readonly schema: ResourceSchema;
  private comparisons = 0;
  private scans = 0;

  constructor(schema: ResourceSchema) {
    this.schema = schema;
  }

  plan(filter: Filter): DirectoryQuery {
    switch (filter.op) {
      case "and":
      case "or":
        return { op: filter.op, of: filter.of.map((part) => this.plan(part)) };
      case "not":
        return { op: "not", of: this.plan(filter.of) };
      case "present": {
        const place = this.locate(filter.path);
        if ("constant" in place) return everything;
        this.count(place.scan);
        return { op: "present", field: place.field };
      }
      case "compare":
        return this.planCompare(filter);
      case "element":
        return this.planElement(filter);
    }
  }

  private planCompare(filter: Compare): DirectoryQuery {
    const place = this.locate(filter.path);
    if ("constant" in place) {
      this.count(false);
      return compareConstant(place.constant, filter);
    }
    this.count(place.scan);
    return comparison(place, filter);
  }

  private planElement(filter: Element): DirectoryQuery {
    const place = resolvePath(this.schema, filter.path);
    const attribute = typeof place === "object" ? place.attribute : undefined;
    if (typeof place !== "object" || attribute === undefined || place.sub !== undefined) {
      throw unknownAttribute(this.schema, filter.path);
    }
    refuseUnstored(this.schema, attribute, "filter", "invalidFilter");
    if (attribute.type !== "complex" || attribute.name === "meta") {
      throw invalid(`${attribute.path} has no parts: compare it without brackets`);
    }
    const ofMembers = attribute.name === "members";
    this.count(!ofMembers);
    const of = this.planInner(attribute, filter.of);
    if (ofMembers) return { op: "element", field: { column: "members" }, of };
    const field = {
      resource: [...(place.extension === undefined ? [] : [place.extension.urn]), attribute.name],
    };
    const element: DirectoryQuery = { op: "element", field, of };
    const address = attribute.name === "emails" ? equalValue(filter.of) : undefined;
    if (address === undefined) return element;
    // Entra matches people by emails[type eq "work"].value: the index finds the few, the element decides.
    const indexed: DirectoryQuery = {
      op: "compare",
      field: { column: "emails" },
      test: "eq",
      value: address,
      exact: false,
    };
    return { op: "and", of: [indexed, element] };
  }

  /** Fields are relative to the element. */
  private planInner(attribute: Attribute, filter: Filter): DirectoryQuery {
    switch (filter.op) {
      case "and":
      case "or":
        return { op: filter.op, of: filter.of.map((part) => this.planInner(attribute, part)) };
      case "not":
        return { op: "not", of: this.planInner(attribute, filter.of) };
      case "present":
        this.count(false);
        return { op: "present", field: { resource: [subOf(attribute, filter.path).name] } };
      case "compare": {
        this.count(false);
        const sub = subOf(attribute, filter.path);
        // Ids of members are ours or opaque.
        const exact = sub.caseExact || attribute.name === "members";
        return comparison(
          { field: { resource: [sub.name] }, type: typeOf(sub), exact, scan: false },
          filter,
        );
      }
      case "element":
        throw invalid("brackets inside brackets cannot be asked");
    }
  }

  private locate(path: string): AttributePlace | Constant {
    return locate(this.schema, path, "filter", "invalidFilter");
  }

  private count(scan: boolean): void {
    this.comparisons += 1;
    if (scan) this.scans += 1;
    if (this.comparisons > maxComparisons) {
      throw tooMany(`more than ${String(maxComparisons)} comparisons`);
    }
    if (this.scans > maxScans) {
      throw tooMany(`more than ${String(maxScans)} conditions that no index answers`);
    }
  }
}

function subOf(attribute: Attribute, name: string): Attribute {
  const sub = attribute.subAttributes.get(name.toLowerCase());
  if (sub === undefined || (attribute.name === "members" && sub.name !== "value")) {
    const known =
      attribute.name === "members"
        ? "value"
        : [...attribute.subAttributes.values()].map((item) => item.name).join(", ");
    throw invalid(`inside ${attribute.path}[…] expected ${known}, but got ${shown(name)}`);
  }
  return sub;
}

function comparison(place: AttributePlace, filter: Compare): DirectoryQuery {
  return {
    op: "compare",
    field: place.field,
    test: filter.test,
    value: literal(place, filter),
    exact: place.exact,
  };
}

const equalityTests: ReadonlySet<string> = new Set(["eq", "ne"]);
const textTests: ReadonlySet<string> = new Set(["co", "sw", "ew"]);

function literal(place: AttributePlace, { path, test, value }: Compare): FilterValue {
  if (place.type === "complex")
    throw invalid(`${path} has parts: name one of them, as in ${path}.…`);
  if (value === null || place.type === "boolean") {
    if (!equalityTests.has(test)) throw invalid(`${path}: expected eq or ne, but got ${test}`);
  }
  if (value === null) return null;
  switch (place.type) {
    case "boolean": {
      const read = typeof value === "string" ? readBoolean(value) : value;
      if (typeof read === "boolean") return read;
      throw invalid(`${path}: expected true or false`);
    }
    case "number": {
      const read = readNumber(value, false);
      if (read === undefined) throw invalid(`${path}: expected a number`);
      if (textTests.has(test)) throw invalid(`${path}: ${test} compares text, not numbers`);
      return read;
    }
    case "instant": {
      const at = typeof value === "string" ? Date.parse(value) : NaN;
      if (Number.isNaN(at)) {
        throw invalid(`${path}: expected a date and time such as "2026-01-31T09:00:00Z"`);
      }
      if (textTests.has(test)) throw invalid(`${path}: ${test} compares text, not instants`);
      return at;
    }
    case "text":
      if (typeof value === "string") return value;
      throw invalid(`${path}: expected text in double quotes`);
  }
}

function compareConstant(constant: string, filter: Compare): DirectoryQuery {
  if (!equalityTests.has(filter.test)) {
    throw invalid(`${filter.path}: expected eq or ne, but got ${filter.test}`);
  }
  return (filter.value === constant) === (filter.test === "eq") ? everything : nothing;
}

/** The address that an element has to have, whatever else the filter says. */
function equalValue(filter: Filter): string | undefined {
  if (filter.op === "and") {
    return filter.of.map(equalValue).find((value) => value !== undefined);
  }
  const equal = filter.op === "compare" && filter.test === "eq";
  return equal &&
    filter.path.toLowerCase() === "value" &&
    typeof filter.value === "string" &&
    filter.value !== ""
    ? filter.value
    : undefined;
}

function invalid(detail: string): ScimError {
  return new ScimError(400, "invalidFilter", `filter: ${detail}`);
}

function tooMany(detail: string): ScimError {
  return new ScimError(400, "tooMany", `filter: ${detail}; ask in several requests`);
}
