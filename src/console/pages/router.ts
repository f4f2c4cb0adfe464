import express, {
  type ErrorRequestHandler,
  type Request,
  type Response,
  type Router,
} from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";
import { z } from "zod";
import type { Clock } from "../../model/clock.ts";
import type { Logger } from "../../model/log.ts";
import { openApi } from "../openapi.ts";
import type { ConsoleDeps, Operation, OperatorCaller } from "../operation.ts";
import { actions, downloads, pages } from "./all-pages.ts";
import { assetRouter } from "./assets.ts";
import { exportFile } from "./audit-file.ts";
import { faultOf } from "./fault.ts";
import { bare, framed } from "./layout.ts";
import { createLive, type Live } from "./live.ts";
import { html, type Markup, type Piece } from "./markup.ts";
import { call, to, type Action, type Form, type Visit } from "./page.ts";
import { formToken, isFormToken, isOurOwn, sessionOf, type SessionDoor } from "./session.ts";
import type { OidcOptions } from "./oidc.ts";
import { signInRouter } from "./sign-in.ts";

export interface ConsoleOptions {
  readonly operations: readonly Operation[];
  readonly sessions: SessionDoor;
  /** Whether browsers come over HTTPS: then the cookie travels encrypted alone. */
  readonly secure: boolean;
  /** Undefined: people sign in by links. */
  readonly oidc?: OidcOptions;
  /** Wall time, for what browsers wait for. */
  readonly wallClock: Clock;
  readonly logger: Logger;
}

interface Guest extends OperatorCaller {
  readonly session: string;
}

/** Actions of one session in a minute: more than hands can do. */
const actionsPerMinute = 120;

/** `/console`: the operator's pages. `close` ends the streams of open pages. */
export function createConsole(
  deps: ConsoleDeps,
  options: ConsoleOptions,
): { readonly router: Router; readonly close: () => void } {
  const router = express.Router();
  const operations = new Map(options.operations.map((row) => [row.name, row]));
  const live = createLive({
    store: deps.store,
    clock: options.wallClock,
    logger: options.logger,
  });
  const guests = new WeakMap<Request, Guest>();
  const guestOf = (request: Request): Guest => {
    const guest = guests.get(request);
    if (guest === undefined) throw new Error("a page without a session");
    return guest;
  };
  const visitOf = (request: Request): Visit => {
    const { session, tenantId, actor, purpose, expiresAt } = guestOf(request);
    const query = queryOf(request);
    return {
      deps,
      operations,
      context: { tenantId, actor, via: { purpose, expiresAt } },
      params: request.params as Readonly<Record<string, string>>,
      query,
      here: hereOf(request.path, query),
      now: deps.clock.now(),
      formToken: formToken(session),
    };
  };

  router.use(pageHeaders());
  router.use("/assets", assetRouter());
  router.use(signInRouter(options));
  router.use(async (request, response, next) => {
    const session = sessionOf(request);
    const known =
      session === undefined ? undefined : await options.sessions.who(session, request.ip ?? "");
    if (session === undefined || known === undefined) {
      response.redirect(303, to("/sign-in"));
      return;
    }
    guests.set(request, { session, ...known });
    next();
  });
  router.get("/live", (request, response) => {
    live.stream(request, response, guestOf(request).tenantId);
  });
  router.get("/audit/export.ndjson", (request, response) => exportFile(visitOf(request), response));
  addPages(router, visitOf, live);
  addFormGuard(router, guestOf, visitOf);
  addActions(router, visitOf);
  router.use((request, response) => {
    sendFault(visitOf(request), response, { status: 404, text: "there is no such page" });
  });
  router.use(
    errors(options.logger, (request) => (guests.has(request) ? visitOf(request) : undefined)),
  );
  return { router, close: live.close };
}

/** Everything that is only looked at. */
function addPages(router: Router, visitOf: (request: Request) => Visit, live: Live): void {
  router.get("/api/openapi.json", (request, response) => {
    const { operations, deps } = visitOf(request);
    response.json(openApi([...operations.values()], deps.version));
  });
  for (const { path, operation, input, fileName } of downloads) {
    router.get(path, async (request, response) => {
      const visit = visitOf(request);
      const answer = await call(visit, operation, input(visit.params));
      const { text } = z.object({ text: z.string().optional() }).parse(answer);
      response.attachment(fileName(visit.params));
      if (text === undefined) response.json(answer);
      else response.send(text);
    });
  }
  for (const page of pages) {
    router.get(page.path, async (request, response) => {
      const visit = visitOf(request);
      // Before the page is made: what changes meanwhile is told to it.
      const mark = await live.mark(visit.context.tenantId);
      const content = await page.render(visit);
      const view = { title: page.title(visit), nav: page.nav, told: toldBy(request), mark };
      send(response, 200, framed(visit, view, content));
    });
  }
}

/** Forms come from our own pages, from this session, and no faster than hands. */
function addFormGuard(
  router: Router,
  guestOf: (request: Request) => Guest,
  visitOf: (request: Request) => Visit,
): void {
  router.use(
    rateLimit({
      windowMs: 60_000,
      limit: actionsPerMinute,
      standardHeaders: "draft-8",
      legacyHeaders: false,
      validate: false,
      keyGenerator: (request) => formToken(guestOf(request).session),
      skip: (request) => request.method !== "POST",
    }),
  );
  router.use(express.urlencoded({ extended: false, limit: "1mb", parameterLimit: 6_000 }));
  router.use((request, response, next) => {
    const { form } = fieldsOf(request);
    if (
      request.method !== "POST" ||
      (isOurOwn(request) && isFormToken(guestOf(request).session, form))
    )
      next();
    else
      sendFault(visitOf(request), response, {
        status: 403,
        text: "this form was not made for your session: open the page again and send it from there",
      });
  });
}

function addActions(router: Router, visitOf: (request: Request) => Visit): void {
  actions.forEach((action, at) => {
    router.post(action.path, async (request, response) => {
      const visit = visitOf(request);
      const form = formOf(request);
      const answer = await call(visit, action.operation, action.input(form, visit.params));
      if (action.shows !== undefined) {
        const view = { title: action.told, nav: "" };
        send(response, 200, framed(visit, view, action.shows(visit, answer)));
        return;
      }
      response.redirect(303, backTo(action, visit, form, answer, at));
    });
  });
}

/** What a browser may do with our pages: show them, with our files, to nobody's frame, sending forms to us alone. */
function pageHeaders() {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        scriptSrc: ["'self'"],
        // Marks of the style sheet are pictures inside it.
        imgSrc: ["'self'", "data:"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // Said by the proxy that has the certificate.
    strictTransportSecurity: false,
    xFrameOptions: { action: "deny" },
    referrerPolicy: { policy: "no-referrer" },
  });
}

function backTo(action: Action, visit: Visit, form: Form, answer: unknown, at: number): string {
  const back = form.one("back");
  const path =
    action.then?.(visit.params, answer) ??
    (back !== undefined && /^\/(?!\/)/.test(back) ? back : "/");
  const url = new URL(path, "http://console");
  url.searchParams.set("told", String(at));
  return `/console${url.pathname === "/" ? "" : url.pathname}${url.search}`;
}

/** What was done just before, in the words of the action: the address names it, and cannot say anything else. */
function toldBy(request: Request): string | undefined {
  return actions[Number(request.query["told"] ?? "-1")]?.told;
}

function queryOf(request: Request): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(request.query).flatMap(([name, value]) =>
      typeof value === "string" && value.trim() !== "" && name !== "told"
        ? [[name, value.trim()]]
        : [],
    ),
  );
}

function hereOf(path: string, query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return `${path}${text === "" ? "" : `?${text}`}`;
}

function fieldsOf(request: Request): Readonly<Record<string, unknown>> {
  const body: unknown = request.body;
  return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
}

function formOf(request: Request): Form {
  const fields = fieldsOf(request);
  const all = (name: string): readonly string[] => {
    const value = fields[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.flatMap((item) => {
      const text = typeof item === "string" ? item.trim() : "";
      return text === "" ? [] : [text];
    });
  };
  return { all, one: (name) => all(name)[0] };
}

function send(response: Response, status: number, page: Markup): void {
  response.status(status).type("html").send(page.toString());
}

function sendFault(
  visit: Visit,
  response: Response,
  fault: { readonly status: number; readonly text: string; readonly list?: readonly string[] },
): void {
  const list: Piece =
    fault.list === undefined
      ? ""
      : html`<ul>
          ${fault.list.map((line) => html`<li>${line}</li>`)}
        </ul>`;
  const content = html`<header class="page-head">
      <h1>${fault.status === 404 ? "Not found" : "That was not done"}</h1>
    </header>
    <section class="card">
      <p>${fault.text}</p>
      ${list}
      <p><a href="${to("")}">To today</a></p>
    </section>`;
  send(response, fault.status, framed(visit, { title: "Not done", nav: "" }, content));
}

function errors(
  logger: Logger,
  visitOf: (request: Request) => Visit | undefined,
): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const visit = visitOf(request as Request);
    if (response.headersSent) {
      next(error);
      return;
    }
    if (visit === undefined) {
      logger.error({ err: error }, "a sign-in to the console failed");
      const content = html`<h1>Not signed in</h1>
        <p class="told bad" role="alert">Something went wrong; the log of the service has it.</p>
        <p><a href="${to("/sign-in")}">Sign in again</a></p>`;
      send(response as Response, 500, bare("Not signed in", content));
      return;
    }
    const fault = faultOf(error);
    if (fault.status >= 500) logger.error({ err: error }, "a page of the console failed");
    sendFault(visit, response as Response, fault);
  };
}
