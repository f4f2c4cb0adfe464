import type { Assignment } from "../model/assignment.ts";
import type { AccessException, IdentityFacts } from "../model/identity.ts";
import type { IdentityId } from "../model/ids.ts";
import { claimKey, claimText } from "./claim-key.ts";
import { compareText } from "./canonical.ts";
import type { CompiledMapping } from "./compile.ts";
import { evaluate } from "./evaluate.ts";
import type { GroupBinding } from "./version-store.ts";

/** One side of a comparison. */
export interface SimulatedMapping {
  readonly compiled: CompiledMapping;
  readonly bindings: readonly GroupBinding[];
}

/** What changing from one mapping to another would do, before any vendor is asked. People, not slots. */
export interface SimulationResult {
  readonly people: number;
  /** People who get something, or a higher role. */
  readonly gains: number;
  /** People who lose something, or get a lower role. */
  readonly losses: number;
  /** People for whom anything changes. */
  readonly changed: number;
  readonly privilegedGains: number;
  /** People whose new rules contradict each other. */
  readonly conflicts: number;
  /** How many people each rule of the new mapping gives something to; rules that give nobody anything have 0. */
  readonly perRule: Readonly<Record<string, number>>;
  readonly examples: readonly SimulationExample[];
}

export interface SimulationExample {
  readonly identityId: IdentityId;
  readonly gains: readonly string[];
  readonly losses: readonly string[];
}

export interface SimulationOptions {
  readonly now: number;
  /** Exceptions of this person at this connection. */
  readonly exceptionsOf?: (person: IdentityFacts) => readonly AccessException[];
  /** How many people are shown; default 20. */
  readonly examplesMax?: number;
}

/** Evaluates everybody before and after. Holds counts and a few examples, whatever the number of people. */
export function simulate(
  people: Iterable<IdentityFacts>,
  before: SimulatedMapping | undefined,
  after: SimulatedMapping,
  options: SimulationOptions,
): SimulationResult {
  const simulation = new Simulation(before, after, options);
  for (const person of people) simulation.add(person);
  return simulation.result();
}

/** The same, for people who come in pages. */
export class Simulation {
  readonly #before: SimulatedMapping | undefined;
  readonly #after: SimulatedMapping;
  readonly #options: SimulationOptions;
  readonly #perRule: Map<string, number>;
  readonly #examples: SimulationExample[] = [];
  readonly #counts = {
    people: 0,
    gains: 0,
    losses: 0,
    changed: 0,
    privilegedGains: 0,
    conflicts: 0,
  };

  constructor(
    before: SimulatedMapping | undefined,
    after: SimulatedMapping,
    options: SimulationOptions,
  ) {
    this.#before = before;
    this.#after = after;
    this.#options = options;
    this.#perRule = new Map(
      after.compiled.rules.filter((rule) => rule.grants.length > 0).map((rule) => [rule.id, 0]),
    );
  }

  add(person: IdentityFacts): void {
    const exceptions = this.#options.exceptionsOf?.(person) ?? [];
    const ask = ({ compiled, bindings }: SimulatedMapping) =>
      evaluate(compiled, bindings, person, exceptions, this.#options.now);
    const old = this.#before === undefined ? undefined : ask(this.#before);
    const next = ask(this.#after);
    const counts = this.#counts;
    counts.people += 1;
    if (next.conflicts.length > 0) counts.conflicts += 1;
    this.#countRules(next.assignments);
    const change = compare(old?.assignments ?? [], next.assignments, this.#after.compiled);
    if (change.gains.length > 0) counts.gains += 1;
    if (change.losses.length > 0) counts.losses += 1;
    if (change.privileged) counts.privilegedGains += 1;
    if (change.gains.length + change.losses.length === 0) return;
    counts.changed += 1;
    if (this.#examples.length >= (this.#options.examplesMax ?? 20)) return;
    const { gains, losses } = change;
    this.#examples.push({ identityId: person.identityId, gains, losses });
  }

  result(): SimulationResult {
    const rules = [...this.#perRule].sort(([a], [b]) => compareText(a, b));
    return { ...this.#counts, perRule: Object.fromEntries(rules), examples: [...this.#examples] };
  }

  #countRules(assignments: readonly Assignment[]): void {
    const rules = new Set<string>();
    for (const { because } of assignments) for (const ruleId of because) rules.add(ruleId);
    for (const ruleId of rules) {
      const count = this.#perRule.get(ruleId);
      if (count !== undefined) this.#perRule.set(ruleId, count + 1);
    }
  }
}

function compare(
  before: readonly Assignment[],
  after: readonly Assignment[],
  { facts }: CompiledMapping,
) {
  const rank = (item: Assignment) => facts.kinds[item.kind]?.roles[item.role]?.rank ?? 0;
  const text = (item: Assignment) => `${claimText(item.kind, item.object)} ${item.role}`;
  const was = new Map(before.map((item) => [claimKey(item.kind, item.object), item]));
  const gains: string[] = [];
  const losses: string[] = [];
  let privileged = false;
  for (const item of after) {
    const key = claimKey(item.kind, item.object);
    const old = was.get(key);
    was.delete(key);
    if (old?.role === item.role) continue;
    if (old !== undefined && rank(item) <= rank(old)) {
      losses.push(`${text(item)} instead of ${old.role}`);
    } else {
      gains.push(old === undefined ? text(item) : `${text(item)} instead of ${old.role}`);
    }
    if (item.privileged) privileged = true;
  }
  for (const old of was.values()) losses.push(text(old));
  return { gains, losses, privileged };
}
