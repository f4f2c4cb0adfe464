import { flag, list, setting, text } from "./setting.ts";

/** Where Kafka is, what we call our things there, and how this process shows who it is. */
export interface KafkaConfig {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly prefix: string;
  readonly partitions: number;
  readonly replication: number;
  /** PEM texts. */
  readonly tls:
    | {
        readonly ca: string | undefined;
        readonly cert: string | undefined;
        readonly key: string | undefined;
      }
    | undefined;
  readonly sasl:
    | {
        readonly mechanism: SaslMechanism;
        readonly username: string;
        readonly password: string;
      }
    | undefined;
}

const saslMechanisms = ["plain", "scram-sha-256", "scram-sha-512"] as const;
export type SaslMechanism = (typeof saslMechanisms)[number];

const brokers = text((value) => {
  const items = list(value);
  const wrong = items.find((item) => {
    const match = /^[^\s:/]+:(\d+)$|^\[[0-9a-f:]+\]:(\d+)$/i.exec(item);
    const port = Number(match?.[1] ?? match?.[2]);
    return !(port > 0 && port <= 65_535);
  });
  if (items.length > 0 && wrong === undefined) return items;
  throw new Error("write host:port of some brokers with commas between them");
});

const topicPrefix = text((value) => {
  // Room for the longest of our names below the 249 characters that Kafka takes.
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(value)) return value;
  throw new Error("write letters, digits, dots, dashes and underscores, a letter or digit first");
});

const atLeastOne = (max: number) =>
  text((value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= 1 && number <= max) return number;
    throw new Error(`write a number, 1 to ${String(max)}`);
  });

const pem = text((value) => {
  if (value.includes("-----BEGIN ")) return value;
  throw new Error("write PEM text, -----BEGIN ... -----; name a file with ..._FILE");
});

const mechanism = text((value) => {
  const known = saslMechanisms.find((item) => item === value.toLowerCase());
  if (known !== undefined) return known;
  throw new Error(`write ${saslMechanisms.join(", ")}`);
});

const anyText = text((value) => value);

export const kafkaSettings = {
  kafkaBrokers: setting({
    name: "KAFKA_BROKERS",
    description:
      "Brokers of Apache Kafka, instead of the bus inside one process; with `DATABASE_URL` only.",
    defaultSays: "none: the bus inside the process",
    example: "kafka-1:9092,kafka-2:9092",
    schema: brokers,
  }),
  kafkaPrefix: setting({
    name: "KAFKA_TOPIC_PREFIX",
    description:
      "What our topics and consumer groups begin with: `<prefix>.hints`, `<prefix>.hints.urgent`, `<prefix>.audit`, `<prefix>.workers.…`.",
    default: "rolecall",
    example: "staging.rolecall",
    schema: topicPrefix,
  }),
  kafkaPartitions: setting({
    name: "KAFKA_PARTITIONS",
    description:
      "Partitions of a topic that we make: the most workers that can share its hints. Topics that are there stay as they are.",
    default: "12",
    example: "24",
    schema: atLeastOne(1_000),
  }),
  kafkaReplication: setting({
    name: "KAFKA_REPLICATION",
    description: "Copies of a topic that we make; 1 where there is one broker only.",
    default: "3",
    example: "1",
    schema: atLeastOne(9),
  }),
  kafkaTls: setting({
    name: "KAFKA_TLS",
    description: "1 speaks TLS with the brokers.",
    default: "0",
    example: "1",
    schema: flag,
  }),
  kafkaTlsCa: setting({
    name: "KAFKA_TLS_CA",
    description: "Certificate authority of the brokers, as PEM.",
    defaultSays: "the authorities that Node.js trusts",
    example: "a file, by `KAFKA_TLS_CA_FILE`",
    secret: true,
    schema: pem,
  }),
  kafkaTlsCert: setting({
    name: "KAFKA_TLS_CERT",
    description: "Client certificate, as PEM, where brokers ask for one.",
    example: "a file, by `KAFKA_TLS_CERT_FILE`",
    secret: true,
    schema: pem,
  }),
  kafkaTlsKey: setting({
    name: "KAFKA_TLS_KEY",
    description: "Key of the client certificate, as PEM.",
    example: "a file, by `KAFKA_TLS_KEY_FILE`",
    secret: true,
    schema: pem,
  }),
  kafkaSaslMechanism: setting({
    name: "KAFKA_SASL_MECHANISM",
    description:
      "How to sign in: `plain` (with TLS only), `scram-sha-256`, `scram-sha-512`. Unset: without a name.",
    example: "scram-sha-512",
    schema: mechanism,
  }),
  kafkaSaslUsername: setting({
    name: "KAFKA_SASL_USERNAME",
    description: "Name to sign in with.",
    example: "rolecall",
    schema: anyText,
  }),
  kafkaSaslPassword: setting({
    name: "KAFKA_SASL_PASSWORD",
    description: "Password to sign in with.",
    example: "a file, by `KAFKA_SASL_PASSWORD_FILE`",
    secret: true,
    schema: anyText,
  }),
} as const;

/** What `readKafka` needs of the values that the environment gave. */
export interface KafkaValues {
  readonly kafkaBrokers: readonly string[] | undefined;
  readonly kafkaPrefix: string | undefined;
  readonly kafkaPartitions: number | undefined;
  readonly kafkaReplication: number | undefined;
  readonly kafkaTls: boolean | undefined;
  readonly kafkaTlsCa: string | undefined;
  readonly kafkaTlsCert: string | undefined;
  readonly kafkaTlsKey: string | undefined;
  readonly kafkaSaslMechanism: SaslMechanism | undefined;
  readonly kafkaSaslUsername: string | undefined;
  readonly kafkaSaslPassword: string | undefined;
}

/** Undefined without brokers: the bus is inside the process. */
export function readKafka(values: KafkaValues): KafkaConfig | undefined {
  if (values.kafkaBrokers === undefined) return undefined;
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username } = values;
  const password = values.kafkaSaslPassword;
  const complete = mechanism !== undefined && username !== undefined && password !== undefined;
  return Object.freeze<KafkaConfig>({
    brokers: values.kafkaBrokers,
    prefix: values.kafkaPrefix ?? "rolecall",
    partitions: values.kafkaPartitions ?? 12,
    replication: values.kafkaReplication ?? 3,
    tls:
      values.kafkaTls === true
        ? { ca: values.kafkaTlsCa, cert: values.kafkaTlsCert, key: values.kafkaTlsKey }
        : undefined,
    sasl: complete ? { mechanism, username, password } : undefined,
  });
}

/** What of the Kafka settings does not go together. Without brokers they may be anybody's. */
export function kafkaContradictions(values: KafkaValues): readonly string[] {
  if (values.kafkaBrokers === undefined) return [];
  const problems: string[] = [];
  const sasl = {
    KAFKA_SASL_MECHANISM: values.kafkaSaslMechanism,
    KAFKA_SASL_USERNAME: values.kafkaSaslUsername,
    KAFKA_SASL_PASSWORD: values.kafkaSaslPassword,
  };
  const missing = missingOf(sasl);
  if (missing.length > 0 && missing.length < 3) {
    problems.push(`${missing.join(", ")}: a sign-in needs mechanism, name and password`);
  }
  const client = { KAFKA_TLS_CERT: values.kafkaTlsCert, KAFKA_TLS_KEY: values.kafkaTlsKey };
  if (missingOf(client).length === 1) {
    problems.push(`${missingOf(client).join()}: certificate and key belong together`);
  }
  if (values.kafkaTls !== true) {
    const given = Object.entries({ KAFKA_TLS_CA: values.kafkaTlsCa, ...client })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (given.length > 0) problems.push(`${given.join(", ")}: only with KAFKA_TLS=1`);
    if (values.kafkaSaslMechanism === "plain" && !values.kafkaBrokers.every(isLoopback)) {
      problems.push("KAFKA_SASL_MECHANISM: plain sends the password as it is; set KAFKA_TLS=1");
    }
  }
  return problems;
}

function missingOf(values: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => value === undefined)
    .map(([name]) => name);
}

function isLoopback(broker: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]):/.test(broker);
}
