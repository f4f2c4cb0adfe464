// Goal: the image that the Dockerfile describes holds what the service needs and no more, and runs as an unprivileged user who can
// write one folder.
// Method: the Dockerfile's own steps by hand in a clean folder, then the image's own command and health check in it.
import { spawn, type ChildProcess } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { buildByHand, footprint, type HandBuiltImage } from "../support/hand-built-image.ts";

const context = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const isRoot = process.getuid?.() === 0;
let folder = "";
let image: HandBuiltImage;
let node = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rolecall-image-"));
  await chmod(folder, 0o755);
  image = await buildByHand(context, folder);
  // The base image's Node.js, at a place that the unprivileged user may reach.
  node = join(folder, "node");
  await copyFile(process.execPath, node);
  if (!isRoot) await readOnly(image.workFolder);
}, 240_000);

afterAll(async () => {
  if (!isRoot) await readOnly(image.workFolder, 0o700);
  await rm(folder, { recursive: true, force: true });
});

/** Takes writing away from the owner, which is who runs where the tests do not run as root. */
async function readOnly(root: string, folderMode = 0o555): Promise<void> {
  await chmod(root, folderMode);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), folderMode);
  }
}

interface Container {
  readonly process: ChildProcess;
  said(): string;
  /** The code it ended with. */
  readonly ended: Promise<number | null>;
}

/** The image's process: its user, its environment with the root of the image put before paths, nothing else writable. */
function start(command: readonly string[], environment: Readonly<Record<string, string>>) {
  const [program = "", ...args] = command;
  expect(program).toBe("node");
  const child = spawn(node, args, {
    cwd: image.workFolder,
    env: {
      ...image.environment,
      ROLECALL_DATA_DIR: join(image.root, image.environment.ROLECALL_DATA_DIR ?? ""),
      TMPDIR: join(folder, "no-temporary-folder"),
      HOME: "/nonexistent",
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
    ...(isRoot ? image.user : {}),
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { process: child, said: () => said, ended } satisfies Container;
}

const portIn = (said: string, line: RegExp) => line.exec(said)?.[1];

describe("the image", () => {
  test("holds production packages only, without a second Node.js", async () => {
    const packages = await readdir(join(image.workFolder, "node_modules"));
    expect(packages).toContain("express");
    for (const name of ["typescript", "vitest", "eslint", "prettier", "autocannon"])
      expect(packages).not.toContain(name);
    expect(packages.filter((name) => name.startsWith("node-"))).toEqual([]);
  });

  test("holds no test, no document, no data and nothing of the version control", async () => {
    expect((await readdir(image.workFolder)).toSorted()).toEqual([
      "LICENSE",
      "mappings",
      "node_modules",
      "package.json",
      "src",
    ]);
    const ours = [...(await footprint(image.workFolder)).keys()].filter(
      (path) => !path.startsWith("node_modules/"),
    );
    expect(ours.filter((path) => path.endsWith(".md") || path.includes(".env"))).toEqual([]);
    expect(ours).toContain("mappings/default/tenant.yaml");
  });

  test("is small: what comes on top of the base image stays below 48 MiB", async () => {
    const files = await footprint(image.workFolder);
    const bytes = [...files.values()].reduce((sum, text) => sum + Number(text.split(" ")[0]), 0);
    expect(bytes).toBeLessThan(48 * 1024 * 1024);
  });

  test("runs as a user without rights, who may write the data folder and nothing else", async () => {
    expect(image.user.uid).toBeGreaterThan(0);
    expect(image.user.gid).toBeGreaterThan(0);
    expect(image.volumes).toEqual([image.environment.ROLECALL_DATA_DIR]);
    const probe = start(
      [
        "node",
        "-e",
        `const { writeFileSync, mkdirSync } = require("node:fs");
         const attempt = (path) => { try { writeFileSync(path, "x"); return "written"; } catch (error) { return error.code; } };
         console.log(attempt("src/x.ts"), attempt("x"), attempt("node_modules/x"), attempt(process.env.ROLECALL_DATA_DIR + "/x"));`,
      ],
      {},
    );
    await probe.ended;
    expect(probe.said().trim()).toBe("EACCES EACCES EACCES written");
    await rm(join(image.root, "data", "x"));
  });
});

describe("the image's own command", () => {
  test("starts the service on a read-only tree, is healthy by the image's own check, writes its data folder only, and stops calmly", async () => {
    const before = await footprint(image.workFolder);
    const service = start(image.command, { PORT: "0", ROLECALL_OPERATOR_PORT: "0" });
    try {
      await eventually(() => expect(service.said()).toMatch(/for you +http:\S+/), {
        timeoutMs: 60_000,
      });
      const publicPort = portIn(service.said(), /for identity providers +\S+:(\d+)\//);
      const operatorPort = portIn(service.said(), /for you +\S+:(\d+)\//);
      for (const port of [publicPort, operatorPort]) {
        for (const path of ["healthz", "readyz"]) {
          const answer = await fetch(`http://127.0.0.1:${String(port)}/${path}`);
          expect([path, answer.status]).toEqual([path, 200]);
        }
      }
      const healthy = start(image.healthcheck, { ROLECALL_OPERATOR_PORT: String(operatorPort) });
      expect(await healthy.ended, healthy.said()).toBe(0);
      const sick = start(image.healthcheck, { ROLECALL_OPERATOR_PORT: "1" });
      expect(await sick.ended).toBe(1);
    } finally {
      service.process.kill("SIGTERM");
    }
    expect(await service.ended, service.said()).toBe(0);
    expect(await footprint(image.workFolder)).toEqual(before);
    const made = await readdir(join(image.root, "data"));
    expect(made).toEqual(expect.arrayContaining(["bootstrap.json", "rolecall.db", "seal.key"]));
    const { mode } = await stat(join(image.root, "data", "seal.key"));
    expect(mode & 0o777).toBe(0o600);
  });

  test("takes its secrets from files and its mappings from a folder of its own", async () => {
    const secrets = join(folder, "run-secrets");
    await mkdir(secrets, { recursive: true });
    await writeFile(join(secrets, "admin-token"), `${"a".repeat(40)}\n`);
    const doctor = start([...image.command.slice(0, -1), "doctor"], {
      PORT: "0",
      ROLECALL_OPERATOR_PORT: "0",
      ROLECALL_ADMIN_TOKEN_FILE: join(secrets, "admin-token"),
      ROLECALL_MAPPINGS: join(image.workFolder, "mappings"),
    });
    await doctor.ended;
    expect(doctor.said()).toContain("ok  settings: live");
    expect(doctor.said()).not.toContain("a".repeat(40));
  });
});
