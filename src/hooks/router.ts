import express, { type Request, type Response, type Router } from "express";
import type { Lane } from "../accounts/lane.ts";
import { SyncError } from "../model/errors.ts";
import { asId, isName, type ConnectionId, type TenantId } from "../model/ids.ts";
import type { VendorApp } from "../model/vendor-app.ts";
import type { HookDeps } from "./hook-deps.ts";
import { finishInstallation, InstallationRefusal, startInstallation } from "./installation.ts";
import { hearUninstalled, takeNotice } from "./vendor-notice.ts";

const noticeBytesMax = 1_048_576;
const cookie = "__install_visit";

/** `/oauth`: a browser installs a vendor's app. Answers are texts for people; nothing of a query is repeated in them. */
export function createOauthRouter(deps: HookDeps): Router {
  const router = express.Router();
  const secure = deps.publicUrl.startsWith("https:") ? "; Secure" : "";
  router.get("/:vendor/start", async (request, response) => {
    await told(deps, response, async () => {
      const link = text(request.query["link"]);
      const started = await startInstallation(deps, request.params.vendor, link);
      const age = String(Math.floor(started.maxAgeMs / 1_000));
      response.setHeader(
        "Set-Cookie",
        `${cookie}=${started.visit}; Max-Age=${age}; Path=/oauth; HttpOnly; SameSite=Lax${secure}`,
      );
      response.redirect(302, started.location);
    });
  });
  router.get("/:vendor/callback", async (request, response) => {
    await told(deps, response, async () => {
      const code = text(request.query["code"]);
      if (code === "")
        throw new InstallationRefusal("the vendor sent no code: the installation was not allowed");
      const done = await finishInstallation(deps, request.params.vendor, {
        code,
        state: text(request.query["state"]),
        visit: cookieOf(request),
      });
      say(
        response,
        200,
        `Installed into ${done.name}: the connection ${done.connectionId} is looked at now. You may close this page.`,
      );
    });
  });
  router.use((_request, response) => {
    say(response, 404, "There is nothing here.");
  });
  return router;
}

/** `/hooks`: what vendors tell. A notice is checked by its signature before anything of it is read. */
export function createHooksRouter(deps: HookDeps): Router {
  const router = express.Router();
  const path = "/:vendor/:tenant/:connection";
  // The vendor asks with HEAD whether somebody is here, before there is anything to sign.
  router.head(path, (_request, response) => {
    response.status(200).end();
  });
  const raw = express.raw({ type: () => true, limit: noticeBytesMax });
  router.post(path, raw, async (request, response) => {
    const found = await findLane(deps, request.params);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const header = found?.app.signature.header;
    const signature = header === undefined ? undefined : request.headers[header];
    const answer =
      found === undefined
        ? "unsigned"
        : await takeNotice(deps, found.lane, found.app, body, text(signature) || undefined);
    // Whether a connection exists is nobody's to try out: an unknown one is an unsigned notice.
    const status = { taken: 200, unsigned: 401, unreadable: 400, other_workspace: 200 } as const;
    response.status(status[answer]).json({ answer });
  });
  router.post(`${path}/uninstalled`, async (request, response) => {
    const found = await findLane(deps, request.params);
    if (found !== undefined) await hearUninstalled(deps, found.lane);
    response.status(200).json({});
  });
  return router;
}

async function findLane(
  deps: HookDeps,
  named: Readonly<Record<string, string>>,
): Promise<{ readonly lane: Lane; readonly app: VendorApp } | undefined> {
  const { vendor = "", tenant = "", connection = "" } = named;
  const app = deps.appOf(vendor);
  if (app === undefined || !isName(tenant) || !isName(connection)) return undefined;
  const lane = await deps.store.getLane(asId<TenantId>(tenant), asId<ConnectionId>(connection));
  return lane?.vendor === vendor ? { lane, app } : undefined;
}

async function told(deps: HookDeps, response: Response, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof InstallationRefusal) {
      say(response, 400, error.message);
      return;
    }
    if (!(error instanceof SyncError)) throw error;
    deps.logger.warn({ code: error.code }, "an installation did not end well");
    say(
      response,
      502,
      `The vendor did not let us finish (${error.code}): begin again with the link.`,
    );
  }
}

function say(response: Response, status: number, line: string): void {
  response.status(status).type("text/plain").send(`${line}\n`);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function cookieOf(request: Request): string | undefined {
  const parts = (request.headers.cookie ?? "").split(";").map((part) => part.trim());
  return parts.find((part) => part.startsWith(`${cookie}=`))?.slice(cookie.length + 1);
}
