import { z } from "zod";
import type { Lane } from "../accounts/lane.ts";
import type { Clock } from "../model/clock.ts";
import { SyncError } from "../model/errors.ts";
import { asId, newId, type ConnectionId, type TenantId } from "../model/ids.ts";
import { newRecord } from "../model/records.ts";
import type { VendorApp } from "../model/vendor-app.ts";
import type { HookDeps } from "./hook-deps.ts";
import { signedTexts } from "./signed-text.ts";

/** How long a link that an operator made may be opened, and how long the vendor's page may take. */
const linkMs = 24 * 3_600_000;
const visitMs = 15 * 60_000;

const linkShape = z.object({ tenant: z.string(), connection: z.string(), by: z.string() });
const visitShape = linkShape.extend({ visit: z.string() });
export type Visit = z.infer<typeof visitShape>;

/** Why an installation ended, in words for whoever looks at the browser. */
export class InstallationRefusal extends Error {
  override readonly name = "InstallationRefusal";
}

/** What an operator needs to install the vendor's app into the workspace of a connection. */
export interface InstallationLink {
  readonly startUrl: string;
  /** Exactly what the vendor's settings must list. */
  readonly redirectUrl: string;
  readonly webhookUrl: string;
  readonly uninstallUrl: string;
  readonly scopes: VendorApp["scopes"];
}

const links = (deps: Pick<HookDeps, "sealKey">) =>
  signedTexts(deps.sealKey, "installation link", linkShape);
const visits = (deps: Pick<HookDeps, "sealKey">) =>
  signedTexts(deps.sealKey, "installation visit", visitShape);

/** Makes a link that whoever may install apps in the workspace opens in a browser. @throws InstallationRefusal */
export function installationLink(
  deps: Pick<HookDeps, "sealKey" | "publicUrl" | "appOf"> & { readonly clock: Clock },
  lane: Lane,
  by: string,
): InstallationLink {
  const { vendor, tenantId, connectionId } = lane;
  const app = deps.appOf(vendor);
  if (app === undefined) throw new InstallationRefusal(`${vendor} has no app to install`);
  appRef(lane);
  const link = links(deps).sign(
    { tenant: tenantId, connection: connectionId, by },
    deps.clock.now() + linkMs,
  );
  const hooks = `${deps.publicUrl}/hooks/${vendor}/${tenantId}/${connectionId}`;
  return {
    startUrl: `${deps.publicUrl}/oauth/${vendor}/start?link=${link}`,
    redirectUrl: redirectUrl(deps, vendor),
    webhookUrl: hooks,
    uninstallUrl: `${hooks}/uninstalled`,
    scopes: app.scopes,
  };
}

function redirectUrl({ publicUrl }: Pick<HookDeps, "publicUrl">, vendor: string): string {
  return `${publicUrl}/oauth/${vendor}/callback`;
}

function appRef(lane: Lane): string {
  const { app } = lane.policy;
  if (app === undefined)
    throw new InstallationRefusal(
      "the mapping names no app: write `connection: { app: sealed:NAME }`, whose secret is id:secret",
    );
  return app;
}

function credentialName(lane: Lane): string {
  const name = /^sealed:(.+)$/.exec(lane.credential)?.[1];
  if (name === undefined)
    throw new InstallationRefusal("only a credential that is sealed:NAME can be installed");
  return name;
}

/** The browser comes with the link: where it goes on, and what it has to bring back. @throws InstallationRefusal, SyncError */
export async function startInstallation(
  deps: HookDeps,
  vendor: string,
  text: string,
): Promise<{ readonly location: string; readonly visit: string; readonly maxAgeMs: number }> {
  const now = deps.clock.now();
  const link = links(deps).read(text, now);
  if (link === undefined)
    throw new InstallationRefusal("this link is not good any more: ask for a new one");
  const { lane, app } = await laneOf(deps, vendor, link);
  credentialName(lane);
  const { id } = await deps.openApp(lane.tenantId, appRef(lane));
  const visit = newId(deps.clock);
  const location = new URL(app.authorizeUrl(deps.baseUrlOf(lane)));
  location.searchParams.set("client_id", id);
  location.searchParams.set("state", visits(deps).sign({ ...link, visit }, now + visitMs));
  location.searchParams.set("redirect_uri", redirectUrl(deps, vendor));
  return { location: location.href, visit, maxAgeMs: visitMs };
}

/**
 * The browser comes back with a code. It counts only with a state that we signed, in the browser that began, once, and for the workspace that
 * the connection is pinned to.
 * @throws InstallationRefusal, SyncError
 */
export async function finishInstallation(
  deps: HookDeps,
  vendor: string,
  answer: { readonly code: string; readonly state: string; readonly visit: string | undefined },
): Promise<{ readonly name: string; readonly connectionId: string }> {
  const now = deps.clock.now();
  const state = visits(deps).read(answer.state, now);
  if (state === undefined || state.visit !== answer.visit)
    throw new InstallationRefusal(
      "this answer belongs to no installation of this browser, or came too late: begin again with the link",
    );
  const { lane, app } = await laneOf(deps, vendor, state);
  const { tenantId, connectionId } = lane;
  const once = { tenantId, job: `visit:${state.visit}`, owner: state.visit, now };
  if (!(await deps.store.leaseSchedule({ ...once, owner: newId(deps.clock), leaseMs: linkMs })))
    throw new InstallationRefusal("this answer was used already: begin again with the link");
  const name = credentialName(lane);
  const { id, secret } = await deps.openApp(tenantId, appRef(lane));
  const token = app.tokenOf(
    await deps.exchangeCode({
      url: `${deps.baseUrlOf(lane).replace(/\/$/, "")}${app.exchangePath}`,
      body: { code: answer.code, client_id: id, client_secret: secret },
    }),
  );
  if (token === undefined)
    throw new SyncError("VENDOR_ANSWER_UNKNOWN", `${vendor}: the answer holds no token`);
  const told = await deps.tryToken(lane, token);
  const pinned = lane.organization;
  if (pinned !== null && pinned.id !== told.organization.id)
    throw new InstallationRefusal(
      `the app was installed into ${told.organization.name} (${told.organization.id}), and this connection is pinned to ${pinned.name} (${pinned.id}): nothing was kept`,
    );
  const actor = { kind: "operator", id: state.by } as const;
  await deps.keepToken(tenantId, name, token, actor);
  await deps.store.updateLane(
    tenantId,
    // Looked at at once; one that paused for its credential tries it again.
    { connectionId, set: { checkedAt: null, nextListAt: null, probeAt: now }, now },
    {
      records: [
        newRecord(deps.clock, {
          actor,
          action: "connection.installed",
          subject: { type: "connection", id: connectionId },
          connectionId,
          facts: {
            organizationId: told.organization.id,
            organizationName: told.organization.name,
            installedAt: now,
            installedBy: told.installedBy ?? null,
            region: new URL(deps.baseUrlOf(lane)).hostname,
            credential: name,
          },
        }),
      ],
      recompute: [],
    },
  );
  return { name: told.organization.name, connectionId };
}

async function laneOf(
  deps: HookDeps,
  vendor: string,
  named: { readonly tenant: string; readonly connection: string },
): Promise<{ readonly lane: Lane; readonly app: VendorApp }> {
  const app = deps.appOf(vendor);
  const lane = await deps.store.getLane(
    asId<TenantId>(named.tenant),
    asId<ConnectionId>(named.connection),
  );
  if (app === undefined || lane?.vendor !== vendor)
    throw new InstallationRefusal("there is no such connection any more");
  return { lane, app };
}
