import { parser } from "@prometheus-io/lezer-promql";

/** What an expression in PromQL is made of. */
export interface PromqlParts {
  /** Places where it is no PromQL, as the text from there on. */
  readonly faults: readonly string[];
  readonly metrics: readonly string[];
  /** Labels of matchers and of `by`, `without`, `on`, `ignoring`. */
  readonly labels: readonly string[];
}

/** Reads an expression with the grammar that Prometheus's own editor uses. */
export function promqlParts(expression: string): PromqlParts {
  const faults: string[] = [];
  const metrics: string[] = [];
  const labels: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from, to, node }) => {
      const text = expression.slice(from, to);
      if (type.isError) faults.push(expression.slice(from));
      else if (type.name === "LabelName") labels.push(text);
      else if (type.name === "Identifier" && node.parent?.type.name === "VectorSelector")
        metrics.push(text);
    },
  });
  return { faults, metrics: [...new Set(metrics)], labels: [...new Set(labels)] };
}
