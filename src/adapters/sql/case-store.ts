import type { CaseStore } from "../../accounts/case-store.ts";
import type { LeaverCase, Obligation, ObligationKind } from "../../accounts/leaver-case.ts";
import type { Clock, Instant } from "../../model/clock.ts";
import { asId, type ConnectionId, type TenantId } from "../../model/ids.ts";
import type { Channel } from "../../model/vendor-facts.ts";
import { closeCase, decideObligation, noteDuties } from "./case-commands.ts";
import { restCase, takeAlarms, takeDueCases } from "./case-due.ts";
import {
  caseColumns,
  obligationColumns,
  toCase,
  toObligation,
  type CaseRow,
  type ObligationRow,
} from "./case-rows.ts";
import { liftDeparture, orderDeparture } from "./departure-commands.ts";
import { getDeparture } from "./departure-queries.ts";
import type { Commands, Engine, Queries, Query } from "./engine.ts";

interface Asked<Method extends "listCases" | "listObligations"> {
  readonly tenantId: TenantId;
  readonly filter: Parameters<CaseStore[Method]>[1];
}

const currentCase: Query<
  { readonly tenantId: TenantId; readonly identityId: string },
  LeaverCase | undefined
> = {
  place: "point",
  *run(db, { tenantId, identityId }) {
    const row = yield* db.get<CaseRow>(
      `SELECT ${caseColumns} FROM leaver_cases WHERE tenant_id = ? AND identity_id = ? AND returned_at IS NULL`,
      tenantId,
      identityId,
    );
    return row === undefined ? undefined : toCase(row);
  },
};

const getCase: Query<
  { readonly tenantId: TenantId; readonly caseId: string },
  LeaverCase | undefined
> = {
  place: "point",
  *run(db, { tenantId, caseId }) {
    const row = yield* db.get<CaseRow>(
      `SELECT ${caseColumns} FROM leaver_cases WHERE tenant_id = ? AND case_id = ?`,
      tenantId,
      caseId,
    );
    return row === undefined ? undefined : toCase(row);
  },
};

const listCases: Query<Asked<"listCases">, readonly LeaverCase[]> = {
  place: "scan",
  *run(db, { tenantId, filter }) {
    const where = conditions({ state: filter.state, identity_id: filter.identityId });
    return (yield* db.all<CaseRow>(
      `SELECT ${caseColumns} FROM leaver_cases WHERE tenant_id = ? ${where.sql}
       ORDER BY CASE WHEN state = 'open' THEN 0 ELSE 1 END, CASE WHEN state = 'open' THEN opened_at ELSE -opened_at END, case_id LIMIT ?`,
      tenantId,
      ...where.parameters,
      filter.limit,
    )).map(toCase);
  },
};

/** The columns that are asked for, as conditions behind another. */
function conditions(asked: Readonly<Record<string, string | undefined>>): {
  readonly sql: string;
  readonly parameters: readonly string[];
} {
  const given = Object.entries(asked).flatMap(([column, value]) =>
    value === undefined ? [] : [[column, value] as const],
  );
  return {
    sql: given.map(([column]) => `AND ${column} = ?`).join(" "),
    parameters: given.map(([, value]) => value),
  };
}

const order =
  "CASE kind WHEN 'contain' THEN 0 WHEN 'transfer' THEN 1 WHEN 'remove' THEN 2 WHEN 'rotate_key' THEN 3 WHEN 'verify' THEN 4 ELSE 5 END";

const listObligations: Query<Asked<"listObligations">, readonly Obligation[]> = {
  place: "point",
  *run(db, { tenantId, filter }) {
    const where = conditions({
      case_id: filter.caseId,
      identity_id: filter.identityId,
      connection_id: filter.connectionId,
      state: filter.state,
    });
    return (yield* db.all<ObligationRow>(
      `SELECT ${obligationColumns} FROM obligations WHERE tenant_id = ? ${where.sql}
       ORDER BY case_id, CASE WHEN connection_id = '' THEN 1 ELSE 0 END, connection_id, ${order}, subject LIMIT ?`,
      tenantId,
      ...where.parameters,
      filter.limit,
    )).map(toObligation);
  },
};

const nextCaseDueAt: Query<null, Instant | undefined> = {
  place: "point",
  *run(db) {
    const row = yield* db.get<{ readonly due_at: Instant }>(
      "SELECT due_at FROM leaver_cases WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    );
    return row?.due_at;
  },
};

interface CountRow {
  readonly tenant_id: string;
  readonly connection_id: string;
  readonly kind: ObligationKind;
  readonly channel: Channel;
  readonly open: number;
  readonly overdue: number;
  readonly earliest: Instant;
}

const caseCounts: Query<{ readonly now: Instant }, Awaited<ReturnType<CaseStore["caseCounts"]>>> = {
  place: "scan",
  *run(db, { now }) {
    return (yield* db.all<CountRow>(
      `SELECT tenant_id, connection_id, kind, channel, count(*) AS open, coalesce(sum(CASE WHEN deadline <= ? THEN 1 ELSE 0 END), 0) AS overdue, min(deadline) AS earliest
       FROM obligations WHERE state = 'open' GROUP BY tenant_id, connection_id, kind, channel ORDER BY tenant_id, connection_id, kind, channel`,
      now,
    )).map((row) => ({
      tenantId: asId<TenantId>(row.tenant_id),
      connectionId: row.connection_id === "" ? undefined : asId<ConnectionId>(row.connection_id),
      kind: row.kind,
      channel: row.channel,
      open: Number(row.open),
      overdue: Number(row.overdue),
      earliestDeadline: row.earliest,
    }));
  },
};

const countCases: Query<{ readonly now: Instant }, Awaited<ReturnType<CaseStore["countCases"]>>> = {
  place: "scan",
  *run(db, { now }) {
    return (yield* db.all<{ tenant_id: string; state: "open" | "watched"; count: number }>(
      `SELECT tenant_id, CASE WHEN state = 'open' THEN 'open' ELSE 'watched' END AS state, count(*) AS count FROM leaver_cases
       WHERE state = 'open' OR (state = 'done' AND returned_at IS NULL AND watch_until > ?) GROUP BY 1, 2 ORDER BY 1, 2`,
      now,
    )).map((row) => ({
      tenantId: asId<TenantId>(row.tenant_id),
      state: row.state,
      count: Number(row.count),
    }));
  },
};

export const caseCommands = {
  noteDuties,
  decideObligation,
  closeCase,
  takeDueCases,
  restCase,
  takeAlarms,
  orderDeparture,
  liftDeparture,
} satisfies Commands;

export const caseQueries = {
  currentCase,
  getCase,
  listCases,
  listObligations,
  nextCaseDueAt,
  caseCounts,
  countCases,
  getDeparture,
} satisfies Queries;

/** The port of leaver cases over an engine. */
export function caseStore(engine: Engine, clock: Clock): CaseStore {
  return {
    currentCase: (tenantId, identityId) => engine.read(currentCase, { tenantId, identityId }),
    getCase: (tenantId, caseId) => engine.read(getCase, { tenantId, caseId }),
    listCases: (tenantId, filter) => engine.read(listCases, { tenantId, filter }),
    listObligations: (tenantId, filter) => engine.read(listObligations, { tenantId, filter }),
    noteDuties: (tenantId, command, also) => engine.write(noteDuties, { tenantId, command, also }),
    decideObligation: async (tenantId, command, also) => {
      await engine.write(decideObligation, { tenantId, command, also });
    },
    closeCase: (tenantId, command, also) => engine.write(closeCase, { tenantId, command, also }),
    nextCaseDueAt: () => engine.read(nextCaseDueAt, null),
    takeDueCases: (command) => engine.write(takeDueCases, command),
    restCase: async (tenantId, command) => {
      await engine.write(restCase, { tenantId, command });
    },
    takeAlarms: (tenantId, command) => engine.write(takeAlarms, { tenantId, command }),
    caseCounts: () => engine.read(caseCounts, { now: clock.now() }),
    countCases: () => engine.read(countCases, { now: clock.now() }),
    orderDeparture: async (tenantId, command, also) => {
      await engine.write(orderDeparture, { tenantId, command, also });
    },
    liftDeparture: async (tenantId, command, also) => {
      await engine.write(liftDeparture, { tenantId, command, also });
    },
    getDeparture: (tenantId, identityId) => engine.read(getDeparture, { tenantId, identityId }),
  };
}
