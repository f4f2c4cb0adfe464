// Goal: what is wrong with certificates, sign-in or rights at Kafka is said in words that a person can act on, and where nothing is, hints flow.
// Method: a real broker with TLS, SCRAM and access control lists, looked at by users with and without rights.
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel } from "kafkajs";
import { ResourcePatternTypes } from "kafkajs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkKafka } from "../../src/adapters/kafka/check-kafka.ts";
import type { KafkaOptions } from "../../src/adapters/kafka/kafka-options.ts";
import type { Hint } from "../../src/events/hint-bus.ts";
import { people } from "../conformance/hint-bus-suite.ts";
import { makeCertificates } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { kafkaBusFor, kafkaOptions } from "../support/kafka/kafka-bus-for.ts";
import type { KafkaCluster } from "../support/kafka/kafka-cluster.ts";
import { ownKafka } from "../support/kafka/real-kafka.ts";
import { bothFound, describeReal } from "../support/real-server.ts";

const passwords = { admin: "admin-secret", rolecall: "rolecall-secret", stranger: "who-is-it" };
type User = keyof typeof passwords;

const found = bothFound(await ownKafka(), makeCertificates());

describeReal("a broker with TLS, SCRAM and rights", found, ({ first: start, second: made }) => {
  let cluster: KafkaCluster;
  const signIn = (username: User, password = passwords[username]) =>
    ({ mechanism: "scram-sha-512", username, password }) as const;
  const tls = { ca: made.ca, cert: undefined, key: undefined };

  beforeAll(async () => {
    cluster = await start({
      security: {
        files: { "server.pem": `${made.key}${made.cert}`, "ca.pem": made.ca },
        settings: [
          "listener.security.protocol.map=CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT",
          "sasl.enabled.mechanisms=SCRAM-SHA-512",
          "sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512",
          `listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="admin" password="${passwords.admin}";`,
          "ssl.keystore.type=PEM",
          "ssl.keystore.location={folder}/server.pem",
          "ssl.truststore.type=PEM",
          "ssl.truststore.location={folder}/ca.pem",
          "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
          // The node speaks to itself, as controller, without a name.
          "super.users=User:admin;User:ANONYMOUS",
        ],
        users: passwords,
        client: { ssl: { ca: [made.ca] }, sasl: signIn("admin") },
      },
    });
    await grant([
      [AclResourceTypes.TOPIC, "ours", ["DESCRIBE", "READ", "WRITE", "DESCRIBE_CONFIGS"]],
      [AclResourceTypes.GROUP, "ours", ["DESCRIBE", "READ"]],
      [AclResourceTypes.CLUSTER, "kafka-cluster", ["CREATE"]],
    ]);
  }, 240_000);
  afterAll(() => cluster.stop(), 60_000);

  /** Rights of the user `rolecall`, on names that begin so. */
  async function grant(
    rights: readonly (readonly [
      AclResourceTypes,
      string,
      readonly (keyof typeof AclOperationTypes)[],
    ])[],
  ): Promise<void> {
    const admin = new Kafka({
      brokers: [...cluster.brokers],
      ...{ ssl: { ca: [made.ca] }, sasl: signIn("admin"), logLevel: logLevel.NOTHING },
    }).admin();
    await admin.connect();
    await admin.createAcls({
      acl: rights.flatMap(([resourceType, resourceName, operations]) =>
        operations.map((operation) => ({
          resourceType,
          resourceName,
          resourcePatternType:
            resourceType === AclResourceTypes.CLUSTER
              ? ResourcePatternTypes.LITERAL
              : ResourcePatternTypes.PREFIXED,
          principal: "User:rolecall",
          host: "*",
          operation: AclOperationTypes[operation],
          permissionType: AclPermissionTypes.ALLOW,
        })),
      ),
    });
    await admin.disconnect();
  }

  const look = (more: Partial<KafkaOptions>) =>
    checkKafka(
      kafkaOptions(cluster.brokers, { prefix: "ours", tls, sasl: signIn("rolecall"), ...more }),
    );
  const wrong = async (more: Partial<KafkaOptions>) =>
    Object.fromEntries(
      (await look(more)).filter(({ ok }) => !ok).map(({ what, says }) => [what, says]),
    );

  test("that has just been made is well for a user with the rights that the manual lists, and hints flow", async () => {
    const findings = await look({});
    expect(findings.filter((finding) => !finding.ok)).toEqual([]);
    expect(findings).toContainEqual({ what: "sign-in", ok: true, says: "as rolecall" });
    const { bus } = kafkaBusFor(cluster.brokers, {
      ...{ prefix: "ours", tls, sasl: signIn("rolecall") },
    });
    const handled: Hint[] = [];
    await bus.subscribe("hints", (hints) => {
      handled.push(...hints);
      return Promise.resolve();
    });
    const hints = people(5);
    await bus.publish("hints", hints);
    const ids = () => new Set(handled.map((hint) => hint.identityId));
    await eventually(() => hints.every((hint) => ids().has(hint.identityId)), {
      timeoutMs: 60_000,
    });
    await bus.close();
  }, 120_000);

  test("is not trusted under another authority, nor by a name that its certificate lacks", async () => {
    const trusted = /certificate is not trusted \(\w+\): set KAFKA_TLS_CA_FILE/;
    const other = await wrong({ tls: { ...tls, ca: made.otherCa } });
    expect(other["brokers"]).toMatch(trusted);
    const byAddress = cluster.brokers.map((broker) => broker.replace("localhost", "127.0.0.1"));
    expect((await wrong({ brokers: byAddress }))["brokers"]).toMatch(trusted);
  }, 60_000);

  test("says that its port wants TLS, or a name to sign in with", async () => {
    expect((await wrong({ tls: undefined }))["brokers"]).toMatch(/TLS/);
    expect((await wrong({ sasl: undefined }))["sign-in"]).toMatch(/KAFKA_SASL_MECHANISM/);
  }, 60_000);

  test("refuses a wrong password and a name that it does not know, in words that name the settings", async () => {
    const refused = /refuses KAFKA_SASL_USERNAME and its password/;
    const wrongPassword = await wrong({ sasl: signIn("rolecall", "guessed") });
    expect(wrongPassword["sign-in"]).toMatch(refused);
  }, 60_000);

  test("says which rights a user lacks: to make topics, to use them, to use groups", async () => {
    expect((await wrong({ sasl: signIn("stranger"), prefix: "theirs" }))["topics"]).toMatch(
      /theirs\.hints.* cannot be made: this user may not make topics/,
    );
    // Topics that somebody made for us, and rights to look at them alone.
    await look({ sasl: signIn("admin"), prefix: "seen" });
    await grant([[AclResourceTypes.TOPIC, "seen", ["DESCRIBE", "DESCRIBE_CONFIGS"]]]);
    const seen = await wrong({ prefix: "seen" });
    expect(seen["publishing"]).toMatch(/may not use the topic: grant Read, Write and Describe/);
    expect(seen["groups"]).toMatch(/may not use the consumer group: grant Read and Describe/);
  }, 120_000);
});
