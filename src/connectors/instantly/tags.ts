import type { DeclaredThing, ObservedThing } from "../../model/declared.ts";
import { foldEmail } from "../../model/fold.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Applied, Call, EndOfList, ThingDifference } from "../connector.ts";
import { ask, askPages } from "./ask.ts";
import { requestIds } from "./members.ts";
import { saysNotFound } from "./refusals.ts";
import {
  accountWire,
  campaignWire,
  membersPage,
  nextPage,
  pageLimit,
  pageWire,
  tagMappingWire,
  tagWire,
} from "./wire.ts";

/** Resources as the vendor numbers them (enum of toggle-resource, 2026-08-21; its prose has them swapped). */
const types = { accounts: 1, campaigns: 2 } as const;
type Section = keyof typeof types;
const sections = Object.keys(types) as readonly Section[];
const togglesMax = 100;

const tagsPage = pageWire(tagWire);
const tagMappingsPage = pageWire(tagMappingWire);
const campaignsPage = pageWire(campaignWire);
const accountsPage = pageWire(accountWire);

interface Resource {
  readonly id: string;
  readonly name: string;
  readonly ownedBy: string | undefined;
}

/** Tags with what they mark and what their declarations want them to mark. Labels only: they restrict nobody. */
export async function* listTags(
  call: Call,
  declared: readonly DeclaredThing[],
): AsyncGenerator<ObservedThing | EndOfList> {
  const resources = await readResources(call, declared);
  const owners = await readOwners(call, declared);
  const marked = await readMarks(call);
  const byLabel = new Map(declared.map((item) => [item.name, item]));
  let count = 0;
  for await (const tag of everything(call, "tags.list", tagsPage)) {
    count += 1;
    const wish = byLabel.get(tag.label);
    const facts: Record<string, JsonObject> = {};
    for (const section of sections) {
      const held = marked
        .filter((item) => item.tag_id === tag.id && item.resource_type === types[section])
        .map((item) => item.resource_id)
        .sort();
      facts[section] = { held, ...chosen(wish?.wants[section], resources[section], owners) };
    }
    yield {
      kind: "tag",
      thingId: tag.id,
      name: tag.label,
      state: "active",
      createdAt: undefined,
      facts,
    };
  }
  yield { complete: true, count };
}

/** Ids that a declaration chooses, and those that it names and nobody knows. */
function chosen(
  wish: unknown,
  resources: readonly Resource[],
  owners: ReadonlyMap<string, string>,
): JsonObject {
  if (typeof wish !== "object" || wish === null) return {};
  const {
    prefix,
    ids = [],
    owner,
  } = wish as {
    readonly prefix?: string;
    readonly ids?: readonly string[];
    readonly owner?: string;
  };
  const ownerId = owner === undefined ? undefined : owners.get(foldEmail(owner));
  const named = ids.map((id) => ({ id, found: resources.find((item) => item.id === id) }));
  const wanted = resources.filter(
    (item) =>
      ids.includes(item.id) ||
      (prefix !== undefined && item.name.startsWith(prefix)) ||
      (ownerId !== undefined && item.ownedBy === ownerId),
  );
  return {
    wanted: wanted.map((item) => item.id).sort(),
    unknown: [
      ...named.filter((item) => item.found === undefined).map((item) => item.id),
      ...(owner !== undefined && ownerId === undefined ? [owner] : []),
    ].sort(),
  };
}

interface Marks {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly unknown: readonly string[];
}

function marksOf(observed: ObservedThing, section: Section): Marks {
  const facts = observed.facts[section] as JsonObject | undefined;
  const held = texts(facts?.["held"]);
  if (facts?.["wanted"] === undefined) return { missing: [], extra: [], unknown: [] };
  const wanted = texts(facts["wanted"]);
  return {
    missing: wanted.filter((id) => !held.includes(id)),
    extra: held.filter((id) => !wanted.includes(id)),
    unknown: texts(facts["unknown"]),
  };
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as readonly unknown[]).map(String) : [];
}

/** Where a tag is not on what it is declared for, or on more; ids that nobody knows are for people. */
export function tagDifference(
  observed: ObservedThing,
  authoritative: boolean,
): ThingDifference | undefined {
  const marks = sections.map((section) => ({ section, ...marksOf(observed, section) }));
  const count = (field: keyof Marks) => marks.reduce((sum, item) => sum + item[field].length, 0);
  const said = [
    ...marks.flatMap(({ section, missing, extra }) => [
      ...(missing.length === 0 ? [] : [`${String(missing.length)} ${section} lack it`]),
      ...(extra.length === 0 ? [] : [`${String(extra.length)} ${section} have it beyond that`]),
    ]),
    ...(count("unknown") === 0
      ? []
      : [
          `no such campaign, account or owner: ${marks.flatMap((item) => item.unknown).join(", ")}`,
        ]),
  ];
  if (said.length === 0) return undefined;
  const adjustable = count("missing") > 0 || (authoritative && count("extra") > 0);
  return { text: said.join("; "), adjustable };
}

export async function createTag(call: Call, declared: DeclaredThing): Promise<Applied> {
  const { team } = declared.wants;
  const answer = await ask(call, {
    operation: "tags.create",
    body: { label: declared.name, description: typeof team === "string" ? team : null },
    parse: (body) => tagWire.parse(body),
  });
  return { outcome: "changed", requestIds: requestIds(answer) };
}

/** Puts the tag where it belongs, and as the owner of the set takes it off everything else. Says what shall be, so it may be repeated. */
export async function markTag(
  call: Call,
  observed: ObservedThing,
  authoritative: boolean,
): Promise<Applied> {
  const ids: string[] = [];
  for (const section of sections) {
    const { missing, extra } = marksOf(observed, section);
    const writes = [
      ...parts(missing).map((resources) => ({ assign: true, resources })),
      ...(authoritative ? parts(extra).map((resources) => ({ assign: false, resources })) : []),
    ];
    for (const { assign, resources } of writes) {
      const answer = await ask(call, {
        operation: "tags.toggle",
        body: {
          tag_ids: [observed.thingId],
          resource_type: types[section],
          resource_ids: resources,
          assign,
        },
        parse: () => undefined,
      });
      ids.push(...requestIds(answer));
    }
  }
  return { outcome: "changed", requestIds: ids };
}

function parts(ids: readonly string[]): readonly (readonly string[])[] {
  const made: (readonly string[])[] = [];
  for (let at = 0; at < ids.length; at += togglesMax) made.push(ids.slice(at, at + togglesMax));
  return made;
}

export async function endTag(call: Call, observed: ObservedThing): Promise<Applied> {
  try {
    const answer = await ask(call, {
      operation: "tags.remove",
      path: { tagId: observed.thingId },
      parse: () => undefined,
    });
    return { outcome: "changed", requestIds: requestIds(answer) };
  } catch (error) {
    if (saysNotFound(error)) return { outcome: "unchanged", requestIds: [] };
    throw error;
  }
}

async function readResources(
  call: Call,
  declared: readonly DeclaredThing[],
): Promise<Readonly<Record<Section, readonly Resource[]>>> {
  const wants = (section: Section) => declared.some((item) => item.wants[section] !== undefined);
  const campaigns: Resource[] = [];
  const accounts: Resource[] = [];
  if (wants("campaigns")) {
    for await (const item of everything(call, "campaigns.list", campaignsPage))
      campaigns.push({ id: item.id, name: item.name, ownedBy: item.owned_by ?? undefined });
  }
  if (wants("accounts")) {
    for await (const item of everything(call, "accounts.list", accountsPage))
      accounts.push({ id: item.email, name: item.email, ownedBy: item.added_by ?? undefined });
  }
  return { campaigns, accounts };
}

/** Addresses → the ids by which campaigns name their owners; asked only where a declaration chooses by owner. */
async function readOwners(
  call: Call,
  declared: readonly DeclaredThing[],
): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>();
  const asked = declared.some((item) =>
    sections.some((section) => (item.wants[section] as JsonObject | undefined)?.["owner"]),
  );
  if (!asked) return owners;
  for await (const item of everything(call, "members.list", membersPage)) {
    if (typeof item.user_id !== "string") continue;
    for (const address of [item.email, item.user_email ?? ""])
      if (address !== "") owners.set(foldEmail(address), item.user_id);
  }
  return owners;
}

async function readMarks(call: Call) {
  const marks = [];
  for await (const item of everything(call, "tag_mappings.list", tagMappingsPage)) marks.push(item);
  return marks;
}

async function* everything<T>(
  call: Call,
  operation: string,
  page: ReturnType<typeof pageWire<T>>,
): AsyncGenerator<T> {
  const pages = askPages(
    call,
    { operation, query: { limit: pageLimit }, parse: (body) => page.parse(body) },
    nextPage,
  );
  for await (const answer of pages) yield* answer.value.items;
}
