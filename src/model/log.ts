/** Bound context, constant message, facts as fields. Redaction is the implementation's duty (telemetry). */
export interface Logger {
  debug(facts: LogFacts, message: string): void;
  info(facts: LogFacts, message: string): void;
  /** Strange, and it will act by itself. */
  warn(facts: LogFacts, message: string): void;
  /** A person must act. */
  error(facts: LogFacts, message: string): void;
  child(facts: LogFacts): Logger;
}
export type LogFacts = Readonly<Record<string, unknown>>;

/** Names and labels are registered in telemetry; an unknown name throws at the first use, in tests too. */
export interface Metrics {
  count(name: string, labels?: MetricLabels, by?: number): void;
  gauge(name: string, value: number, labels?: MetricLabels): void;
  /** A duration or size; durations in seconds as Prometheus wants them. */
  observe(name: string, value: number, labels?: MetricLabels): void;
}
export type MetricLabels = Readonly<Record<string, string>>;
