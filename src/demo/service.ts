import { spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, mkdirSync, type WriteStream } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readEnv, type Environment } from "../config/config.ts";
import type { Clock } from "../model/clock.ts";

const launcher = fileURLToPath(new URL("../bin.js", import.meta.url));

/** Rolecall itself, as a process of its own, so that it can be killed at any moment like in real life. */
export class Service {
  readonly scimUrl: string;
  readonly operatorUrl: string;
  readonly dataDir: string;
  readonly logPath: string;
  readonly #env: Environment;
  readonly #clock: Clock;
  readonly #log: WriteStream;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #wanted = false;
  /** Why a life of the service that was not asked to end did. */
  #death: string | undefined;

  /** @param options `folder`: of this process alone; made here */
  constructor(options: {
    readonly folder: string;
    readonly port: number;
    readonly operatorPort: number;
    readonly env: Environment;
    readonly clock: Clock;
  }) {
    this.scimUrl = `http://127.0.0.1:${String(options.port)}`;
    this.operatorUrl = `http://127.0.0.1:${String(options.operatorPort)}`;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.dataDir = join(options.folder, "data");
    this.logPath = join(options.folder, "service.log");
    this.#log = createWriteStream(this.logPath, { flags: "a", mode: 0o600 });
    this.#clock = options.clock;
    this.#env = {
      ...options.env,
      PORT: String(options.port),
      ROLECALL_OPERATOR_PORT: String(options.operatorPort),
      ROLECALL_DATA_DIR: this.dataDir,
      ROLECALL_URL: `http://localhost:${String(options.port)}`,
    };
  }

  start(): void {
    this.#wanted = true;
    const child = spawn(process.execPath, [launcher, "serve"], {
      env: { ...inherited(), ...this.#env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.pipe(this.#log, { end: false });
    child.stderr.pipe(this.#log, { end: false });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        if (this.#wanted && this.#child === child) {
          this.#death = `the service ended by itself (${signal ?? `exit ${String(code)}`}); its log is ${this.logPath}`;
        }
        resolve();
      });
    });
  }

  /** @throws Error with the reason when a life of the service ended unasked */
  assertAlive(): void {
    if (this.#death !== undefined) throw new Error(this.#death);
  }

  /** kill -9 and a new life on the same folder. */
  async crash(): Promise<void> {
    this.#wanted = false;
    this.#child?.kill("SIGKILL");
    await this.#exited;
    this.start();
  }

  /** A calm stop: no request and no change lost. */
  async stop(): Promise<void> {
    this.#wanted = false;
    this.#child?.kill("SIGTERM");
    await this.#exited;
    this.#log.end();
  }

  /** Resolves when `/readyz` answers 200. @throws Error after three wall minutes, or when the process is gone */
  async ready(probe: (url: string) => Promise<boolean>): Promise<void> {
    const until = performance.now() + 180_000;
    while (performance.now() < until) {
      this.assertAlive();
      if (await probe(`${this.operatorUrl}/readyz`)) return;
      await this.#clock.sleep(3_000);
    }
    throw new Error(`the service did not become ready; its log is ${this.logPath}`);
  }
}

/** Two ports that are free now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            if (address === null || typeof address === "string") reject(new Error("no port"));
            else resolve(address.port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What a child needs of our own environment: nothing of Rolecall's settings leaks into the demo. */
function inherited(): Record<string, string> {
  return Object.fromEntries(
    ["PATH", "HOME", "TMPDIR", "LANG", "NODE_EXTRA_CA_CERTS", "SystemRoot"].flatMap((name) => {
      const value = readEnv(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
