import type { Groups } from "./groups.ts";
import { listAnswer, type ListPage, type ListRequest } from "./list.ts";
import { planFilter } from "./query-plan.ts";
import type { Answer, ScimCall } from "./scim-call.ts";
import { ScimError } from "./scim-error.ts";
import { groupSchema, type ResourceSchema } from "./schema.ts";
import type { Users } from "./users.ts";

const none: ListPage = { total: 0, size: 0, elements: "" };

/**
 * A list over people and then groups (RFC 7644 sections 3.4.2.1 and 3.4.3), each sorted for itself. A type that lacks an
 * attribute of the filter has no match; a filter that fits neither is refused.
 */
export async function searchAll(
  parts: { readonly users: Users; readonly groups: Groups },
  call: ScimCall,
  list: ListRequest,
): Promise<Answer> {
  if (list.cursor !== undefined) {
    throw new ScimError(400, "invalidCursor", "cursor: ask /Users and /Groups one by one");
  }
  const ofUsers = fits(parts.users.schema, list.filter);
  const ofGroups = fits(groupSchema, list.filter);
  if (ofUsers !== undefined && ofGroups !== undefined) throw ofUsers;
  const users = ofUsers === undefined ? await parts.users.page(call, list) : none;
  const rest: ListRequest = {
    ...list,
    startIndex: Math.max(list.startIndex - users.total, 1),
    count: list.count - users.size,
  };
  const groups = ofGroups === undefined ? await parts.groups.page(call, rest) : none;
  return listAnswer(
    {
      total: users.total + groups.total,
      size: users.size + groups.size,
      elements: join(users.elements, groups.elements),
    },
    list,
  );
}

function fits(schema: ResourceSchema, filter: string | undefined): ScimError | undefined {
  try {
    planFilter(schema, filter);
    return undefined;
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
}

function join(
  first: ListPage["elements"],
  second: ListPage["elements"],
): string | AsyncIterable<string> {
  if (typeof first === "string" && typeof second === "string") {
    return first === "" || second === "" ? first + second : `${first},${second}`;
  }
  return piecesOf(first, second);
}

async function* piecesOf(
  first: ListPage["elements"],
  second: ListPage["elements"],
): AsyncGenerator<string> {
  let any = false;
  for (const part of [first, second]) {
    let begun = false;
    for await (const piece of typeof part === "string" ? [part] : part) {
      if (piece === "") continue;
      if (any && !begun) yield ",";
      begun = true;
      yield piece;
    }
    any ||= begun;
  }
}
