export interface MetricRow {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly unit: "count" | "seconds" | "ratio";
  /** One sentence for `/metrics` and for the table in deploy/README.md. */
  readonly help: string;
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
}

/** From a fast read of the store to a vendor that is about to time out. */
const secondsBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** From an idle worker to a vendor that is down for a day. */
const delayBuckets = [0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400];

/**
 * Every metric of Rolecall beside the process's own. Labels hold names that a mapping file, a table in code or an HTTP status gives,
 * never a person: the number of series stays bounded.
 */
export const metricTable = {
  rolecall_scim_requests_total: {
    kind: "counter",
    labels: ["method", "resource", "status"],
    unit: "count",
    help: "SCIM requests answered.",
  },
  rolecall_scim_request_seconds: {
    kind: "histogram",
    labels: ["method", "resource"],
    unit: "seconds",
    help: "Time from the first byte of a SCIM request to its answer.",
    buckets: secondsBuckets,
  },
  rolecall_access_decisions_total: {
    kind: "counter",
    labels: ["decision", "reason"],
    unit: "count",
    help: "Questions of applications: permit or deny, and why.",
  },
  rolecall_access_request_seconds: {
    kind: "histogram",
    labels: [],
    unit: "seconds",
    help: "Time from the whole body of an application's question to its answer.",
    buckets: secondsBuckets,
  },
  rolecall_hr_messages_total: {
    kind: "counter",
    labels: ["source", "outcome"],
    unit: "count",
    help: "HR messages by what became of them: applied, unchanged or parked.",
  },
  rolecall_hr_refused_total: {
    kind: "counter",
    labels: ["why"],
    unit: "count",
    help: "HR requests that nobody of ours has signed: missing, malformed, outside-window, wrong, or no such source.",
  },
  rolecall_recompute_seconds: {
    kind: "histogram",
    labels: [],
    unit: "seconds",
    help: "Time to recompute one batch of people.",
    buckets: secondsBuckets,
  },
  rolecall_recompute_owed: {
    kind: "gauge",
    labels: [],
    unit: "count",
    help: "People whose wishes are older than the truth.",
  },
  rolecall_recompute_urgent_owed: {
    kind: "gauge",
    labels: [],
    unit: "count",
    help: "Leavers and emergencies among the people owed.",
  },
  rolecall_recompute_oldest_seconds: {
    kind: "gauge",
    labels: [],
    unit: "seconds",
    help: "Age of the oldest recompute that is owed; grows without end where one person cannot be recomputed.",
  },
  rolecall_recompute_urgent_oldest_seconds: {
    kind: "gauge",
    labels: [],
    unit: "seconds",
    help: "Age of the oldest leaver or emergency among the people owed.",
  },
  rolecall_recompute_failed_total: {
    kind: "counter",
    labels: [],
    unit: "count",
    help: "People whose recompute failed; the sweep tries them again.",
  },
  rolecall_hints_published_total: {
    kind: "counter",
    labels: ["topic"],
    unit: "count",
    help: "Hints that the bus took.",
  },
  rolecall_hints_refused_total: {
    kind: "counter",
    labels: ["topic"],
    unit: "count",
    help: "Hints that the bus did not take; the sweep does their work.",
  },
  rolecall_bus_ready: {
    kind: "gauge",
    labels: [],
    unit: "count",
    help: "1 while the bus takes and hands out hints, 0 while the sweep does the work alone.",
  },
  rolecall_bus_lag: {
    kind: "gauge",
    labels: ["topic"],
    unit: "count",
    help: "Hints that the bus took and nobody handled yet; for Kafka of the whole fleet, compacted ones counted too.",
  },
  rolecall_bus_poll_age_seconds: {
    kind: "gauge",
    labels: ["topic"],
    unit: "seconds",
    help: "Time since Kafka last answered a poll or heartbeat of this process.",
  },
  rolecall_bus_joins_total: {
    kind: "counter",
    labels: ["topic"],
    unit: "count",
    help: "Times that this process joined the group of workers: at its start and at each rebalance.",
  },
  rolecall_dead_letters_total: {
    kind: "counter",
    labels: ["topic"],
    unit: "count",
    help: "Messages that nobody could read; they are kept for a person to look at.",
  },
  rolecall_sweep_found_total: {
    kind: "counter",
    labels: [],
    unit: "count",
    help: "Marks that the sweep found because their hint was lost, late or failed.",
  },
  rolecall_fanout_people_total: {
    kind: "counter",
    labels: [],
    unit: "count",
    help: "People marked by fan-outs.",
  },
  rolecall_vendor_calls_total: {
    kind: "counter",
    labels: ["tenant", "connection", "operation", "status"],
    unit: "count",
    help: "Calls to vendors, by HTTP status; `none` where no answer came.",
  },
  rolecall_vendor_call_seconds: {
    kind: "histogram",
    labels: ["tenant", "connection"],
    unit: "seconds",
    help: "Time of one vendor call, waiting for the rate limit not counted.",
    buckets: secondsBuckets,
  },
  rolecall_vendor_writes_total: {
    kind: "counter",
    labels: ["tenant", "connection", "step", "outcome"],
    unit: "count",
    help: "Vendor writes that passed the gate, by how they ended.",
  },
  rolecall_event_to_call_seconds: {
    kind: "histogram",
    labels: ["tenant", "connection"],
    unit: "seconds",
    help: "Time from a new wish to the first look at the vendor for it.",
    buckets: delayBuckets,
  },
  rolecall_targets: {
    kind: "gauge",
    labels: ["tenant", "connection", "state"],
    unit: "count",
    help: "People per connection by state of their target.",
  },
  rolecall_leaver_oldest_seconds: {
    kind: "gauge",
    labels: ["tenant", "connection"],
    unit: "seconds",
    help: "Age of the oldest leaver who still has access.",
  },
  rolecall_leaver_contained_seconds: {
    kind: "histogram",
    labels: ["tenant", "channel", "clock"],
    unit: "seconds",
    help: "Time until nothing of a leaver's works any more at one connection, from the accepted signal and from the instant of HR.",
    buckets: delayBuckets,
  },
  rolecall_leaver_cases: {
    kind: "gauge",
    labels: ["tenant", "state"],
    unit: "count",
    help: "Leaver cases that are open, and closed ones that are watched for late returns.",
  },
  rolecall_leaver_duties_open: {
    kind: "gauge",
    labels: ["tenant", "channel", "kind"],
    unit: "count",
    help: "Duties of leaver cases that are not done.",
  },
  rolecall_leaver_duties_overdue: {
    kind: "gauge",
    labels: ["tenant", "channel", "kind"],
    unit: "count",
    help: "Duties of leaver cases that are not done and past their deadline.",
  },
  rolecall_leaver_duty_due_seconds: {
    kind: "gauge",
    labels: ["tenant"],
    unit: "seconds",
    help: "Time to the earliest deadline of a duty that is not done; negative once it is missed, 0 where there is none.",
  },
  rolecall_notices_total: {
    kind: "counter",
    labels: ["channel", "outcome"],
    unit: "count",
    help: "Tries to tell people something by webhook or mail, by how they ended.",
  },
  rolecall_notices_waiting: {
    kind: "gauge",
    labels: ["tenant", "channel", "state"],
    unit: "count",
    help: "Notices that are still to be told (`due`), and those that were given up (`failed`).",
  },
  rolecall_pulse_failed: {
    kind: "gauge",
    labels: ["tenant"],
    unit: "count",
    help: "1 where the pulse did not join or leave in time, or no run of it passed for too long; 0 otherwise.",
  },
  rolecall_pulse_passed_seconds: {
    kind: "gauge",
    labels: ["tenant"],
    unit: "seconds",
    help: "Time since the pulse last joined and left in time, 0 where it never did or none is declared.",
  },
  rolecall_retries: {
    kind: "gauge",
    labels: ["tenant", "connection"],
    unit: "count",
    help: "People whose wish failed at least once and is tried again.",
  },
  rolecall_retry_oldest_seconds: {
    kind: "gauge",
    labels: ["tenant", "connection"],
    unit: "seconds",
    help: "Age of the oldest wish among those that are tried again.",
  },
  rolecall_holds_open: {
    kind: "gauge",
    labels: ["tenant", "connection"],
    unit: "count",
    help: "Batches that wait for a decision.",
  },
  rolecall_lane_open: {
    kind: "gauge",
    labels: ["tenant", "connection"],
    unit: "count",
    help: "1 where the lane works, 0 where it is paused or a stop switch covers it.",
  },
  rolecall_lane_state: {
    kind: "gauge",
    labels: ["tenant", "connection", "state"],
    unit: "count",
    help: "1 for what the lane is: `open`, `resting` after faults of the vendor, `paused`, `stopped` by a switch.",
  },
  rolecall_store_up: {
    kind: "gauge",
    labels: [],
    unit: "count",
    help: "1 while the store answers reads and writes of this process, 0 while it does not: SCIM is then answered 503.",
  },
  rolecall_database_connections: {
    kind: "gauge",
    labels: ["state"],
    unit: "count",
    help: "Connections of this process to PostgreSQL that are `busy` or `idle`.",
  },
  rolecall_database_waiting: {
    kind: "gauge",
    labels: [],
    unit: "count",
    help: "Commands and queries that wait for a connection to PostgreSQL.",
  },
  rolecall_database_errors_total: {
    kind: "counter",
    labels: ["kind"],
    unit: "count",
    help: "PostgreSQL: connections that were `lost` or `refused`, commits that were not answered (`unknown`), commands run again after a `conflict`.",
  },
  rolecall_store_braked: {
    kind: "gauge",
    labels: [],
    unit: "count",
    help: "1 while the store is braked after a restore or a copy: every connection is report-only.",
  },
  rolecall_audit_unsequenced: {
    kind: "gauge",
    labels: ["tenant"],
    unit: "count",
    help: "Audit records that have no leaf index yet.",
  },
  rolecall_audit_tree_size: {
    kind: "gauge",
    labels: ["tenant"],
    unit: "count",
    help: "Leaves of the audit tree.",
  },
  rolecall_audit_unstreamed: {
    kind: "gauge",
    labels: ["tenant"],
    unit: "count",
    help: "Leaves of the audit tree that Kafka has not got yet.",
  },
  rolecall_spans_lost_total: {
    kind: "counter",
    labels: [],
    unit: "count",
    help: "Spans that the receiver of traces did not take.",
  },
  rolecall_scrape_failures_total: {
    kind: "counter",
    labels: [],
    unit: "count",
    help: "Scrapes whose gauges could not be read from the store; the scrape shows their last values.",
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metricTable;

/** The table of every metric as Markdown, for deploy/README.md. */
export function metricsTable(): string {
  const rows = Object.entries(metricTable).map(([name, row]: [string, MetricRow]) => {
    const labels = row.labels.map((label) => `\`${label}\``).join(", ");
    return `| \`${name}\` | ${row.kind} | ${labels === "" ? "none" : labels} | ${row.unit} | ${row.help} |`;
  });
  return ["| metric | kind | labels | unit | means |", "|---|---|---|---|---|", ...rows].join("\n");
}
