/**
 * Three-valued logic (Kleene): what is missing is unknown, not false. As numbers, so that `all` is the minimum,
 * `any` the maximum and `not` the mirror.
 */
export type Truth = 0 | 1 | 2;
export const isFalse = 0;
export const isUnknown = 1;
export const isTrue = 2;

export function truthName(truth: Truth): "false" | "unknown" | "true" {
  return truth === isTrue ? "true" : truth === isFalse ? "false" : "unknown";
}

/** A condition over numbered questions: each group and each attribute value of a mapping is asked once per person. */
export type Node =
  | { readonly op: "everyone" }
  | { readonly op: "group"; readonly at: number }
  | { readonly op: "test"; readonly at: number }
  | { readonly op: "all" | "any"; readonly of: readonly Node[] }
  | { readonly op: "not"; readonly of: Node };

/** The answers for one person, by number. */
export interface Answers {
  readonly groups: Uint8Array;
  readonly tests: Uint8Array;
}

export function judge(node: Node, answers: Answers): Truth {
  switch (node.op) {
    case "everyone":
      return isTrue;
    case "group":
      return truthAt(answers.groups, node.at);
    case "test":
      return truthAt(answers.tests, node.at);
    case "not":
      return (2 - judge(node.of, answers)) as Truth;
    case "all": {
      let least: Truth = isTrue;
      for (const part of node.of) {
        const truth = judge(part, answers);
        if (truth === isFalse) return isFalse;
        if (truth < least) least = truth;
      }
      return least;
    }
    case "any": {
      let most: Truth = isFalse;
      for (const part of node.of) {
        const truth = judge(part, answers);
        if (truth === isTrue) return isTrue;
        if (truth > most) most = truth;
      }
      return most;
    }
  }
}

function truthAt(answers: Uint8Array, at: number): Truth {
  return (answers[at] ?? isUnknown) as Truth;
}

export type Leaf = Node & { readonly op: "group" | "test" };

/** The numbered questions of a condition. */
export function* leavesOf(node: Node): Generator<Leaf> {
  switch (node.op) {
    case "everyone":
      return;
    case "group":
    case "test":
      yield node;
      return;
    case "not":
      yield* leavesOf(node.of);
      return;
    case "all":
    case "any":
      for (const part of node.of) yield* leavesOf(part);
  }
}
