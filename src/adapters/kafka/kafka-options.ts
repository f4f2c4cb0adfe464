/** Where Kafka is and how this process shows who it is. Certificates and keys are PEM texts, not paths. */
export interface KafkaOptions {
  /** `host:port` of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  /** What the broker's logs and quotas call us. */
  readonly clientId: string;
  /** Topics are `<prefix>.hints`, `<prefix>.hints.urgent`, `<prefix>.audit`; groups begin with it too. */
  readonly prefix: string;
  /** Of each topic that we make; the most workers that can share its hints. */
  readonly partitions: number;
  /** Copies of each topic that we make. */
  readonly replication: number;
  readonly tls: KafkaTls | undefined;
  readonly sasl: KafkaSasl | undefined;
}

export interface KafkaTls {
  /** Undefined: the authorities that Node.js trusts. */
  readonly ca: string | undefined;
  /** Both or none: the client certificate of mutual TLS. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

export interface KafkaSasl {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}
