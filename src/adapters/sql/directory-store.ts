import type { DirectoryStore } from "../../directory/directory-store.ts";
import type { DirectoryQuery, Page, PageRequest } from "../../directory/query.ts";
import type { Clock } from "../../model/clock.ts";
import { StoreError } from "../../model/errors.ts";
import type { IdpId, TenantId } from "../../model/ids.ts";
import {
  groupRules,
  isIndexed,
  readsDocuments,
  userRules,
  type ListRules,
} from "../sql/directory-condition.ts";
import { compileList } from "../sql/directory-list.ts";
import * as commands from "./directory-commands.ts";
import * as queries from "./directory-queries.ts";
import type { Engine } from "./engine.ts";
import { createGroup, deleteGroup, updateGroup } from "./group-commands.ts";
import { groupColumns, toGroup, type GroupRow } from "./group-row.ts";
import * as identities from "./identity-queries.ts";
import { ListPositions } from "./list-positions.ts";
import { createUser, deleteUser, replaceUser, type UserStamp } from "./user-commands.ts";
import { toSourceUser, userColumns, type UserRow } from "./user-row.ts";

/** The directory port over an engine: shapes arguments and answers, decides nothing. */
export function directoryStore(engine: Engine, clock: Clock): DirectoryStore {
  return {
    ...tenantMethods(engine, clock),
    ...userMethods(engine),
    ...groupMethods(engine),
    ...listMethods(engine, clock),
    ...identityMethods(engine),
    ...exceptionMethods(engine, clock),
  };
}

type Methods<Name extends keyof DirectoryStore> = Pick<DirectoryStore, Name>;

function tenantMethods(
  engine: Engine,
  clock: Clock,
): Methods<"createTenant" | "listTenants" | "createIdp" | "listIdps" | "setIdpLoaded"> {
  return {
    createTenant: (tenantId, command, also) =>
      engine.write(commands.createTenant, { tenantId, now: command.now, also }),
    listTenants: () => engine.read(queries.listTenants, null),
    createIdp: (tenantId, command, also) =>
      engine.write(commands.createIdp, { tenantId, ...command, also }),
    listIdps: (tenantId) => engine.read(queries.listIdps, { tenantId }),
    setIdpLoaded: async (tenantId, command, also) => {
      await engine.write(commands.setIdpLoaded, { tenantId, ...command, now: clock.now(), also });
    },
  };
}

function userMethods(
  engine: Engine,
): Methods<"createUser" | "replaceUser" | "deleteUser" | "getUser" | "groupsOfUser"> {
  // What the caller has just sent is not carried back from the writing thread.
  const written = (
    tenantId: TenantId,
    { idpId, sourceUserId, user }: Parameters<DirectoryStore["replaceUser"]>[1],
    stamp: UserStamp,
  ) => ({
    tenantId,
    idpId,
    sourceUserId,
    userName: user.userName,
    externalId: user.externalId,
    active: user.active,
    resource: user.resource,
    ...stamp,
  });
  return {
    createUser: async (tenantId, command, also) => {
      const stamp = await engine.write(createUser, { tenantId, ...command, also });
      return written(tenantId, { ...command, expect: 0 }, stamp);
    },
    replaceUser: async (tenantId, command, also) =>
      written(tenantId, command, await engine.write(replaceUser, { tenantId, ...command, also })),
    deleteUser: async (tenantId, command, also) => {
      await engine.write(deleteUser, { tenantId, ...command, also });
    },
    getUser: (tenantId, idpId, sourceUserId) =>
      engine.read(queries.getUser, { tenantId, idpId, sourceUserId }),
    groupsOfUser: (tenantId, idpId, sourceUserIds) =>
      engine.read(queries.groupsOfUser, { tenantId, idpId, sourceUserIds }),
  };
}

function groupMethods(
  engine: Engine,
): Methods<
  | "createGroup"
  | "updateGroup"
  | "deleteGroup"
  | "getGroup"
  | "listMembers"
  | "findGroupsByName"
  | "findGroupsById"
> {
  return {
    createGroup: (tenantId, command, also) =>
      engine.write(createGroup, { tenantId, ...command, also }),
    updateGroup: (tenantId, command, also) =>
      engine.write(updateGroup, { tenantId, ...command, also }),
    deleteGroup: async (tenantId, command, also) => {
      await engine.write(deleteGroup, { tenantId, ...command, also });
    },
    getGroup: (tenantId, idpId, groupId) =>
      engine.read(queries.getGroup, { tenantId, idpId, groupId }),
    listMembers: (tenantId, groupId, page) =>
      engine.read(queries.listMembers, { tenantId, groupId, ...page }),
    findGroupsByName: (tenantId, names) =>
      engine.read(queries.findGroupsByName, { tenantId, names }),
    findGroupsById: (tenantId, groupIds) =>
      engine.read(queries.findGroupsById, { tenantId, groupIds }),
  };
}

/** The most rows of one page. */
const countMax = 1_000;

function listMethods(engine: Engine, clock: Clock): Methods<"listUsers" | "listGroups"> {
  const positions = new ListPositions(clock);
  const list = async <Row, Item>(
    tenantId: TenantId,
    idpId: IdpId,
    query: DirectoryQuery,
    page: PageRequest,
    kind: {
      readonly rules: ListRules;
      readonly columns: readonly string[];
      readonly counter: "users" | "groups";
      readonly idOf: (row: Row) => string;
      readonly toItem: (row: Row) => Item;
    },
  ): Promise<Page<Item>> => {
    checkPage(page);
    const { startIndex, count, sort, scanAtMost } = page;
    const indexed = isIndexed(query, kind.rules);
    const scansDocuments =
      !indexed && (readsDocuments(query) || (sort !== undefined && "resource" in sort.field));
    const question = `${kind.rules.table} ${tenantId} ${idpId} ${JSON.stringify(query)}`;
    const after = sort === undefined ? positions.find(question, startIndex) : undefined;
    const { page: statement, count: counting } = compileList(
      {
        tenantId,
        idpId,
        query,
        sort,
        limit: count,
        offset: after === undefined ? startIndex - 1 : 0,
        after,
      },
      kind.rules,
      kind.columns,
      engine.dialect,
    );
    const answer = await engine.read(queries.listPage, {
      page: statement,
      count: counting,
      first: startIndex === 1,
      limit: count,
      counter: query.op === "all" ? { tenantId, idpId, column: kind.counter } : null,
      bound:
        scanAtMost === undefined || !scansDocuments
          ? null
          : { tenantId, idpId, column: kind.counter, most: scanAtMost },
      place: indexed ? "point" : "scan",
    });
    const rows = answer.rows as readonly Row[];
    const last = rows.at(-1);
    if (sort === undefined && last !== undefined) {
      positions.remember(question, startIndex + rows.length, kind.idOf(last));
    }
    return { items: rows.map(kind.toItem), total: answer.total };
  };
  return {
    listUsers: (tenantId, idpId, query, page) =>
      list<UserRow, ReturnType<typeof toSourceUser>>(tenantId, idpId, query, page, {
        rules: userRules,
        columns: userColumns,
        counter: "users",
        idOf: (row) => row.source_user_id,
        toItem: toSourceUser,
      }),
    listGroups: (tenantId, idpId, query, page) =>
      list<GroupRow, ReturnType<typeof toGroup>>(tenantId, idpId, query, page, {
        rules: groupRules,
        columns: groupColumns,
        counter: "groups",
        idOf: (row) => row.group_id,
        toItem: toGroup,
      }),
  };
}

function checkPage(page: PageRequest): void {
  if (!Number.isSafeInteger(page.startIndex) || page.startIndex < 1) {
    throw new StoreError("INVALID", "startIndex is a whole number from 1 on", {
      field: "startIndex",
    });
  }
  if (!Number.isSafeInteger(page.count) || page.count < 0 || page.count > countMax) {
    throw new StoreError("INVALID", `count is a whole number from 0 to ${String(countMax)}`, {
      field: "count",
    });
  }
}

function identityMethods(
  engine: Engine,
): Methods<
  | "readIdentities"
  | "findIdentities"
  | "searchIdentities"
  | "findIdentitiesByEmail"
  | "listIdentities"
  | "countIdentities"
  | "attributeCounts"
> {
  return {
    readIdentities: (tenantId, identityIds) =>
      engine.read(identities.readIdentities, { tenantId, identityIds }),
    findIdentities: (tenantId, text) => engine.read(identities.findIdentities, { tenantId, text }),
    searchIdentities: (tenantId, page) =>
      engine.read(identities.searchIdentities, { tenantId, ...page }),
    findIdentitiesByEmail: (tenantId, emails) =>
      engine.read(identities.findIdentitiesByEmail, { tenantId, emails }),
    listIdentities: (tenantId, page) =>
      engine.read(identities.listIdentities, { tenantId, ...page }),
    countIdentities: (tenantId) => engine.read(identities.countIdentities, { tenantId }),
    attributeCounts: (tenantId) => engine.read(identities.attributeCounts, { tenantId }),
  };
}

function exceptionMethods(
  engine: Engine,
  clock: Clock,
): Methods<
  | "replaceFileExceptions"
  | "addException"
  | "withdrawException"
  | "findExceptions"
  | "listExceptions"
> {
  return {
    replaceFileExceptions: (tenantId, command, also) =>
      engine.write(commands.replaceFileExceptions, {
        tenantId,
        ...command,
        now: clock.now(),
        also,
      }),
    addException: async (tenantId, command, also) => {
      await engine.write(commands.addException, { tenantId, ...command, also });
    },
    withdrawException: async (tenantId, command, also) => {
      await engine.write(commands.withdrawException, { tenantId, ...command, also });
    },
    findExceptions: (tenantId, people) => engine.read(queries.findExceptions, { tenantId, people }),
    listExceptions: (tenantId) => engine.read(queries.listExceptions, { tenantId }),
  };
}
