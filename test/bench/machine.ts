import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** What the figures were measured on: without it none of them means anything. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly sqlite: string;
  readonly commit: string;
  /** Runnable tasks of the last minute, before the first measure: above 0.5, others were at work. */
  readonly loadBefore: number;
}

export function readMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? "unknown",
    cores: all.length,
    memoryGb: Math.round(totalmem() / 1_073_741_824),
    system: `${type()} ${release()}`,
    node: process.version,
    sqlite: process.versions["sqlite"] ?? "unknown",
    commit: commitOf(),
    loadBefore: loadavg()[0] ?? 0,
  };
}

/** "unknown" outside a Git checkout. */
function commitOf(): string {
  const git = (...args: readonly string[]) =>
    execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const dirty = git("status", "--porcelain", "--", "src") !== "";
    return `${git("rev-parse", "--short=10", "HEAD")}${dirty ? " with changes in src" : ""}`;
  } catch {
    return "unknown";
  }
}
