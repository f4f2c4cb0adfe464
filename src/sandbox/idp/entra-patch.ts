import type { Json, JsonObject } from "../../model/json.ts";
import type { Person } from "./person.ts";
import {
  asArray,
  asObject,
  enterpriseSchema,
  equals,
  groupSchema,
  patchOp,
  userSchema,
} from "./scim-message.ts";
import type { ScimResource } from "./scim-message.ts";

/**
 * How updates are written (Microsoft, scim-compatibility, 2026): `default` has capitalised operations, one per
 * attribute, and booleans as text; `aadOptscim062020` has lower case, real booleans, and one operation without a path
 * whose keys are dotted names and URNs.
 */
export type PatchForm = "default" | "aadOptscim062020";

type Op = "Add" | "Replace" | "Remove";

interface Attribute {
  readonly path: string;
  readonly wanted: (person: Person) => string;
  readonly current: (resource: ScimResource) => Json | undefined;
  /** Typed elements keep their path in both forms. */
  readonly valuePath?: true;
}

const managerPath = `${enterpriseSchema}:manager`;

const userAttributes: readonly Attribute[] = [
  { path: "externalId", wanted: ({ id }) => id, current: (user) => user.externalId },
  { path: "userName", wanted: ({ userName }) => userName, current: (user) => user.userName },
  { path: "displayName", wanted: (one) => one.displayName, current: (user) => user.displayName },
  { path: "title", wanted: ({ title }) => title, current: (user) => user.title },
  {
    path: 'emails[type eq "work"].value',
    wanted: ({ email }) => email,
    current: (user) =>
      asObject(asArray(user.emails).find((email) => asObject(email).type === "work")).value,
    valuePath: true,
  },
  {
    path: "name.givenName",
    wanted: ({ givenName }) => givenName,
    current: (user) => asObject(user.name).givenName,
  },
  {
    path: "name.familyName",
    wanted: ({ familyName }) => familyName,
    current: (user) => asObject(user.name).familyName,
  },
  { path: "userType", wanted: ({ userType }) => userType, current: (user) => user.userType },
  {
    path: `${enterpriseSchema}:employeeNumber`,
    wanted: ({ employeeNumber }) => employeeNumber,
    current: (user) => asObject(user[enterpriseSchema]).employeeNumber,
  },
  {
    path: `${enterpriseSchema}:department`,
    wanted: ({ department }) => department,
    current: (user) => asObject(user[enterpriseSchema]).department,
  },
];

/** Whether a push is due: something that has a value differs from what was pushed. Erased values are never sent. */
export function personDiffers(person: Person, pushed: Person): boolean {
  return userAttributes.some(
    ({ wanted }) => wanted(person) !== "" && wanted(person) !== wanted(pushed),
  );
}

/** The body of a create; empty attributes are left out, the manager follows in the second pass. */
export function userBody(person: Person): JsonObject {
  const { userName, displayName, title, userType, email } = person;
  const filled = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  return {
    schemas: [userSchema, enterpriseSchema],
    externalId: person.id,
    userName,
    active: true,
    ...filled({ displayName, title, userType }),
    emails: email === "" ? [] : [{ primary: true, type: "work", value: email }],
    meta: { resourceType: "User" },
    name: filled({ givenName: person.givenName, familyName: person.familyName }),
    roles: [],
    [enterpriseSchema]: filled({
      employeeNumber: person.employeeNumber,
      department: person.department,
    }),
  };
}

/** The operations that make `current` the person; none when nothing differs. */
export function userOperations(
  person: Person,
  active: boolean,
  current: ScimResource,
  form: PatchForm,
): readonly JsonObject[] {
  const changes = userAttributes.flatMap((attribute) => {
    const value = attribute.wanted(person);
    const held = attribute.current(current);
    if (value === "" || value === held) return [];
    const op: Op = held === undefined || held === null || held === "" ? "Add" : "Replace";
    return [{ op, path: attribute.path, value, valuePath: attribute.valuePath === true }];
  });
  const attributes =
    form === "default"
      ? changes.map(({ op, path, value }) => ({ op, path, value }))
      : [
          ...changes
            .filter(({ valuePath }) => valuePath)
            .map(({ op, path, value }) => ({ op: op.toLowerCase(), path, value })),
          ...withoutPath("add", changes),
          ...withoutPath("replace", changes),
        ];
  return current.active === active ? attributes : [...attributes, activeOperation(active, form)];
}

function withoutPath(
  op: "add" | "replace",
  changes: readonly { op: Op; path: string; value: string; valuePath: boolean }[],
): readonly JsonObject[] {
  const chosen = changes.filter((change) => change.op.toLowerCase() === op && !change.valuePath);
  if (chosen.length === 0) return [];
  return [{ op, value: Object.fromEntries(chosen.map(({ path, value }) => [path, value])) }];
}

function activeOperation(active: boolean, form: PatchForm): JsonObject {
  return {
    op: opName("Replace", form),
    path: "active",
    value: form === "default" ? (active ? "True" : "False") : active,
  };
}

/** Sets the manager to a bare id; `undefined` takes the manager away. */
export function managerPatch(
  managerScimId: string | undefined,
  hadManager: boolean,
  form: PatchForm,
): JsonObject {
  if (managerScimId === undefined) {
    return patchOp([{ op: opName("Remove", form), path: managerPath }]);
  }
  const op = opName(hadManager ? "Replace" : "Add", form);
  return patchOp([{ op, path: managerPath, value: managerScimId }]);
}

/** The question before a manager is set: does the user have it already? */
export function managerFilter(scimId: string, managerScimId: string): string {
  return `${equals("id", scimId)} and ${equals("manager", managerScimId)}`;
}

/** The body of a create: never members, and Microsoft's own schema beside the core one. */
export function groupBody(objectId: string, displayName: string): JsonObject {
  return {
    schemas: [
      groupSchema,
      "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
    ],
    externalId: objectId,
    displayName,
    meta: { resourceType: "Group" },
  };
}

export function groupOperations(
  objectId: string,
  displayName: string,
  current: ScimResource,
  form: PatchForm,
): readonly JsonObject[] {
  const wanted = [
    { path: "displayName", value: displayName, held: current.displayName },
    { path: "externalId", value: objectId, held: current.externalId },
  ];
  return wanted
    .filter(({ value, held }) => value !== held)
    .map(({ path, value, held }) => ({
      op: opName(held === undefined || held === null ? "Add" : "Replace", form),
      path,
      value,
    }));
}

export function addMembersPatch(scimIds: readonly string[], form: PatchForm): JsonObject {
  return patchOp([{ op: opName("Add", form), path: "members", value: memberValues(scimIds) }]);
}

/** By value in the default form, by value path with the flag. */
export function removeMembersPatch(scimIds: readonly string[], form: PatchForm): JsonObject {
  return patchOp(
    form === "default"
      ? [{ op: "Remove", path: "members", value: memberValues(scimIds) }]
      : scimIds.map((id) => ({ op: "remove", path: `members[${equals("value", id)}]` })),
  );
}

function memberValues(scimIds: readonly string[]): readonly JsonObject[] {
  return scimIds.map((value) => ({ $ref: null, value }));
}

function opName(op: Op, form: PatchForm): string {
  return form === "default" ? op : op.toLowerCase();
}
