import type { AccountStore } from "../accounts/account-store.ts";
import type { FindingDraft, FindingKind } from "../accounts/finding.ts";
import type { CredentialStore, Token } from "../credentials/credential-store.ts";
import type { DirectoryStore } from "../directory/directory-store.ts";
import type { TrafficStore } from "../directory/traffic-store.ts";
import type { Clock, Instant } from "../model/clock.ts";
import type { TenantId } from "../model/ids.ts";
import { rhythmOf } from "./quiet.ts";

export interface WatchDeps {
  readonly store: Pick<DirectoryStore, "listIdps"> &
    Pick<TrafficStore, "readTraffic"> &
    Pick<CredentialStore, "listTokens"> &
    Pick<AccountStore, "raiseFindings" | "resolveFindings" | "listFindings">;
  readonly clock: Clock;
}

const day = 86_400_000;
/** Days before its end at which a token is warned of anew. */
const warnDays = [1, 3, 14, 30] as const;
const kinds: ReadonlySet<FindingKind> = new Set(["idp_quiet", "token_expiring"]);

/**
 * Findings about where people come from: IdP connections that are silent for longer than they ever were, and tokens that end soon.
 * What is not so any more is resolved.
 */
export async function watchSources(deps: WatchDeps, tenantId: TenantId): Promise<void> {
  const { store, clock } = deps;
  const now = clock.now();
  const wanted = [
    ...(await quietSources(deps, tenantId, now)),
    ...(await store.listTokens(tenantId)).flatMap((token) => expiry(token, now)),
  ];
  const open = (await store.listFindings(tenantId, { open: true, limit: 10_000 })).filter(
    (finding) => kinds.has(finding.kind),
  );
  const known = new Set(open.map((finding) => finding.key));
  const fresh = wanted.filter((finding) => !known.has(finding.key));
  if (fresh.length > 0) await store.raiseFindings(tenantId, { findings: fresh, now });
  const still = new Set(wanted.map((finding) => finding.key));
  const over = [...known].filter((key) => !still.has(key));
  if (over.length > 0) await store.resolveFindings(tenantId, { keys: over, now });
}

async function quietSources(
  { store }: WatchDeps,
  tenantId: TenantId,
  now: Instant,
): Promise<readonly FindingDraft[]> {
  const found: FindingDraft[] = [];
  for (const { idpId } of await store.listIdps(tenantId)) {
    const traffic = await store.readTraffic(tenantId, idpId);
    const { quietFrom, longestPauseMs = 0 } = rhythmOf(traffic);
    if (quietFrom === undefined || now < quietFrom || traffic.lastRequestAt === undefined) continue;
    found.push({
      key: `idp_quiet:${idpId}`,
      kind: "idp_quiet",
      severity: "warning",
      text: `The IdP connection ${idpId} has gone quiet: no request since ${new Date(traffic.lastRequestAt).toISOString()}, and its longest silence was ${hours(longestPauseMs)}. Whoever leaves now is not heard of: look at provisioning there, and at its token.`,
      facts: { idpId, lastRequestAt: traffic.lastRequestAt, longestPauseMs },
    });
  }
  return found;
}

function expiry(token: Token, now: Instant): readonly FindingDraft[] {
  const { tokenId, expiresAt, revokedAt, label, kind, idpId, purpose } = token;
  if (expiresAt === undefined || revokedAt !== undefined || expiresAt <= now) return [];
  // A session is meant to end.
  if (purpose !== undefined) return [];
  const within = warnDays.find((days) => expiresAt - now <= days * day);
  if (within === undefined) return [];
  const speaksFor = idpId === undefined ? "an operator" : `the IdP connection ${idpId}`;
  return [
    {
      // Each step is a finding of its own, so that each is told.
      key: `token_expiring:${tokenId}:${String(within)}`,
      kind: "token_expiring",
      severity: within === 1 ? "urgent" : "warning",
      text: `The token "${label}" of ${speaksFor} ends at ${new Date(expiresAt).toISOString()}: make another (both hold at once), put it in place, then revoke this one.`,
      facts: { tokenId, kind, expiresAt, days: within, ...(idpId === undefined ? {} : { idpId }) },
    },
  ];
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} hours`;
}
