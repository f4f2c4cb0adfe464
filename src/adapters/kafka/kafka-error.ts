/** Names of errors that mean a fault in code, ours or the client's; trying again meets it again. */
const programmingErrors = new Set(["TypeError", "RangeError", "ReferenceError", "SyntaxError"]);

export function isProgrammingError(error: unknown): boolean {
  return programmingErrors.has(rootOf(error).name);
}

/** What a broker's refusal means and what to do about it, by its protocol code (kafka.apache.org/protocol, error codes). */
const meanings: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    "this user may not use the topic: grant Read, Write and Describe on it",
  GROUP_AUTHORIZATION_FAILED:
    "this user may not use the consumer group: grant Read and Describe on it",
  CLUSTER_AUTHORIZATION_FAILED:
    "this user may not make topics: make them yourself, or grant Create",
  UNKNOWN_TOPIC_OR_PARTITION: "the topic does not exist",
  INVALID_REPLICATION_FACTOR:
    "there are fewer brokers than KAFKA_REPLICATION copies: add brokers or lower it",
  NOT_ENOUGH_REPLICAS:
    "fewer copies are alive than the topic's min.insync.replicas: bring brokers back",
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    "fewer copies are alive than the topic's min.insync.replicas: bring brokers back",
  GROUP_COORDINATOR_NOT_AVAILABLE:
    "the brokers have no group coordinator: on one broker offsets.topic.replication.factor must be 1",
  UNSUPPORTED_VERSION: "the broker does not speak the versions of this client",
  POLICY_VIOLATION: "a policy of the broker refuses the topic: make it yourself",
};

/** The protocol's name of what a broker refused, through what the client wraps around it; "" where it is something else. */
export function kafkaErrorType(error: unknown): string {
  const { type } = rootOf(error) as { readonly type?: unknown };
  return typeof type === "string" ? type : "";
}

/** The client's name for its error, through what it wraps around it. */
export function kafkaErrorName(error: unknown): string {
  return rootOf(error).name;
}

/** One sentence from whatever the client threw, without stacks. */
export function sayKafkaError(error: unknown): string {
  const root = rootOf(error);
  const { type, code } = root as { readonly type?: unknown; readonly code?: unknown };
  const meaning = typeof type === "string" ? meanings[type] : undefined;
  if (meaning !== undefined) return meaning;
  if (root.name === "KafkaJSSASLAuthenticationError") {
    return `the broker refuses KAFKA_SASL_USERNAME and its password (${root.message})`;
  }
  if (typeof code === "string" && /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code)) {
    return `the broker's certificate is not trusted (${code}): set KAFKA_TLS_CA_FILE, and connect by the name in the certificate`;
  }
  return root.message;
}

/** Of an attempt to make topics: brokers name the topic where they mean the right to make any. */
export function sayMakingError(error: unknown): string {
  return kafkaErrorType(error) === "TOPIC_AUTHORIZATION_FAILED"
    ? (meanings["CLUSTER_AUTHORIZATION_FAILED"] ?? "")
    : sayKafkaError(error);
}

/** Of a sign-in, with a name or without: brokers that want one close the connection without a word. */
export function saySignInError(error: unknown, withName: boolean): string {
  return !withName && rootOf(error).name === "KafkaJSConnectionClosedError"
    ? "the brokers close connections that show no name: set KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
    : sayKafkaError(error);
}

/** Of an error that stands for several, such as one per topic. */
function firstOf(error: Error): unknown {
  const { errors } = error as { readonly errors?: unknown };
  return Array.isArray(errors) ? errors[0] : undefined;
}

function rootOf(error: unknown): Error {
  let root = error instanceof Error ? error : new Error(String(error));
  // Ten: an error that causes itself must not keep us here.
  for (let depth = 0; depth < 10; depth += 1) {
    const next: unknown = root.cause ?? firstOf(root);
    if (!(next instanceof Error)) break;
    root = next;
  }
  return root;
}
