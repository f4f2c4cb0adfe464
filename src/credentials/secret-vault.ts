import { createHash } from "node:crypto";
import type { Clock } from "../model/clock.ts";
import { InputError, SyncError } from "../model/errors.ts";
import { isName, type TenantId } from "../model/ids.ts";
import { newRecord, type Actor, type AuditRecord } from "../model/records.ts";
import type { CredentialStore } from "./credential-store.ts";
import { seal, sealedWith, unseal, type SealKey } from "./seal.ts";

/** A secret in the clear, for one call; never stored, logged or put into an error. */
export interface OpenedSecret {
  readonly secret: string;
  /** First 12 hex digits of its SHA-256: what records and lanes know it by. */
  readonly fingerprint: string;
}

export interface SecretVault {
  /**
   * Seals a secret under a name, in place of the one before: calls that start later use the new one.
   * @throws InputError when the name or the secret cannot be kept
   */
  put(
    tenantId: TenantId,
    name: string,
    secret: string,
    actor: Actor,
  ): Promise<{ readonly fingerprint: string }>;
  /** @throws SyncError CREDENTIAL_MISSING that says what to do */
  open(tenantId: TenantId, ref: string): Promise<OpenedSecret>;
  remove(tenantId: TenantId, name: string, actor: Actor): Promise<void>;
  /**
   * Seals everything of a tenant anew that a former key sealed, one by one: whoever reads meanwhile finds either. What no key of this process
   * opens stays as it is, and is named.
   */
  reseal(
    tenantId: TenantId,
    actor: Actor,
  ): Promise<{ readonly resealed: readonly string[]; readonly unreadable: readonly string[] }>;
}

export interface SecretVaultDeps {
  readonly store: Pick<CredentialStore, "putSecret" | "getSecret" | "removeSecret" | "listSecrets">;
  readonly key: SealKey;
  readonly clock: Clock;
  /** The environment, for references `env:NAME`. */
  readonly readEnv: (name: string) => string | undefined;
  /** The text of a file, for references `file:PATH`. */
  readonly readFile: (path: string) => Promise<string>;
}

const secretMax = 10_000;

/** The first 12 hex digits of the SHA-256 of a secret. */
export function fingerprintOf(secret: string): string {
  return createHash("sha256").update(secret, "utf8").digest("hex").slice(0, 12);
}

/** Vendor secrets: `sealed:NAME` from the store, `env:NAME` and `file:PATH` for development. Each call reads anew. */
export function createSecretVault(deps: SecretVaultDeps): SecretVault {
  return {
    put: async (tenantId, name, secret, actor) => {
      assertKeepable(name, secret);
      const fingerprint = fingerprintOf(secret);
      await deps.store.putSecret(
        tenantId,
        {
          name,
          sealed: seal(deps.key, { tenantId, name }, secret, deps.clock),
          fingerprint,
          updatedAt: deps.clock.now(),
        },
        { records: [changeRecord(deps.clock, actor, "set", name, fingerprint)], recompute: [] },
      );
      return { fingerprint };
    },
    open: async (tenantId, ref) => {
      const secret = await readRef(deps, tenantId, ref);
      return { secret, fingerprint: fingerprintOf(secret) };
    },
    reseal: (tenantId, actor) => reseal(deps, tenantId, actor),
    remove: (tenantId, name, actor) =>
      deps.store.removeSecret(tenantId, name, {
        records: [changeRecord(deps.clock, actor, "removed", name, undefined)],
        recompute: [],
      }),
  };
}

async function reseal(
  deps: SecretVaultDeps,
  tenantId: TenantId,
  actor: Actor,
): Promise<{ readonly resealed: readonly string[]; readonly unreadable: readonly string[] }> {
  const resealed: string[] = [];
  const unreadable: string[] = [];
  for (const kept of await deps.store.listSecrets(tenantId)) {
    const from = sealedWith(kept.sealed);
    if (from === deps.key.id) continue;
    const { name, fingerprint } = kept;
    let secret: string;
    try {
      secret = unseal(deps.key, { tenantId, name }, kept.sealed);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      unreadable.push(name);
      continue;
    }
    const sealed = seal(deps.key, { tenantId, name }, secret, deps.clock);
    // The secret is the same: its date stays, and no lane looks at its organisation anew.
    const record = newRecord(deps.clock, {
      actor,
      action: "credential.resealed",
      subject: { type: "credential", id: name },
      facts: { fingerprint, from, to: deps.key.id },
    });
    const also = { records: [record], recompute: [] };
    await deps.store.putSecret(tenantId, { ...kept, sealed }, also);
    resealed.push(name);
  }
  return { resealed, unreadable };
}

function assertKeepable(name: string, secret: string): void {
  const problems: string[] = [];
  if (!isName(name)) problems.push("the name takes a-z, 0-9 and -, at most 64 characters");
  if (secret === "" || secret.length > secretMax)
    problems.push(`the secret takes 1 to ${String(secretMax)} characters`);
  // A line break would end the header that carries it.
  if (/[\0\r\n]/.test(secret)) problems.push("the secret holds a line break or a NUL");
  if (problems.length > 0) throw new InputError("the credential cannot be kept", problems);
}

async function readRef(deps: SecretVaultDeps, tenantId: TenantId, ref: string): Promise<string> {
  const at = ref.indexOf(":");
  const name = ref.slice(at + 1);
  switch (ref.slice(0, Math.max(0, at))) {
    case "sealed": {
      const kept = await deps.store.getSecret(tenantId, name);
      if (kept === undefined)
        throw missing(`${ref} is not stored: run \`rolecall credential set ${name}\``);
      return unseal(deps.key, { tenantId, name }, kept.sealed);
    }
    case "env":
      return usable(ref, deps.readEnv(name), `set the environment variable ${name}`);
    case "file":
      return usable(ref, await readSecretFile(deps, ref, name), `write the secret to ${name}`);
    default:
      // It may be the secret itself, written where its reference belongs: it is not repeated.
      throw missing("a reference is sealed:NAME, env:NAME or file:PATH; this one is none of them");
  }
}

async function readSecretFile(deps: SecretVaultDeps, ref: string, path: string): Promise<string> {
  try {
    return await deps.readFile(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
    throw missing(`${ref} cannot be read (${code})`);
  }
}

function usable(ref: string, text: string | undefined, remedy: string): string {
  const secret = text?.trim() ?? "";
  if (secret === "") throw missing(`${ref} is empty or not there: ${remedy}`);
  if (secret.length > secretMax || /[\0\r\n]/.test(secret))
    throw missing(`${ref} does not hold one secret on one line: ${remedy}`);
  return secret;
}

function missing(text: string): SyncError {
  return new SyncError("CREDENTIAL_MISSING", `the credential ${text}`);
}

function changeRecord(
  clock: Clock,
  actor: Actor,
  what: "set" | "removed",
  name: string,
  fingerprint: string | undefined,
): AuditRecord {
  return newRecord(clock, {
    actor,
    action: `credential.${what}`,
    subject: { type: "credential", id: name },
    facts: fingerprint === undefined ? {} : { fingerprint },
  });
}
