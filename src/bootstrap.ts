import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Store } from "./adapters/store.ts";
import type { Config } from "./config/config.ts";
import { ensureToken, makeToken, tokenHash, type TokenDraft } from "./credentials/tokens.ts";
import type { TenantSettings } from "./mapping/tenant-file.ts";
import type { Clock } from "./model/clock.ts";
import { StoreError } from "./model/errors.ts";
import { asId, newId, type IdpId, type TenantId } from "./model/ids.ts";
import { newRecord, type Actor } from "./model/records.ts";

/** The secrets of a first start, as a person or the command line on this host reads them. */
export interface BootstrapSecrets {
  readonly operatorToken: string;
  readonly scimToken: string;
  /** Where they lie; undefined: they were given in the environment. */
  readonly path: string | undefined;
  /** Whether this start made them. */
  readonly made: boolean;
}

/** Of the tokens that a first start makes. */
export const bootstrapLabel = "bootstrap";

const fileShape = z.object({ operatorToken: z.string(), scimToken: z.string() });

/**
 * Makes sure that somebody can speak to the service: the tenant, its IdP connections, and the two first tokens, which come from the
 * environment or are made once and kept in `<data>/bootstrap.json`, readable by the owner alone.
 */
export async function bootstrap(
  config: Config,
  store: Store,
  clock: Clock,
  actor: Actor,
  settings: TenantSettings | undefined,
): Promise<BootstrapSecrets> {
  const { tenantId } = config;
  await ensureTenant(store, clock, actor, tenantId);
  const idps = settings === undefined || settings.idps.length === 0 ? [defaultIdp] : settings.idps;
  await ensureIdps(store, clock, actor, tenantId, idps);
  const kept = await readFile(join(config.dataDir, "bootstrap.json"), "utf8").then(
    (text) => fileShape.parse(JSON.parse(text)),
    () => undefined,
  );
  const operatorToken = config.adminToken ?? kept?.operatorToken ?? makeToken("operator", clock);
  const scimToken = config.scimToken ?? kept?.scimToken ?? makeToken("scim", clock);
  const given = config.adminToken !== undefined && config.scimToken !== undefined;
  const made = !given && kept === undefined;
  const path = join(config.dataDir, "bootstrap.json");
  // On disk before the store knows them: a crash in between leaves a file whose tokens the next start takes.
  if (made) await writeSecrets(config.dataDir, path, { operatorToken, scimToken }, clock);
  const firstIdp = idps[0]?.idpId ?? defaultIdp.idpId;
  const known = new Set((await store.listTokens(tenantId)).map((token) => token.hash));
  const ensure = async (token: string, draft: TokenDraft) => {
    // One that was revoked stays revoked, whatever the file still says.
    if (!known.has(tokenHash(token)))
      await unlessThere(ensureToken({ store, clock }, tenantId, draft, token, actor));
  };
  await ensure(operatorToken, {
    kind: "operator",
    idpId: undefined,
    label: bootstrapLabel,
    expiresAt: undefined,
  });
  await ensure(scimToken, {
    kind: "scim",
    idpId: firstIdp,
    label: bootstrapLabel,
    expiresAt: undefined,
  });
  return { operatorToken, scimToken, path: given ? undefined : path, made };
}

const defaultIdp = { idpId: asId<IdpId>("default"), kind: "generic" as const };

async function ensureTenant(
  store: Store,
  clock: Clock,
  actor: Actor,
  tenantId: TenantId,
): Promise<void> {
  const known = await store.listTenants();
  if (known.some((tenant) => tenant.tenantId === tenantId)) return;
  await unlessThere(
    store.createTenant(
      tenantId,
      { now: clock.now() },
      {
        records: [
          newRecord(clock, {
            actor,
            action: "tenant.created",
            subject: { type: "tenant", id: tenantId },
            facts: {},
          }),
        ],
        recompute: [],
      },
    ),
  );
}

async function ensureIdps(
  store: Store,
  clock: Clock,
  actor: Actor,
  tenantId: TenantId,
  idps: TenantSettings["idps"],
): Promise<void> {
  const known = new Set((await store.listIdps(tenantId)).map((idp) => idp.idpId));
  for (const { idpId, kind } of idps) {
    if (known.has(idpId)) continue;
    await unlessThere(
      store.createIdp(
        tenantId,
        { idpId, kind, now: clock.now() },
        {
          records: [
            newRecord(clock, {
              actor,
              action: "idp.created",
              subject: { type: "idp", id: idpId },
              facts: { kind },
            }),
          ],
          recompute: [],
        },
      ),
    );
  }
}

/** Of processes that start at once over one database, one makes what all of them want. */
async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof StoreError && error.code === "ALREADY_EXISTS")) throw error;
  }
}

async function writeSecrets(
  folder: string,
  path: string,
  secrets: object,
  clock: Clock,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${newId(clock)}`;
  await writeFile(draft, `${JSON.stringify(secrets, null, 2)}\n`, {
    mode: 0o600,
    flag: "wx",
    flush: true,
  });
  await rename(draft, path);
}
