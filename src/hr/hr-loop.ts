import { mkdir, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import { defaultEmploymentPolicy, employmentAt } from "../model/employment.ts";
import { StoreError } from "../model/errors.ts";
import { asId, isName, type HrSourceId, type TenantId } from "../model/ids.ts";
import type { Actor } from "../model/records.ts";
import { workUpload } from "./accept.ts";
import { unmatchedLeaver, type HrDeps } from "./hr-deps.ts";
import type { HrDesk } from "./hr-desk.ts";
import { bulkBytesMax } from "./router.ts";

const periodMs = 10_000;
/** A request works its upload through by itself; one that stands longer was left behind by a crash. */
const leftBehindMs = 60_000;
/** How often somebody is looked for who left by the word of HR and whom no IdP has sent. */
const unmatchedMs = 3_600_000;
const pageSize = 500;
/** A file that is still written to changes within this time. */
const settledMs = 5_000;

export interface HrLoop {
  start(): void;
  stop(): Promise<void>;
}

/**
 * Works through uploads that a crash left behind, says who has left whom no IdP has sent, and takes CSV files from a watched folder: `<folder>/<source>/*.csv` goes to `done/`
 * beside it once every row is settled, to `refused/` where the source is not known.
 */
export function createHrLoop(
  deps: HrDeps & {
    readonly desk: HrDesk;
    /** Undefined: no folder is watched. */
    readonly folder: string | undefined;
    readonly tenantId: TenantId;
  },
): HrLoop {
  const abort = new AbortController();
  let running: Promise<void> | undefined;
  let lookAt = 0;
  const loop = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      try {
        await workLeftBehind(deps);
        if (deps.clock.now() >= lookAt) {
          await tellUnmatched(deps, deps.tenantId);
          lookAt = deps.clock.now() + unmatchedMs;
        }
        if (deps.folder !== undefined) await takeFiles(deps, deps.folder);
      } catch (error) {
        deps.logger.error({ err: error }, "HR uploads not looked after; tried again");
      }
      await deps.clock.sleep(periodMs, abort.signal);
    }
  };
  return {
    start() {
      running ??= loop();
    },
    async stop() {
      abort.abort();
      await running;
    },
  };
}

const system: Actor = { kind: "system", id: "hr" };

async function workLeftBehind(deps: HrDeps): Promise<void> {
  const left = await deps.store.listUnansweredHr(deps.clock.now() - leftBehindMs, 20);
  for (const { tenantId, uploadId } of left) {
    const upload = await deps.store.getHrUpload(tenantId, uploadId);
    if (upload === undefined) continue;
    await workUpload(deps, { tenantId, sourceId: upload.sourceId, actor: system }, upload);
  }
}

/** A leave that was planned comes while its record waits for a person: nobody else's mark tells of it. */
async function tellUnmatched(deps: HrDeps, tenantId: TenantId): Promise<void> {
  const policy = (await deps.store.getHrSettings(tenantId))?.employment ?? defaultEmploymentPolicy;
  const now = deps.clock.now();
  for (const { sourceId } of await deps.store.listHrSources(tenantId)) {
    let after: string | undefined;
    for (;;) {
      const page = await deps.store.listHrRecords(tenantId, { sourceId, after, limit: pageSize });
      for (const { person, spells, identityId } of page) {
        if (identityId !== undefined || spells.length === 0) continue;
        const records = [{ sourceId, personKey: person.key, spells }];
        if (employmentAt({ records, policy }, now).state === "left")
          await deps.raiseFinding(tenantId, unmatchedLeaver(sourceId, person.key));
      }
      after = page.at(-1)?.person.key;
      if (page.length < pageSize) break;
    }
  }
}

async function takeFiles(
  deps: HrDeps & { readonly desk: HrDesk; readonly tenantId: TenantId },
  folder: string,
): Promise<void> {
  for (const source of await readdir(folder, { withFileTypes: true })) {
    if (!source.isDirectory() || !isName(source.name)) continue;
    const place = join(folder, source.name);
    for (const name of (await readdir(place)).sort()) {
      if (name.startsWith(".") || !name.toLowerCase().endsWith(".csv")) continue;
      await takeFile(deps, place, asId<HrSourceId>(source.name), name);
    }
  }
}

async function takeFile(
  deps: HrDeps & { readonly desk: HrDesk; readonly tenantId: TenantId },
  place: string,
  sourceId: HrSourceId,
  name: string,
): Promise<void> {
  const path = join(place, name);
  const { size, mtimeMs } = await stat(path);
  // Files carry the wall's time, which a scaled clock does not show: its own seconds are as good for waiting.
  if (deps.clock.now() - mtimeMs < settledMs) return;
  let folder = "done";
  try {
    if (size > bulkBytesMax)
      throw new StoreError("INVALID", `the file has ${String(size)} bytes: split it`);
    const text = await readFile(path, "utf8");
    const answer = await deps.desk.importFile(
      deps.tenantId,
      sourceId,
      // A file that is taken twice, after a crash before it was moved, is the same upload.
      { text, asOf: new Date(mtimeMs).toISOString(), complete: false },
      { kind: "hr", id: sourceId },
    );
    const parked = answer.receipts.filter((receipt) => receipt.state === "parked").length;
    deps.logger.info(
      { sourceId, uploadId: answer.uploadId, rows: answer.receipts.length, parked },
      "HR file taken",
    );
  } catch (error) {
    if (!(error instanceof StoreError) || error.code === "UNAVAILABLE") throw error;
    folder = "refused";
    deps.logger.error({ err: error, sourceId }, "HR file refused");
  }
  await mkdir(join(place, folder), { recursive: true });
  await rename(path, join(place, folder, name));
}
