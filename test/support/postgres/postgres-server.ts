import { spawn, spawnSync } from "node:child_process";
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { Client } from "pg";
import { eventually } from "../eventually.ts";
import type { Found } from "../real-server.ts";

/** Where `initdb` and `postgres` are: on PATH, or where Debian keeps them. */
export async function postgresBinaries(): Promise<Found<string>> {
  const onPath = (process.env["PATH"] ?? "").split(":");
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? await readdir(debian) : [];
  const folders = [
    ...versions
      .toSorted((a, b) => Number(b) - Number(a))
      .map((version) => join(debian, version, "bin")),
    ...onPath,
  ];
  const folder = folders.find(
    (place) => existsSync(join(place, "initdb")) && existsSync(join(place, "postgres")),
  );
  return folder === undefined
    ? { missing: "no PostgreSQL: neither DATABASE_URL nor initdb and postgres on PATH" }
    : { server: folder };
}

/** The server refuses to run as root: then it runs as the first of these that the machine has. */
async function serverUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const user = users.find((fields) => fields[0] === name);
    if (user !== undefined) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new Error("PostgreSQL refuses to run as root, and there is neither postgres nor nobody");
}

/** Who may come in over TLS; the superuser of tests comes in without. */
export interface PostgresTls {
  readonly cert: string;
  readonly key: string;
}

/** How long a start or a stop may take on a busy machine. */
const patienceMs = 120_000;

/** A PostgreSQL server of the tests' own, on a port of 127.0.0.1, with fsync as a real one has it. */
export class PostgresServer {
  readonly port: number;
  readonly folder: string;
  private readonly binaries: string;
  private tls = false;
  private readonly user: { readonly uid: number; readonly gid: number } | undefined;

  /** Makes a cluster in `folder`, its own, and starts it. It ends with this process at the latest. */
  static async start(binaries: string, folder: string, tls?: PostgresTls): Promise<PostgresServer> {
    const user = await serverUser();
    await mkdir(folder, { recursive: true, mode: 0o755 });
    if (user !== undefined) await chown(folder, user.uid, user.gid);
    const made = spawnSync(
      join(binaries, "initdb"),
      [
        ...["--pgdata", join(folder, "data"), "--username", "postgres", "--auth", "trust"],
        // Another locale than the tests expect order in: what is stored must not lean on it.
        ...["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
      ],
      { cwd: folder, encoding: "utf8", env: { PATH: process.env["PATH"], HOME: folder }, ...user },
    );
    if (made.status !== 0) {
      throw new Error(`initdb failed: ${made.error?.message ?? `${made.stdout}\n${made.stderr}`}`);
    }
    if (tls !== undefined) await allowTls(join(folder, "data"), tls, user);
    const server = new PostgresServer(binaries, folder, await freePort(), user);
    server.tls = tls !== undefined;
    await server.run();
    return server;
  }

  private constructor(
    binaries: string,
    folder: string,
    port: number,
    user: PostgresServer["user"],
  ) {
    this.binaries = binaries;
    this.folder = folder;
    this.port = port;
    this.user = user;
  }

  url(database = "postgres"): string {
    return `postgres://postgres@127.0.0.1:${String(this.port)}/${database}`;
  }

  /** Starts the server, again after `kill`. Resolves when it answers. */
  async run(): Promise<void> {
    const settings = {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      port: String(this.port),
      max_connections: "200",
      shared_buffers: "64MB",
      // The server waits as short as it can before it looks for a deadlock: tests make some.
      deadlock_timeout: "200ms",
      log_min_messages: "fatal",
      ssl: this.tls ? "on" : "off",
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    // It stands on its own, so that a thread that ends does not take it along, and watches the process that wanted it (which it may
    // not signal where that is root's).
    const watch = `"$0" -D "$1" "\${@:3}" & server=$!
      while { [ -e "/proc/$2" ] || kill -0 "$2" 2>/dev/null; } && kill -0 $server 2>/dev/null; do sleep 0.5; done
      kill -INT $server 2>/dev/null; wait $server
      [ -e "/proc/$2" ] || kill -0 "$2" 2>/dev/null || rm -rf "\${1%/data}"`;
    const child = spawn(
      "bash",
      [
        ...["-c", watch, join(this.binaries, "postgres"), join(this.folder, "data")],
        ...[String(process.pid), ...options],
      ],
      {
        cwd: this.folder,
        detached: true,
        stdio: "ignore",
        env: { PATH: process.env["PATH"], HOME: this.folder },
        ...this.user,
      },
    );
    child.unref();
    await eventually(
      async () => {
        const client = new Client({ connectionString: this.url() });
        try {
          await client.connect();
        } finally {
          await client.end();
        }
      },
      { timeoutMs: patienceMs, everyMs: 50 },
    );
  }

  /** Ends it as a crash would; what was committed is on disk. */
  async kill(): Promise<void> {
    await this.end("SIGQUIT");
  }

  async stop(): Promise<void> {
    await this.end("SIGINT");
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(signal: "SIGQUIT" | "SIGINT"): Promise<void> {
    const pidFile = join(this.folder, "data", "postmaster.pid");
    const pid = Number((await readFile(pidFile, "utf8")).split("\n")[0]);
    process.kill(pid, signal);
    await eventually(
      () => {
        if (existsSync(pidFile) && isRunning(pid)) throw new Error("still running");
        return Promise.resolve();
      },
      { timeoutMs: patienceMs, everyMs: 20 },
    );
    await rm(pidFile, { force: true });
  }
}

/** Everybody but the superuser of tests needs TLS and a password. */
async function allowTls(
  data: string,
  { cert, key }: PostgresTls,
  user: PostgresServer["user"],
): Promise<void> {
  const hba = "host all postgres 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";
  const files = { "server.crt": cert, "server.key": key, "pg_hba.conf": hba };
  for (const [name, text] of Object.entries(files)) {
    const path = join(data, name);
    await writeFile(path, text, { mode: 0o600 });
    if (user !== undefined) await chown(path, user.uid, user.gid);
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Writes a file that is there whole or not at all, for those who wait for it. */
export async function writeWhole(path: string, content: unknown): Promise<void> {
  await writeFile(`${path}.part`, JSON.stringify(content));
  await rename(`${path}.part`, path);
}
