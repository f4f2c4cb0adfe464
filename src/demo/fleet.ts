import { join } from "node:path";
import type { Environment } from "../config/config.ts";
import { processRoles, type ProcessRole } from "../config/settings.ts";
import type { Clock } from "../model/clock.ts";
import { freePorts, Service } from "./service.ts";

/** One process of Rolecall as the day starts it. */
export interface DemoProcess {
  readonly name: string;
  readonly roles: readonly ProcessRole[];
}

export const oneProcess: readonly DemoProcess[] = [{ name: "rolecall", roles: processRoles }];

/** With Kafka: one process that answers and one that works. deploy/compose.yaml describes the same two. */
export const twoProcesses: readonly DemoProcess[] = [
  { name: "api", roles: ["api", "relay"] },
  { name: "worker", roles: ["relay", "worker", "scheduler"] },
];

/** One broker takes a day of hints, and there is nobody to keep a second copy. */
export const oneBroker: Environment = { KAFKA_REPLICATION: "1" };

/** What the processes of a fleet share, and the only settings by which a container of deploy/compose.yaml is told the same. */
export interface SharedSettings {
  readonly databaseUrl: string | undefined;
  /** `KAFKA_…`; empty without Kafka. */
  readonly kafka: Environment;
  readonly instance: string;
  readonly adminToken: string;
  readonly scimToken: string;
  readonly sealKey: string;
  readonly mappings: string;
}

export function sharedEnvironment(shared: SharedSettings): Environment {
  return {
    ...(shared.databaseUrl === undefined ? {} : { DATABASE_URL: shared.databaseUrl }),
    ...shared.kafka,
    ROLECALL_INSTANCE: shared.instance,
    ROLECALL_ADMIN_TOKEN: shared.adminToken,
    ROLECALL_SCIM_TOKEN: shared.scimToken,
    ROLECALL_SEAL_KEY: shared.sealKey,
    ROLECALL_MAPPINGS: shared.mappings,
  };
}

interface Member {
  readonly process: DemoProcess;
  readonly service: Service;
}

/** The processes of one day, and what the story needs to know of them. */
export class Fleet {
  readonly #members: readonly Member[];
  readonly #clock: Clock;

  /** Ports are found here; nothing runs before `start`. */
  static async make(options: {
    readonly folder: string;
    readonly processes: readonly DemoProcess[];
    readonly env: Environment;
    readonly clock: Clock;
  }): Promise<Fleet> {
    const { processes, folder, env, clock } = options;
    const ports = await freePorts(processes.length * 2);
    const members = processes.map((process, at) => {
      const [port = 0, operatorPort = 0] = ports.slice(at * 2, at * 2 + 2);
      const service = new Service({
        folder: join(folder, process.name),
        port,
        operatorPort,
        clock,
        env: { ...env, ROLECALL_ROLES: process.roles.join(",") },
      });
      return { process, service };
    });
    return new Fleet(members, clock);
  }

  private constructor(members: readonly Member[], clock: Clock) {
    this.#members = members;
    this.#clock = clock;
  }

  get scimUrl(): string {
    return this.#with("api").service.scimUrl;
  }

  get operatorUrl(): string {
    return this.#with("api").service.operatorUrl;
  }

  /** Where the checkpoints of the record are. */
  get recordFolder(): string {
    return this.#with("scheduler").service.dataDir;
  }

  get logPaths(): readonly string[] {
    return this.#members.map(({ service }) => service.logPath);
  }

  start(): void {
    for (const { service } of this.#members) service.start();
  }

  /** @throws Error with the reason when a process ended unasked */
  assertAlive(): void {
    for (const { service } of this.#members) service.assertAlive();
  }

  /** kill -9 of one process that nobody chose, and a new life of it. Answers its name. */
  async crash(): Promise<string> {
    const at = Math.floor(this.#clock.random() * this.#members.length);
    const member = this.#members[at];
    if (member === undefined) throw new Error("a fleet without processes");
    await member.service.crash();
    return member.process.name;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ service }) => service.stop()));
  }

  /** Resolves when every process is ready. @throws Error after three wall minutes, or when a process is gone */
  async ready(probe: (url: string) => Promise<boolean>): Promise<void> {
    await Promise.all(this.#members.map(({ service }) => service.ready(probe)));
  }

  #with(role: ProcessRole): Member {
    const member = this.#members.find(({ process }) => process.roles.includes(role));
    if (member === undefined) throw new Error(`no process has the role ${role}`);
    return member;
  }
}
