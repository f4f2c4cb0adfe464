import { execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import kafkajs, { type KafkaConfig } from "kafkajs";
import { calmRequestQueues } from "../../../src/adapters/kafka/request-queue.ts";
import { eventually } from "../eventually.ts";

const run = promisify(execFile);
/** 16 bytes in base64; any will do, all of one cluster have the same. */
const clusterId = "cm9sZWNhbGwtdGVzdC0xMg";
/** Small and quick to start: tests want seconds, not throughput. */
const javaOptions = ["-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];
const startMs = 120_000;

/** How the one listener for clients is secured, and how the test itself gets in. */
export interface KafkaSecurity {
  /** Lines of server.properties; `{folder}` stands for the node's own. */
  readonly settings: readonly string[];
  /** Files that lie in the node's folder before its first start. */
  readonly files: Readonly<Record<string, string>>;
  /** Names and passwords of SCRAM-SHA-512. */
  readonly users: Readonly<Record<string, string>>;
  readonly client: Pick<KafkaConfig, "ssl" | "sasl">;
}

export interface KafkaNode {
  readonly nodeId: number;
  /** `127.0.0.1:port` for clients; the same after a restart. */
  readonly address: string;
  /** Undefined while it does not run. */
  pid: number | undefined;
}

/** Nodes of Apache Kafka (KRaft, each broker and controller) on loopback, with random ports and one folder for all of them. */
export class KafkaCluster {
  readonly folder: string;
  readonly nodes: readonly KafkaNode[];
  readonly #jars: string;
  /** When this process is gone, so are the brokers. */
  readonly #guardedBy: number;
  readonly #client: KafkaSecurity["client"];

  private constructor(
    folder: string,
    jars: string,
    nodes: readonly KafkaNode[],
    client: KafkaSecurity["client"],
  ) {
    this.#client = client;
    this.folder = folder;
    this.nodes = nodes;
    this.#jars = jars;
    this.#guardedBy = process.pid;
  }

  /** Formats the storage of fresh nodes and starts them. `settings` are lines of server.properties for every node. */
  static async start(options: {
    readonly jars: string;
    readonly folder: string;
    readonly nodes?: number;
    /** Stands between clients and the (one) node, which tells clients the port of this. */
    readonly through?: { readonly port: number; aim(port: number): void };
    readonly settings?: readonly string[];
    /** With it, brokers are called `localhost`. */
    readonly security?: KafkaSecurity;
  }): Promise<KafkaCluster> {
    const count = options.nodes ?? 1;
    const ports = await freePorts(count * 2);
    options.through?.aim(ports[0] ?? 0);
    const nodes = Array.from({ length: count }, (_, at) => ({
      nodeId: at + 1,
      address: `${options.security === undefined ? "127.0.0.1" : "localhost"}:${String(ports[at])}`,
      pid: undefined,
    }));
    const voters = nodes.map(
      ({ nodeId }, at) => `${String(nodeId)}@127.0.0.1:${String(ports[count + at])}`,
    );
    const { security } = options;
    const cluster = new KafkaCluster(
      ...([options.folder, options.jars, nodes, security?.client ?? {}] as const),
    );
    await Promise.all(
      nodes.map(async (node, at) => {
        await mkdir(cluster.#path(node), { recursive: true });
        const lines = [
          ...serverProperties(
            node,
            voters,
            String(ports[count + at]),
            join(cluster.#path(node), "log"),
          ),
          ...(options.through === undefined
            ? []
            : [`advertised.listeners=CLIENT://127.0.0.1:${String(options.through.port)}`]),
          ...(options.settings ?? []),
          // What comes last counts.
          ...(security?.settings ?? []).map((line) =>
            line.replace("{folder}", cluster.#path(node)),
          ),
        ];
        for (const [name, text] of Object.entries(security?.files ?? {}))
          await writeFile(cluster.#path(node, name), text);
        await writeFile(cluster.#path(node, "server.properties"), `${lines.join("\n")}\n`);
        const properties = cluster.#path(node, "server.properties");
        await run("java", [
          ...cluster.#java(),
          "kafka.tools.StorageTool",
          ...["format", "--cluster-id", clusterId, "--config", properties],
          ...Object.entries(security?.users ?? {}).flatMap(([name, password]) => [
            "--add-scram",
            `SCRAM-SHA-512=[name=${name},password=${password}]`,
          ]),
        ]);
      }),
    );
    await Promise.all(nodes.map((node) => cluster.startNode(node)));
    return cluster;
  }

  get brokers(): readonly string[] {
    return this.nodes.map((node) => node.address);
  }

  /** Starts one node and waits until it serves; its data is what the last life left. */
  async startNode(node: KafkaNode = this.#first()): Promise<void> {
    const log = openSync(this.#path(node, "broker.log"), "a");
    // A group of its own: a Ctrl+C in the terminal must not reach the broker before the tests have ended.
    const child = spawn(
      "java",
      [...this.#java(), "kafka.Kafka", this.#path(node, "server.properties")],
      {
        detached: true,
        stdio: ["ignore", log, log],
      },
    );
    closeSync(log);
    child.unref();
    if (child.pid === undefined) throw new Error("java could not be started");
    node.pid = child.pid;
    watch(this.#guardedBy, child.pid, this.folder);
    try {
      await eventually(() => answers(node, this.#client), { timeoutMs: startMs, everyMs: 200 });
    } catch (error) {
      const said = await readFile(this.#path(node, "broker.log"), "utf8");
      throw new Error(`the broker does not answer; it says:\n${said.slice(-3_000)}`, {
        cause: error,
      });
    }
  }

  /** SIGKILL: what a lost host looks like. Resolves when the process is gone. */
  async killNode(node: KafkaNode = this.#first()): Promise<void> {
    if (node.pid === undefined) return;
    end(node.pid, "SIGKILL");
    await eventually(() => !isAlive(node.pid), { timeoutMs: 10_000 });
    node.pid = undefined;
  }

  /** Ends every node and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.killNode(node)));
    await rm(this.folder, { recursive: true, force: true });
  }

  #first(): KafkaNode {
    const [node] = this.nodes;
    if (node === undefined) throw new Error("a cluster without nodes");
    return node;
  }

  #path(node: KafkaNode, ...parts: readonly string[]): string {
    return join(this.folder, `node-${String(node.nodeId)}`, ...parts);
  }

  #java(): readonly string[] {
    const logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
    return [...javaOptions, logging, "-cp", join(this.#jars, "*")];
  }
}

function serverProperties(
  node: KafkaNode,
  voters: readonly string[],
  controllerPort: string,
  logFolder: string,
): readonly string[] {
  const copies = String(Math.min(3, voters.length));
  const enough = voters.length >= 3 ? "2" : "1";
  return [
    "process.roles=broker,controller",
    `node.id=${String(node.nodeId)}`,
    `controller.quorum.voters=${voters.join(",")}`,
    `listeners=CLIENT://${node.address},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=CLIENT://${node.address}`,
    "listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name=CLIENT",
    "controller.listener.names=CONTROLLER",
    `log.dirs=${logFolder}`,
    "auto.create.topics.enable=false",
    `offsets.topic.replication.factor=${copies}`,
    "offsets.topic.num.partitions=3",
    `transaction.state.log.replication.factor=${copies}`,
    `transaction.state.log.min.isr=${enough}`,
    `share.coordinator.state.topic.replication.factor=${copies}`,
    `share.coordinator.state.topic.min.isr=${enough}`,
    "group.initial.rebalance.delay.ms=0",
    // A broker that was killed must not stay fenced for longer than a test likes to wait.
    "broker.session.timeout.ms=6000",
    "log.cleaner.dedupe.buffer.size=4194304",
    "num.network.threads=2",
    "num.io.threads=2",
  ];
}

/** A node serves when it names the whole cluster and its controller. */
async function answers(node: KafkaNode, client: KafkaSecurity["client"]): Promise<boolean> {
  if (!isAlive(node.pid)) throw new Error("the broker ended");
  calmRequestQueues();
  const admin = new kafkajs.Kafka({
    ...client,
    brokers: [node.address],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    return controller !== null && brokers.some((broker) => broker.nodeId === node.nodeId);
  } finally {
    await admin.disconnect();
  }
}

/** A shell that ends the broker and removes the folder when the process that started it is gone, however it went. */
function watch(guardedBy: number, pid: number, folder: string): void {
  const script = `
    while kill -0 "$1" 2>/dev/null; do
      kill -0 "$2" 2>/dev/null || exit 0
      sleep 1
    done
    kill -9 "$2" 2>/dev/null
    rm -rf "$3"`;
  spawn("sh", ["-c", script, "watch-broker", String(guardedBy), String(pid), folder], {
    detached: true,
    stdio: "ignore",
  }).unref();
}

function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // Gone already.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            resolve(server);
          });
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        }),
    ),
  );
  return ports;
}
