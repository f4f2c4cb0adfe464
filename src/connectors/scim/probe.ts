import { z } from "zod";
import { SyncError } from "../../model/errors.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { VendorAnswer } from "../../model/vendor-http.ts";
import type { CheckReport } from "../connector.ts";
import { equals } from "./filter.ts";
import { listUsers } from "./find.ts";
import { findResources } from "./lists.ts";
import type { ScimCall } from "./scim-call.ts";
import { parseList, parseUser, type ListPage, type ScimUser } from "./wire.ts";

/** A name that nobody has: what the server makes of a filter that finds nobody. */
const nobody = "rolecall-probe@nobody.invalid";

/**
 * Looks at a server before anything is written to it: whether the credential answers, whose server it is, and whether it behaves as the
 * profile says. Only reads. What a server says of itself is compared and told, never obeyed: many have it wrong or not at all.
 */
export async function probe(scim: ScimCall): Promise<CheckReport> {
  const first = await firstPage(scim, "users.list");
  if (scim.target.groups.source === "resource") await firstPage(scim, "groups.list");
  const config = await readConfig(scim);
  const anchor = await readAnchor(scim);
  const own = await ownAccounts(scim, anchor);
  const notes = [
    ...(await discoveryNotes(scim)),
    ...configNotes(scim, config),
    ...(await filterNotes(scim)),
    ...pageNotes(scim, first),
    ...inventoryNotes(scim, first),
    ...profileNotes(scim),
    ...(anchor === undefined
      ? [
          "SCIM does not say whose server answers: name an account that is always there as organization.anchor, so that a key of another tenant is noticed",
        ]
      : []),
  ];
  return {
    organization:
      anchor === undefined
        ? { id: config?.location ?? "unnamed", name: config?.location ?? "a SCIM server" }
        : { id: anchor.id, name: `the server of ${anchor.userName}` },
    ownAccountIds: own,
    credential: { kind: "token of the SCIM server", owner: undefined },
    notes,
  };
}

/** Throws whatever the server says to a plain list: a refused credential, a missing scope, a plan. */
async function firstPage(
  scim: ScimCall,
  operation: "users.list" | "groups.list",
): Promise<VendorAnswer<ListPage>> {
  return scim.call.http.request({
    operation,
    query: scim.target.page.style === "none" ? {} : { count: 1 },
    parse: parseList,
    refusals: scim.refusals,
  });
}

const supported = z.object({ supported: z.boolean().nullish() }).nullish();
const configShape = z.looseObject({
  patch: supported,
  filter: supported,
  etag: supported,
  changePassword: supported,
  pagination: z
    .looseObject({ cursor: z.boolean().nullish(), index: z.boolean().nullish() })
    .nullish(),
  meta: z.object({ location: z.string().nullish() }).nullish(),
});
interface Config {
  readonly shape: z.infer<typeof configShape>;
  readonly location: string | undefined;
}

/** Undefined: the server does not describe itself, which is no fault of it here. */
async function readConfig(scim: ScimCall): Promise<Config | undefined> {
  const shape = await discovered(scim, "config.read", (body) => configShape.parse(body));
  return shape === undefined ? undefined : { shape, location: shape.meta?.location ?? undefined };
}

async function discovered<T>(
  scim: ScimCall,
  operation: "config.read" | "types.list" | "schemas.list",
  parse: (body: unknown) => T,
): Promise<T | undefined> {
  try {
    const answer = await scim.call.http.request({ operation, parse, refusals: scim.refusals });
    return answer.value;
  } catch (error) {
    // Whether the credential counts is decided by the users alone; an outage is no answer at all.
    if (!(error instanceof SyncError) || error.disposition === "retry") throw error;
    return undefined;
  }
}

async function discoveryNotes(scim: ScimCall): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const [operation, path] of [
    ["types.list", "/ResourceTypes"],
    ["schemas.list", "/Schemas"],
  ] as const) {
    const found = await discovered(scim, operation, parseList);
    if (found === undefined) notes.push(`${path} is not there or not readable: not needed`);
  }
  return notes;
}

function configNotes(scim: ScimCall, config: Config | undefined): readonly string[] {
  if (config === undefined) {
    return ["/ServiceProviderConfig is not there or not readable: the profile alone counts"];
  }
  const { update, page, find } = scim.target;
  const { patch, filter, etag, pagination } = config.shape;
  const differs = (what: string, says: boolean, profile: string) =>
    `the server says that it ${says ? "has" : "has no"} ${what}, and the profile says ${profile}: the profile counts`;
  return [
    ...(patch?.supported === false && update.mode === "patch"
      ? [differs("PATCH", false, "update.mode: patch")]
      : []),
    ...(patch?.supported === true && update.mode === "put"
      ? [differs("PATCH", true, "update.mode: put")]
      : []),
    ...(filter?.supported === false && find.filters.length > 0
      ? [differs("filters", false, `find.filters: [${find.filters.join(", ")}]`)]
      : []),
    ...(etag?.supported === true && update.versions === "none"
      ? [differs("versions", true, "update.versions: none")]
      : []),
    ...(etag?.supported === false && update.versions === "if-match"
      ? [differs("versions", false, "update.versions: if-match")]
      : []),
    ...(pagination?.cursor === true && pagination.index === false && page.style !== "cursor"
      ? [differs("cursors only", true, `page.style: ${page.style}`)]
      : []),
  ];
}

/** What a filter for nobody comes to, for each filter that the profile counts on. */
async function filterNotes(scim: ScimCall): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const criterion of scim.target.find.filters) {
    const attribute = criterion === "email" ? "emails.value" : criterion;
    try {
      const found = await findResources(scim, "users.list", equals(attribute, nobody));
      notes.push(
        found.length === 0
          ? `filters by ${attribute}`
          : `does not filter by ${attribute}: it gave ${String(found.length)} users for a name that nobody has; take it out of find.filters`,
      );
    } catch (error) {
      if (!(error instanceof SyncError) || error.disposition !== "park") throw error;
      notes.push(
        `refuses the filter by ${attribute} (HTTP ${String(error.facts.status)}): take it out of find.filters${error.facts.status === 404 ? ", or set find.noMatch: not_found where it finds others" : ""}`,
      );
    }
  }
  return notes;
}

function pageNotes(scim: ScimCall, first: VendorAnswer<ListPage>): readonly string[] {
  const { resources, total } = first.value;
  if (total === undefined)
    return ["lists carry no totalResults: a list ends with its first empty page"];
  if (scim.target.page.style !== "none" && resources.length > 1) {
    return [`gave ${String(resources.length)} users where one was asked for: it may know no pages`];
  }
  return [`counts ${String(total)} users`];
}

/** What is there already and may not be ours: said before the first write, for whoever turns writing on. */
function inventoryNotes(scim: ScimCall, first: VendorAnswer<ListPage>): readonly string[] {
  const sample = first.value.resources.map((item) => parseUser(scim.target, item));
  const marked = sample.filter((item) => item.externalId !== undefined && item.externalId !== "");
  if (marked.length === 0) return [];
  return [
    "users carry an externalId: if another system provisions here, turn it off first; rolecall leaves users with a strange mark alone while externalId.foreign is refuse",
  ];
}

function profileNotes(scim: ScimCall): readonly string[] {
  const { deactivate, update, groups } = scim.target;
  return [
    deactivate.means === "disable"
      ? "leavers are switched off and kept"
      : `leavers are deleted with what they own${deactivate.lossAccepted ? "" : ": left to a person until deactivate.lossAccepted is set"}`,
    update.mode === "patch" ? "users are changed by PATCH" : "users are written whole (PUT)",
    groups.source === "none"
      ? "groups are not managed"
      : `members are written ${groups.write === "put" ? "with the whole group (PUT)" : "one at a time"}`,
  ];
}

async function readAnchor(scim: ScimCall): Promise<ScimUser | undefined> {
  const { anchor } = scim.target.organization;
  if (anchor === null) return undefined;
  const found = await byUserName(scim, anchor);
  if (found !== undefined) return found;
  throw new SyncError(
    "WRONG_ORGANIZATION",
    "scim: the account that organization.anchor names is not at this server: the credential answers for another tenant, or the account is gone",
  );
}

async function ownAccounts(
  scim: ScimCall,
  anchor: ScimUser | undefined,
): Promise<readonly AccountId[]> {
  const ids = anchor === undefined ? [] : [anchor.id];
  for (const userName of scim.target.organization.own) {
    const found = await byUserName(scim, userName);
    if (found !== undefined) ids.push(found.id);
  }
  return [...new Set(ids)].map((id) => asId<AccountId>(id));
}

async function byUserName(scim: ScimCall, userName: string): Promise<ScimUser | undefined> {
  const folded = userName.toLowerCase();
  const named = (item: ScimUser) => item.userName.toLowerCase() === folded;
  if (scim.target.find.filters.includes("userName")) {
    const items = await findResources(scim, "users.list", equals("userName", userName));
    return items.map((item) => parseUser(scim.target, item)).find(named);
  }
  for await (const item of listUsers(scim)) if (named(item)) return item;
  return undefined;
}
