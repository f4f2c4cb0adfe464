#!/usr/bin/env node
// The one JavaScript file: it must run on every Node, to say which Node the rest needs. No newer syntax than Node 14 knows.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const neededMajor = 24;
// Three threads of garbage are most of the memory. The script `start` and the Dockerfile give the same.
const smallHeap = ["--max-semi-space-size=8", "--heap-growing-percent=50"];
const root = join(dirname(fileURLToPath(import.meta.url)), "..");

if (majorOf(process.version) >= neededMajor) await run();
else startAgainOn(newerNode());

async function run() {
  // Frames of application code sit far below those of express and of promises.
  Error.stackTraceLimit = 30;
  // Not in the shared temporary folder, where somebody else could leave code for us to run.
  module.enableCompileCache(join(root, "node_modules", ".cache", "node-compile-cache"));
  const { main } = await import("./cli.ts");
  await main(process.argv.slice(2));
}

/** The Node that `npm ci` brought along; undefined where it is missing, as after `npm ci --omit=optional`. */
function newerNode() {
  const candidates = [join(root, "node_modules", ".bin", "node")];
  const platform = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "node.exe" : "node";
  try {
    const manifest = createRequire(import.meta.url).resolve(
      `node-${platform}-${process.arch}/package.json`,
    );
    candidates.unshift(join(dirname(manifest), "bin", file));
  } catch {
    // Not installed: the message below says what to do.
  }
  return candidates.find((candidate) => {
    if (!existsSync(candidate)) return false;
    const answer = spawnSync(candidate, ["--version"], { encoding: "utf8" });
    return answer.status === 0 && majorOf(answer.stdout.trim()) >= neededMajor;
  });
}

function startAgainOn(node) {
  if (node === undefined) {
    process.stderr.write(
      `rolecall needs Node.js ${neededMajor} or newer and this is ${process.version}: run \`npm ci\` in ${root} (it brings Node.js ${neededMajor} along for Linux, macOS on Intel and Windows), or install it from https://nodejs.org\n`,
    );
    process.exit(1);
  }
  const child = spawn(
    node,
    [...smallHeap, fileURLToPath(import.meta.url), ...process.argv.slice(2)],
    { stdio: "inherit" },
  );
  // A terminal sends SIGINT and SIGHUP to both processes itself; forwarding them would deliver them twice.
  const ignore = () => undefined;
  const forward = () => child.kill("SIGTERM");
  process.on("SIGINT", ignore).on("SIGHUP", ignore).on("SIGTERM", forward);
  child.on("error", (error) => {
    process.stderr.write(`rolecall could not start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code === null ? 1 : code);
    process.off("SIGINT", ignore).off("SIGHUP", ignore).off("SIGTERM", forward);
    process.kill(process.pid, signal);
  });
}

function majorOf(version) {
  return Number((/^v(\d+)\./.exec(version) || [])[1] || 0);
}
