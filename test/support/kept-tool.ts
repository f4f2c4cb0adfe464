import { createHash } from "node:crypto";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Found } from "./real-server.ts";

/**
 * A file or folder that tests need and that takes long to make: made once per content of its sources in the cache outside the checkout,
 * then kept for every later run.
 * @param make makes it at the given path
 * @param failure how a reason begins why it is not there
 */
export async function keptTool(
  name: string,
  sources: readonly (string | Uint8Array)[],
  make: (path: string) => Promise<void>,
  failure: string,
): Promise<Found<string>> {
  const digest = createHash("sha256");
  for (const source of sources) digest.update(source);
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "rolecall-test");
  const path = join(cache, `${name}-${digest.digest("hex").slice(0, 12)}`);
  if (await exists(path)) return { server: path };
  await mkdir(cache, { recursive: true });
  // Beside it and moved into place at the end: a run that is cut short leaves nothing that looks complete.
  const half = `${path}.${String(process.pid)}`;
  try {
    await make(half);
    await rename(half, path);
  } catch (error) {
    await rm(half, { recursive: true, force: true });
    // Another run was faster: a folder that is there cannot be renamed over.
    if (await exists(path)) return { server: path };
    const why = error instanceof Error ? error.message.slice(0, 500) : String(error);
    return { missing: `${failure}: ${why}` };
  }
  return { server: path };
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
