import { patchOf } from "../../support/scim-client.ts";
import { startChild, type Child } from "../child.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import { personBody, userNameOf } from "../people.ts";
import type { Panel } from "../plot.ts";
import { everybodyId, sourceUserIdOf, tenId, upTo } from "../processes/company.ts";
import type { Target } from "../processes/load.ts";
import type { Ask, ProbeRound } from "../processes/probe.ts";
import { rounds } from "../rounds.ts";
import { median, quantile } from "../statistics.ts";

export const scimBySize: Measure = {
  name: "scim-by-size",
  title: "SCIM operations by size, beside a bare scimmy server",
  method:
    "Ours: the SCIM router over a store on disk, each write durable. Beside it: express over scimmy's own resources and schemas, people in a " +
    "map, nothing durable. Both hold the same company; one client asks one thing at a time, turn by turn in blocks.",
  timeoutMs: 2_400_000,
  run: measureBySize,
};

type Contestant = "ours" | "scimmy";
const contestants = ["ours", "scimmy"] as const;

/** One kind of request; `serial` is different each time. */
interface Operation {
  readonly name: string;
  /** How many are asked in one block; six where absent. */
  readonly perBlock?: number;
  /** In a larger company it is not asked. */
  readonly mostPeople?: number;
  ask(people: number, serial: number): Ask;
}

const somebody = (people: number, serial: number) => (serial * 7_919 + 13) % people;

const operations: readonly Operation[] = [
  {
    name: "POST /Users",
    ask: (people, serial) => ({
      method: "POST",
      path: "/Users",
      body: personBody(people + serial),
      status: 201,
    }),
  },
  {
    name: "GET /Users/{id}",
    ask: (people, serial) => ({
      method: "GET",
      path: `/Users/${sourceUserIdOf(somebody(people, serial))}`,
      status: 200,
      holds: userNameOf(somebody(people, serial)),
    }),
  },
  {
    name: "GET userName eq",
    // Enough for a hundredth part of them to say something.
    perBlock: 40,
    ask: (people, serial) => {
      const userName = userNameOf(somebody(people, serial));
      const filter = encodeURIComponent(`userName eq "${userName}"`);
      return { method: "GET", path: `/Users?filter=${filter}`, status: 200, holds: userName };
    },
  },
  {
    name: "GET 100 from the middle",
    ask: (people, serial) => ({
      method: "GET",
      path: `/Users?startIndex=${String(Math.floor(people / 2) + serial)}&count=100`,
      status: 200,
      holds: '"totalResults"',
    }),
  },
  {
    name: "PATCH active",
    ask: (people, serial) => ({
      method: "PATCH",
      path: `/Users/${sourceUserIdOf(somebody(people, serial))}`,
      body: patchOf({ op: "replace", path: "active", value: false }),
      status: 200,
    }),
  },
  {
    name: "PATCH add a member to the group of everybody",
    ask: (people, serial) => addMember(everybodyId, people + serial),
  },
  {
    name: "PATCH add a member to a group of ten",
    ask: (people, serial) => addMember(tenId, 10 + (serial % (people - 10))),
  },
  {
    name: "PUT a whole group with one member changed",
    perBlock: 1,
    // Its members do not fit into a request of more.
    mostPeople: 200_000,
    ask: (people, serial) => ({
      method: "PUT",
      path: `/Groups/${everybodyId}`,
      body: {
        displayName: "Everybody",
        // Nobody but one differs from one time to the next.
        members: upTo(people).map((at) => ({
          value: sourceUserIdOf(at === 0 ? people + serial : at),
        })),
      },
      status: 200,
    }),
  },
];

function addMember(groupId: string, at: number): Ask {
  return {
    method: "PATCH",
    path: `/Groups/${groupId}`,
    body: patchOf({ op: "add", path: "members", value: [{ value: sourceUserIdOf(at) }] }),
    // 204 is ours, 200 the other's: both are right.
    status: [200, 204],
  };
}

interface AtSize {
  readonly people: number;
  /** Milliseconds by operation. */
  readonly times: ReadonlyMap<string, Record<Contestant, readonly number[]>>;
  /** MB of the whole process, with the company in it. */
  readonly memory: Record<Contestant, number>;
}

async function measureBySize(stage: Stage): Promise<Findings> {
  const sizes =
    stage.size === "smoke"
      ? [100]
      : [1_000, 10_000, 100_000, ...(stage.size === "million" ? [1_000_000] : [])];
  const probe = await startChild(stage, "probe.ts");
  const seen: AtSize[] = [];
  for (const people of sizes) {
    seen.push(await measureSize(stage, probe, people));
    stage.say(`${people.toLocaleString("en-GB")} people done`);
  }
  const last = seen.at(-1);
  if (last === undefined) throw new Error("no sizes");
  return {
    rows: [...rowsOf(last), ...growthRows(seen)],
    notes: [
      growthNote(seen),
      "A page far down a list costs ours a count of the rows before it when the client jumps; a client that walks is answered by key.",
    ],
    panels: panelsOf(seen),
  };
}

async function measureSize(stage: Stage, probe: Child, people: number): Promise<AtSize> {
  const folder = await stage.company(people);
  const servers = {
    ours: await startChild(stage, "scim-server.ts", { kind: "rolecall", folder }),
    scimmy: await startChild(stage, "scimmy-server.ts"),
  };
  await servers.scimmy.ask("fill", { people });
  const targets = {
    ours: await servers.ours.ask<Target>("address"),
    scimmy: await servers.scimmy.ask<Target>("address"),
  };
  const times = new Map<string, Record<Contestant, readonly number[]>>();
  for (const operation of operations) {
    if (people > (operation.mostPeople ?? Infinity)) continue;
    const taken = { ours: [] as number[], scimmy: [] as number[] };
    const plan =
      stage.size === "smoke"
        ? { least: 1, most: 1, seconds: 1 }
        : { least: 3, most: 8, seconds: 20 };
    for (const block of rounds(plan)) {
      for (const name of contestants) {
        taken[name].push(
          ...(await askBlock(probe, targets[name], operation, people, block, taken[name])),
        );
      }
    }
    times.set(operation.name, { ours: warm(taken.ours), scimmy: warm(taken.scimmy) });
  }
  const memory = { ours: servers.ours.memory().peak, scimmy: servers.scimmy.memory().peak };
  await servers.ours.stop();
  await servers.scimmy.stop();
  return { people, times, memory };
}

/** What a contestant may spend on one kind of request: minutes of waiting say no more than seconds. */
const enoughMs = 15_000;

async function askBlock(
  probe: Child,
  target: Target,
  operation: Operation,
  people: number,
  block: number,
  before: readonly number[],
): Promise<readonly number[]> {
  const leftMs = enoughMs - before.reduce((sum, ms) => sum + ms, 0);
  if (leftMs <= 0) return [];
  const { perBlock = 6 } = operation;
  const asks = Array.from({ length: perBlock }, (_, at) =>
    operation.ask(people, block * perBlock + at),
  );
  return probe.ask<readonly number[]>("probe", {
    target,
    asks,
    enoughMs: leftMs,
  } satisfies ProbeRound);
}

/** Without the first two, which warm up, where there are more than a few. */
function warm(taken: readonly number[]): readonly number[] {
  return taken.length > 4 ? taken.slice(2) : taken;
}

function rowsOf({ people, times, memory }: AtSize): readonly Row[] {
  const at = `at ${people.toLocaleString("en-GB")} people`;
  return [
    ...[...times].map(([name, taken]): Row => ({
      measure: `${name} ${at}, median`,
      ours: { value: median(taken.ours), unit: "ms" },
      floor: { value: median(taken.scimmy), unit: "ms", what: "bare scimmy, in memory" },
    })),
    {
      measure: `memory of the server ${at}, peak`,
      ours: { value: memory.ours, unit: "MB" },
      floor: { value: memory.scimmy, unit: "MB", what: "bare scimmy, in memory" },
      goal: { kind: "at-most", value: 600 },
    },
  ];
}

/** Ours among many beside ours among few: what may grow, and how much. */
function growthRows(seen: readonly AtSize[]): readonly Row[] {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const row = (
    name: string,
    { share, word, most }: { readonly share: number; readonly word: string; readonly most: number },
  ): Row => {
    const of = ({ times }: AtSize) => quantile(times.get(name)?.ours ?? [], share);
    return {
      measure: `${name} among ${last.people.toLocaleString("en-GB")}, ${word}`,
      ours: { value: of(last), unit: "ms" },
      floor: {
        value: of(first),
        unit: "ms",
        what: `among ${first.people.toLocaleString("en-GB")}`,
      },
      goal: { kind: "ratio-at-most", value: most },
    };
  };
  return [
    row("GET userName eq", { share: 0.5, word: "median", most: 1.3 }),
    row("GET userName eq", { share: 0.99, word: "p99", most: 3 }),
    // 0.7 of the rate is 1 / 0.7 of the time.
    row("POST /Users", { share: 0.5, word: "median", most: 1.43 }),
    row("PATCH add a member to the group of everybody", { share: 0.5, word: "median", most: 1.5 }),
  ];
}

function growthNote(seen: readonly AtSize[]): string {
  const [first, last] = [seen[0], seen.at(-1)];
  if (first === undefined || last === undefined || first === last) return "One size only.";
  const grown = operations.flatMap(({ name }) => {
    if (!last.times.has(name)) return [];
    const of = (who: Contestant) =>
      median(last.times.get(name)?.[who] ?? []) / median(first.times.get(name)?.[who] ?? []);
    return `${name} ${of("ours").toFixed(1)} (scimmy ${of("scimmy").toFixed(1)})`;
  });
  return `Times as long at ${last.people.toLocaleString("en-GB")} as at ${first.people.toLocaleString("en-GB")} people: ${grown.join("; ")}.`;
}

function panelsOf(seen: readonly AtSize[]): readonly Panel[] {
  const series = (
    name: Contestant,
    of: (at: AtSize) => number,
    where: (at: AtSize) => boolean = () => true,
  ) => ({
    name: name === "ours" ? "Rolecall" : "bare scimmy",
    points: seen.filter(where).map((at) => [at.people, of(at)] as const),
  });
  return [
    ...operations.map(({ name }) => ({
      title: name,
      x: "people",
      y: "median, ms",
      series: contestants.map((who) =>
        series(
          who,
          (at) => median(at.times.get(name)?.[who] ?? []),
          (at) => at.times.has(name),
        ),
      ),
    })),
    {
      title: "Memory of the server",
      x: "people",
      y: "peak, MB",
      series: contestants.map((who) => series(who, (at) => at.memory[who])),
    },
  ];
}
