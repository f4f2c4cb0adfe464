import type { DeclaredThing, ObservedThing } from "../../model/declared.ts";
import { SyncError } from "../../model/errors.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Applied, Call, EndOfList, ThingAbility, ThingDifference } from "../connector.ts";
import { deactivateKey, listRawKeys } from "./keys.ts";
import { requestIds } from "./members.ts";
import { refusals } from "./refusals.ts";
import { cursorPageWire, isSelfKept, nextCursor, rateLimitWire, workspaceWire } from "./wire.ts";
import { listRawWorkspaces } from "./workspaces.ts";

const limitsPage = cursorPageWire(rateLimitWire);

/** Workspaces with their limits, and the keys of the organisation. A workspace is made and never archived. */
export const anthropicThings: ThingAbility = {
  async *list(call, kind, declared) {
    if (kind === "workspace") yield* listWorkspaceThings(call, declared);
    else if (kind === "api_key") yield* listKeyThings(call);
    else throw noSuch(kind);
  },
  difference: (declared, observed) =>
    declared.kind === "workspace" ? limitDifference(declared, observed) : undefined,
  objection: (observed) =>
    observed.kind === "api_key" && observed.facts["reach"] === "organization"
      ? "it works in every workspace: make one for the workspace that needs it, then end this one"
      : undefined,
  create(call, declared) {
    if (declared.kind !== "workspace") return Promise.reject(noSuch(declared.kind));
    return createWorkspace(call, declared);
  },
  adjust: (call, declared, observed) => setLimits(call, declared, observed),
  end(call, observed) {
    if (observed.kind !== "api_key") return Promise.reject(noSuch(observed.kind));
    return deactivateKey(call, observed.thingId);
  },
};

async function* listWorkspaceThings(
  call: Call,
  declared: readonly DeclaredThing[],
): AsyncGenerator<ObservedThing | EndOfList> {
  let count = 0;
  for await (const workspace of listRawWorkspaces(call)) {
    count += 1;
    const ended = typeof workspace.archived_at === "string";
    const wish = declared.find((item) => item.name === workspace.name);
    const limits =
      ended || wish?.wants["limits"] === undefined ? {} : await readLimits(call, workspace.id);
    yield {
      kind: "workspace",
      thingId: workspace.id,
      name: workspace.name,
      state: ended ? "ended" : "active",
      createdAt: workspace.created_at ?? undefined,
      facts: { limits },
      ...(isSelfKept(workspace.name) ? { ours: false as const } : {}),
    };
  }
  yield { complete: true, count };
}

async function createWorkspace(call: Call, declared: DeclaredThing): Promise<Applied> {
  const answer = await call.http.request({
    operation: "workspaces.create",
    body: { name: declared.name },
    parse: (body) => workspaceWire.parse(body),
    refusals,
  });
  return { outcome: "changed", requestIds: requestIds(answer) };
}

/** `group/limiter` → the value that counts, and the id by which the group's limits are set. */
async function readLimits(call: Call, workspaceId: string): Promise<JsonObject> {
  const found: Record<string, JsonObject> = {};
  const pages = call.http.pages(
    {
      operation: "rate_limits.list",
      path: { workspaceId },
      query: { include_inherited: true },
      parse: (body) => limitsPage.parse(body),
      refusals,
    },
    nextCursor,
  );
  for await (const page of pages) {
    for (const { group, limits, rate_limit_id: rateLimitId } of page.value.data) {
      for (const { type, value } of limits)
        found[`${group.display_name ?? group.type}/${type}`] = { value, rateLimitId };
    }
  }
  return found;
}

interface LimitWish {
  readonly group: string;
  readonly limiter: string;
  readonly value: number;
}

function wishesOf({ wants }: DeclaredThing): readonly LimitWish[] {
  return (wants["limits"] ?? []) as unknown as readonly LimitWish[];
}

function shownLimit(observed: ObservedThing, { group, limiter }: LimitWish) {
  const limits = observed.facts["limits"] as JsonObject | undefined;
  return limits?.[`${group}/${limiter}`] as
    { readonly value: number; readonly rateLimitId: string } | undefined;
}

function limitDifference(
  declared: DeclaredThing,
  observed: ObservedThing,
): ThingDifference | undefined {
  const wishes = wishesOf(declared);
  const unknown = wishes.filter((wish) => shownLimit(observed, wish) === undefined);
  const other = wishes.filter((wish) => {
    const shown = shownLimit(observed, wish);
    return shown !== undefined && shown.value !== wish.value;
  });
  const named = (list: readonly LimitWish[]) =>
    list.map((wish) => `${wish.group} ${wish.limiter}`).join(", ");
  if (other.length > 0)
    return { text: `other limits than declared: ${named(other)}`, adjustable: true };
  if (unknown.length === 0) return undefined;
  return { text: `the vendor shows no such limit: ${named(unknown)}`, adjustable: false };
}

/** Sets what differs, one call a group. The lower of workspace and organisation limit counts, within about an hour. */
async function setLimits(
  call: Call,
  declared: DeclaredThing,
  observed: ObservedThing,
): Promise<Applied> {
  const groups = new Map<string, { readonly type: string; readonly value: number }[]>();
  for (const wish of wishesOf(declared)) {
    const shown = shownLimit(observed, wish);
    if (shown === undefined || shown.value === wish.value) continue;
    const known = groups.get(shown.rateLimitId) ?? [];
    groups.set(shown.rateLimitId, [...known, { type: wish.limiter, value: wish.value }]);
  }
  const ids: string[] = [];
  for (const [rateLimitId, limits] of groups) {
    const answer = await call.http.request({
      operation: "rate_limits.update",
      path: { workspaceId: observed.thingId, rateLimitId },
      body: { limits },
      parse: (body) => rateLimitWire.parse(body),
      refusals,
    });
    ids.push(...requestIds(answer));
  }
  return { outcome: groups.size === 0 ? "unchanged" : "changed", requestIds: ids };
}

/** Keys by name, with who made them: what an inventory says. Several may have one name. */
async function* listKeyThings(call: Call): AsyncGenerator<ObservedThing | EndOfList> {
  let count = 0;
  for await (const key of listRawKeys(call)) {
    count += 1;
    const maker = key.created_by?.id;
    const personal = key.principal?.user_id;
    yield {
      kind: "api_key",
      thingId: key.id,
      name: key.name,
      state: key.status === "active" ? "active" : "ended",
      createdAt: key.created_at ?? undefined,
      facts: {
        status: key.status,
        reach:
          key.scope?.type === "organization" && personal === undefined ? "organization" : "one",
        ...(maker === undefined ? {} : { createdBy: asId<AccountId>(maker) }),
        ...(key.scope?.workspace_id === undefined ? {} : { workspaceId: key.scope.workspace_id }),
        ...(typeof key.partial_key_hint !== "string" ? {} : { hint: key.partial_key_hint }),
      },
    };
  }
  yield { complete: true, count };
}

function noSuch(kind: string): SyncError {
  return new SyncError(
    "VENDOR_REJECTED",
    `anthropic: nothing like that can be done with a ${kind}`,
  );
}
