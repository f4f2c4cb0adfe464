import type { HrWord } from "./human-resources.ts";
import { groupNames, variantsOf } from "./mapping-variants.ts";
import { Random } from "./random.ts";
import { connections, tenants } from "./world.ts";

/** One thing that happens, as data: a run is a list of these, and a shorter list is a smaller run. Numbers choose among what is there. */
export type Action =
  | { readonly do: "pass"; readonly ms: number }
  | {
      readonly do: "hire";
      readonly tenant: string;
      readonly who: number;
      readonly groups: readonly number[];
      readonly type: "Employee" | "Contractor";
    }
  | {
      readonly do: "leave" | "leave-named" | "return" | "delete" | "rename" | "retype";
      readonly tenant: string;
      readonly who: number;
    }
  | {
      readonly do: "hr";
      readonly tenant: string;
      readonly who: number;
      readonly says: HrWord;
      /** Until a planned leave. */
      readonly ms: number;
    }
  | {
      readonly do: "join" | "quit";
      readonly tenant: string;
      readonly group: number;
      readonly who: readonly number[];
    }
  | {
      readonly do: "put-group";
      readonly tenant: string;
      readonly group: number;
      readonly who: readonly number[];
    }
  | {
      readonly do: "rename-group" | "delete-group" | "remake-group";
      readonly tenant: string;
      readonly group: number;
    }
  | { readonly do: "accept"; readonly tenant: string }
  | {
      readonly do: "meddle";
      readonly tenant: string;
      readonly connection: string;
      readonly how: "role" | "grant" | "revoke" | "remove" | "add";
      readonly who: number;
    }
  | {
      readonly do: "mapping";
      readonly tenant: string;
      readonly connection: string;
      readonly variant: number;
    }
  | {
      readonly do: "pause" | "resume" | "reconcile" | "redrive";
      readonly tenant: string;
      readonly connection: string;
    }
  | {
      readonly do: "stop" | "start";
      readonly tenant: string;
      readonly covers: "all" | "grants" | "removals" | "all-but-leavers";
    }
  | { readonly do: "decide"; readonly tenant: string; readonly decision: "approve" | "reject" }
  | {
      readonly do: "key";
      readonly tenant: string;
      readonly connection: string;
      readonly key: "new" | "revoked" | "foreign";
    }
  | {
      readonly do: "weather";
      readonly tenant: string;
      readonly connection: string;
      readonly kind: "storm" | "outage" | "lossy" | "slow" | "fair";
    }
  | {
      readonly do: "lists";
      readonly tenant: string;
      readonly connection: string;
      readonly kind: "broken" | "shrunken" | "stale";
    }
  | { readonly do: "log"; readonly kind: "down" | "lossy" | "wild" | "fair" | "rebalance" }
  | {
      readonly do: "ambush";
      readonly node: number;
      readonly call: string;
      readonly left: number;
      readonly fate: "crash_before" | "crash_after" | "refused" | "lost" | "stall";
    }
  | { readonly do: "crash" | "stall"; readonly node: number; readonly ms: number }
  | { readonly do: "store-down"; readonly ms: number }
  | { readonly do: "clock"; readonly ms: number }
  | { readonly do: "arriving"; readonly tenant: string; readonly loaded: boolean }
  | { readonly do: "narrow"; readonly perMinute: number };

const minute = 60_000;

/** Where a process may die or be lied to: the calls whose moment matters most, and any. */
const places = [
  "store.insertIntent",
  "store.finishIntent",
  "store.commitSync",
  "store.releaseTarget",
  "store.changeLink",
  "store.workFanout",
  "store.markPublished",
  "store.createUser",
  "store.replaceUser",
  "store.updateGroup",
  "store.finishListing",
  "store.activateMapping",
  "store.",
] as const;

/** The seeds that every ordinary run of the tests has. Beyond them HR speaks too, which still finds what README.md calls open. */
export const ordinarySeeds = 300;

/** The actions of one seed: a company first, then everything that can happen to it, in an order that nobody planned. */
export function actionsOf(seed: number): readonly Action[] {
  const random = new Random(seed ^ 0x5f3759df);
  const actions: Action[] = [];
  // One company where much happens, and a small one beside it that nothing of that may touch.
  const [large, small] = random.chance(0.5) ? tenants : tenants.toReversed();
  actions.push(...company(random, large ?? "", random.between(3, 6)));
  actions.push(...company(random, small ?? "", random.between(1, 2)));
  const kinds = weights(random, seed > ordinarySeeds);
  // Many short stories meet more than few long ones; a long one comes by now and then.
  const count = random.chance(0.08) ? random.between(15, 36) : random.between(3, 10);
  for (let i = 0; i < count; i += 1) {
    actions.push(...random.weighted(kinds)(random));
    if (random.chance(0.75)) actions.push({ do: "pass", ms: pause(random) });
  }
  return actions;
}

function company(random: Random, tenant: string, size: number): readonly Action[] {
  const actions: Action[] = [];
  for (let who = 0; who < size; who += 1) {
    const groups = [random.int(3), ...(random.chance(0.3) ? [random.int(4)] : [])];
    const type = random.chance(0.2) ? "Contractor" : "Employee";
    actions.push({ do: "hire", tenant, who, groups, type });
  }
  actions.push({ do: "pass", ms: random.pick([1_000, minute, 5 * minute]) });
  if (random.chance(0.8)) actions.push({ do: "accept", tenant }, { do: "pass", ms: 6 * minute });
  return actions;
}

function pause(random: Random): number {
  return random.weighted([
    [3, random.int(2_000)],
    [3, random.int(minute)],
    [3, random.int(10 * minute)],
    [0.6, random.int(2 * 60 * minute)],
    [0.1, random.int(30 * 60 * minute)],
  ]);
}

type Make = (random: Random) => readonly Action[];

/** Each seed has its own mood: some are all about people, others about machines. */
function weights(random: Random, withHr: boolean): readonly (readonly [number, Make])[] {
  const mood = () => random.pick([0.2, 1, 1, 3]);
  const people = mood();
  const groups = mood();
  const vendors = mood();
  const machines = mood();
  const operators = mood();
  return [
    [4 * people, hire],
    [3 * people, (r) => [{ do: "leave", tenant: tenant(r), who: r.int(20) }]],
    [1 * people, wave],
    [0.12 * people, crowd],
    [0.5 * people, arriving],
    ...(withHr ? [[3 * people, hr] as const] : []),
    [1.5 * people, (r) => [{ do: "return", tenant: tenant(r), who: r.int(20) }]],
    [1 * people, (r) => [{ do: "delete", tenant: tenant(r), who: r.int(20) }]],
    [1 * people, (r) => [{ do: "rename", tenant: tenant(r), who: r.int(20) }]],
    [1 * people, (r) => [{ do: "retype", tenant: tenant(r), who: r.int(20) }]],
    [4 * groups, (r) => [members(r, r.chance(0.5) ? "join" : "quit")]],
    [1.5 * groups, flap],
    [1 * groups, (r) => [{ do: "put-group", tenant: tenant(r), group: r.int(4), who: some(r, 6) }]],
    [0.7 * groups, (r) => [{ do: "rename-group", tenant: tenant(r), group: r.int(4) }]],
    [0.5 * groups, remake],
    [3, (r) => [{ do: "accept", tenant: tenant(r) }]],
    [3 * vendors, meddle],
    [2 * vendors, weather],
    [1.5 * vendors, lists],
    [0.7 * vendors, key],
    [3 * machines, ambush],
    [1 * machines, (r) => [{ do: "crash", node: r.int(2), ms: 0 }]],
    [1 * machines, (r) => [{ do: "stall", node: r.int(2), ms: r.pick([10_000, 40_000, 90_000]) }]],
    [0.7 * machines, (r) => [{ do: "store-down", ms: r.pick([1_000, 20_000]) }]],
    [0.5 * machines, (r) => [{ do: "clock", ms: r.pick([-120_000, -5_000, 30_000, 3_600_000]) }]],
    [
      1.5 * machines,
      (r) => [{ do: "log", kind: r.pick(["down", "lossy", "wild", "fair", "rebalance"]) }],
    ],
    [1.5 * operators, mapping],
    [1 * operators, pauseAndResume],
    [0.7 * operators, stopAndStart],
    [
      2 * operators,
      (r) => [{ do: "decide", tenant: tenant(r), decision: r.chance(0.7) ? "approve" : "reject" }],
    ],
    [
      1 * operators,
      (r) => [
        { do: r.pick(["reconcile", "redrive"]), tenant: tenant(r), connection: connection(r) },
      ],
    ],
  ];
}

const tenant = (random: Random) => random.pick(tenants);
const connection = (random: Random) => random.pick(connections);
const some = (random: Random, most: number) =>
  Array.from({ length: random.int(most + 1) }, () => random.int(20));

function hire(random: Random): readonly Action[] {
  return [
    {
      do: "hire",
      tenant: tenant(random),
      who: random.int(14),
      groups: [random.int(4), ...(random.chance(0.3) ? [random.int(4)] : [])],
      type: random.chance(0.2) ? "Contractor" : "Employee",
    },
  ];
}

/** HR says that somebody leaves, now or soon, and often thinks again; sometimes the identity provider has another opinion. */
function hr(random: Random): readonly Action[] {
  const about = { tenant: tenant(random), who: random.int(20) };
  const leave = random.pick(["leave.now", "leave.planned"] as const);
  const back = random.pick(["leave.withdrawn", "rehire"] as const);
  return [
    { do: "hr", ...about, says: leave, ms: random.int(40 * minute) },
    ...(random.chance(0.3) ? [{ do: "return" as const, ...about }] : []),
    { do: "pass", ms: random.int(30 * minute) },
    ...(random.chance(0.5) ? [{ do: "hr" as const, ...about, says: back, ms: 0 }] : []),
  ];
}

/** Several leave, or lose a group, at about the same time. */
function wave(random: Random): readonly Action[] {
  const where = tenant(random);
  const count = random.between(3, 7);
  const leaves = random.chance(0.5);
  return Array.from({ length: count }, (_, at): Action[] => [
    leaves
      ? { do: "leave", tenant: where, who: at }
      : { do: "quit", tenant: where, group: random.int(3), who: [at, at + 1] },
    { do: "pass", ms: random.int(20_000) },
  ]).flat();
}

/** Many come at once, at vendors that take few calls, and one leaves who must not wait for them. */
function crowd(random: Random): readonly Action[] {
  const where = tenant(random);
  const leaver: Action = { do: "hire", tenant: where, who: 20, groups: [0], type: "Employee" };
  const crowd = Array.from({ length: 7 }, (_, at): Action => {
    return { do: "hire", tenant: where, who: 21 + at, groups: [0], type: "Employee" };
  });
  return [
    leaver,
    { do: "pass", ms: 2 * minute },
    { do: "accept", tenant: where },
    { do: "decide", tenant: where, decision: "approve" },
    { do: "pass", ms: 6 * minute },
    { do: "narrow", perMinute: 5 },
    ...crowd,
    { do: "pass", ms: 15_000 },
    { do: "decide", tenant: where, decision: "approve" },
    { do: "leave-named", tenant: where, who: 20 },
    { do: "pass", ms: 12 * minute },
    { do: "narrow", perMinute: 60 },
  ];
}

/** An identity provider that sends everything again: until it is loaded, nobody's absence counts. */
function arriving(random: Random): readonly Action[] {
  const where = tenant(random);
  return [
    { do: "arriving", tenant: where, loaded: false },
    { do: "quit", tenant: where, group: random.int(3), who: [random.int(9)] },
    { do: "pass", ms: random.int(20 * minute) },
    { do: "arriving", tenant: where, loaded: true },
  ];
}

function members(random: Random, op: "join" | "quit"): Action {
  return {
    do: op,
    tenant: tenant(random),
    group: random.int(4),
    who: [random.int(20), ...some(random, 2)],
  };
}

/** Out of a group and in again: nobody may notice. */
function flap(random: Random): readonly Action[] {
  const out = members(random, "quit");
  if (out.do !== "quit") return [out];
  return [out, { do: "pass", ms: random.int(80_000) }, { ...out, do: "join" }];
}

function remake(random: Random): readonly Action[] {
  const where = { tenant: tenant(random), group: random.int(groupNames.length) };
  return [
    { do: "delete-group", ...where },
    { do: "pass", ms: random.int(2 * minute) },
    { do: "remake-group", ...where },
  ];
}

function meddle(random: Random): readonly Action[] {
  const how = random.pick(["role", "grant", "revoke", "remove", "add"] as const);
  return [
    {
      do: "meddle",
      tenant: tenant(random),
      connection: connection(random),
      how,
      who: random.int(20),
    },
  ];
}

function weather(random: Random): readonly Action[] {
  const where = { tenant: tenant(random), connection: connection(random) };
  const kind = random.pick(["storm", "outage", "lossy", "lossy", "slow"] as const);
  const bad: Action = { do: "weather", ...where, kind };
  if (random.chance(0.4)) return [bad];
  return [
    bad,
    { do: "pass", ms: random.int(20 * minute) },
    { do: "weather", ...where, kind: "fair" },
  ];
}

function lists(random: Random): readonly Action[] {
  const where = { tenant: tenant(random), connection: connection(random) };
  return [
    { do: "lists", ...where, kind: random.pick(["broken", "shrunken", "stale"] as const) },
    ...(random.chance(0.5) ? [{ do: "resume" as const, ...where }] : []),
  ];
}

function key(random: Random): readonly Action[] {
  const where = { tenant: tenant(random), connection: connection(random) };
  return [
    { do: "key", ...where, key: random.pick(["new", "revoked", "foreign"] as const) },
    { do: "pass", ms: random.int(20 * minute) },
    { do: "key", ...where, key: "new" },
  ];
}

function ambush(random: Random): readonly Action[] {
  const call = random.pick([...places, "vendor.", "log.publish"]);
  const fates = call.startsWith("store.")
    ? (["crash_before", "crash_after", "refused", "lost", "stall"] as const)
    : (["crash_before", "crash_after", "stall"] as const);
  return [
    { do: "ambush", node: random.int(2), call, left: random.int(8), fate: random.pick(fates) },
  ];
}

function mapping(random: Random): readonly Action[] {
  const name = connection(random);
  const count = variantsOf[name]?.length ?? 1;
  return [{ do: "mapping", tenant: tenant(random), connection: name, variant: random.int(count) }];
}

function pauseAndResume(random: Random): readonly Action[] {
  const where = { tenant: tenant(random), connection: connection(random) };
  return [
    { do: "pause", ...where },
    { do: "pass", ms: random.int(10 * minute) },
    { do: "resume", ...where },
  ];
}

function stopAndStart(random: Random): readonly Action[] {
  const where = {
    tenant: tenant(random),
    covers: random.pick(["all", "grants", "removals", "all-but-leavers"] as const),
  };
  return [
    { do: "stop", ...where },
    { do: "pass", ms: random.int(10 * minute) },
    { do: "start", ...where },
  ];
}
