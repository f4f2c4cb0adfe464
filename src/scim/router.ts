import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Request, type Response, Router } from "express";
import { newId } from "../model/ids.ts";
import { isTraceParent, untraced, type Span, type TraceParent } from "../model/trace.ts";
import { presentedToken, unauthorized } from "./bearer.ts";
import { createGroups } from "./groups.ts";
import { maxBodyBytes, maxLargeBodies, Places } from "./limits.ts";
import { RequestRate } from "./rate.ts";
import { BodyLost, readBody } from "./read-body.ts";
import { logRequest } from "./request-log.ts";
import { createRoutes, type Method, type Route, type Routes } from "./routes.ts";
import type { Answer, Heard, ScimCaller, ScimDeps } from "./scim-call.ts";
import { ScimError } from "./scim-error.ts";
import { toScimError } from "./store-error.ts";
import { createUsers } from "./users.ts";

const mediaType = "application/scim+json; charset=utf-8";
/** What is left of a body that nobody reads: below this the connection is kept, above it is closed. */
const maxDiscardedBytes = 65_536;

/** SCIM 2.0 for identity providers, to be mounted at `/scim/v2`. Every answer is SCIM, errors too. */
export function createScimRouter(deps: ScimDeps): Router {
  const desk = new FrontDesk(deps);
  const router = Router();
  router.use((request, response) => desk.serve(request, response));
  return router;
}

/** What is known of a request so far; filled while it is worked on, told when it is over. */
interface Visit {
  readonly requestId: string;
  readonly heard: Heard;
  readonly releases: (() => void)[];
  caller: ScimCaller | undefined;
  route: string;
  scimType: string | undefined;
}

/** Authentication, routing, body, answer and log of one request, in this order. */
class FrontDesk {
  private readonly deps: ScimDeps;
  private readonly routes: Routes;
  private readonly places = new Places(maxLargeBodies);
  private readonly rate: RequestRate | undefined;

  constructor(deps: ScimDeps) {
    this.deps = deps;
    const { clock, requestsPerSecond } = deps;
    this.rate =
      requestsPerSecond === undefined ? undefined : new RequestRate(clock, requestsPerSecond);
    const baseUrl = `${deps.publicUrl.replace(/\/+$/, "")}/scim/v2`;
    this.routes = createRoutes(
      { users: createUsers(deps, baseUrl), groups: createGroups(deps, baseUrl) },
      baseUrl,
      deps.extensions,
    );
  }

  serve(request: Request, response: Response): Promise<void> {
    const { tracer = untraced } = this.deps;
    return tracer.span(
      {
        name: `${request.method} /scim/v2`,
        kind: "server",
        // Linked, not continued: whoever is outside chooses neither our trace ids nor what is recorded.
        links: callersTrace(request),
        facts: { "http.request.method": request.method },
      },
      (span) => this.attend(request, response, span),
    );
  }

  private async attend(request: Request, response: Response, span: Span): Promise<void> {
    const startedAt = this.deps.clock.monotonic();
    const visit: Visit = {
      requestId: requestIdOf(request) ?? newId(this.deps.clock),
      heard: { operations: [], dropped: [] },
      releases: [],
      caller: undefined,
      route: "none",
      scimType: undefined,
    };
    let status: number | undefined;
    try {
      const answer = await this.answer(request, visit, span.at);
      status = answer.status;
      await send(request, response, answer, visit.requestId);
    } catch (error) {
      status = await this.fail(request, response, visit, error);
    } finally {
      for (const release of visit.releases) release();
    }
    tell(span, request.method, status, visit);
    this.note(visit, request, status);
    logRequest(this.deps, {
      ...visit,
      method: request.method,
      status,
      userAgent: request.headers["user-agent"],
      startedAt,
    });
  }

  private async answer(
    request: Request,
    visit: Visit,
    trace: TraceParent | undefined,
  ): Promise<Answer> {
    const caller = await this.authenticate(request);
    visit.caller = caller;
    const { tenantId, idpId, actor } = caller;
    const pauseSeconds =
      this.deps.pauseWhen?.() ??
      this.rate?.take(`${tenantId}/${idpId}/${actor.credentialFingerprint ?? ""}`);
    if (pauseSeconds !== undefined) throw busy(pauseSeconds);
    const { segments, params } = readTarget(request.url);
    const found = this.routes.find(segments);
    visit.route = found.route.template;
    const handler =
      found.route.methods[request.method === "HEAD" ? "GET" : (request.method as Method)];
    if (handler === undefined) throw notAllowed(found.route);
    return handler(
      {
        caller,
        requestId: visit.requestId,
        params,
        body: await this.body(request, found.route, visit),
        ifMatch: request.headers["if-match"],
        ifNoneMatch: request.headers["if-none-match"],
        heard: visit.heard,
        trace,
      },
      found.id,
    );
  }

  private async body(request: Request, route: Route, visit: Visit): Promise<unknown> {
    const { method } = request;
    if (method !== "POST" && method !== "PUT" && method !== "PATCH") return undefined;
    const body = await readBody(request, route.maxBodyBytes ?? maxBodyBytes, this.places);
    visit.releases.push(body.release);
    return body.value;
  }

  private note(visit: Visit, request: Request, status: number): void {
    const { caller, heard, scimType, route } = visit;
    const { heardRequest, clock } = this.deps;
    if (caller === undefined || heardRequest === undefined) return;
    const userAgent = request.headers["user-agent"];
    heardRequest(caller, {
      at: clock.now(),
      method: request.method,
      route,
      status,
      ...(scimType !== undefined && { scimType }),
      ...(heard.operations.length > 0 && { operations: heard.operations }),
      ...(heard.dropped.length > 0 && { dropped: heard.dropped }),
      ...(userAgent !== undefined && { userAgent: userAgent.slice(0, 200) }),
    });
  }

  /** @throws ScimError 401 before a byte of the body is read */
  private async authenticate(request: Request): Promise<ScimCaller> {
    const token = presentedToken(request.headers.authorization);
    const caller =
      token === undefined ? undefined : await this.deps.authenticate(token, request.ip ?? "");
    if (caller === undefined) throw unauthorized();
    return caller;
  }

  /** Answers the status that was sent; 499 where nobody was left to hear it. */
  private async fail(
    request: Request,
    response: Response,
    visit: Visit,
    error: unknown,
  ): Promise<number> {
    if (error instanceof BodyLost) return 499;
    const problem = toScimError(error, visit.requestId);
    visit.scimType = problem.scimType;
    if (problem.status >= 500 && !(error instanceof ScimError)) {
      const { caller, requestId, route } = visit;
      const place = { tenantId: caller?.tenantId, idpId: caller?.idpId, requestId, route };
      this.deps.logger.error({ err: error, ...place }, "scim request failed");
    }
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return 500;
    }
    const body = JSON.stringify(problem.toBody());
    await send(
      request,
      response,
      { status: problem.status, headers: problem.headers, body },
      visit.requestId,
    );
    return problem.status;
  }
}

/** What a trace may know of a request: its route, never its target. */
function tell(span: Span, method: string, status: number, visit: Visit): void {
  const { caller, requestId, route } = visit;
  const known = route !== "none";
  if (known) span.rename(`${method} /scim/v2${route}`);
  span.set({
    ...(known && { "http.route": `/scim/v2${route}` }),
    "http.response.status_code": status,
    ...(caller !== undefined && {
      "rolecall.tenant": caller.tenantId,
      "rolecall.idp": caller.idpId,
    }),
    "rolecall.request_id": requestId,
  });
  if (status >= 500) span.fail(String(status));
}

function callersTrace({ headers }: IncomingMessage): readonly TraceParent[] {
  const text = headers["traceparent"];
  return typeof text === "string" && isTraceParent(text) ? [text] : [];
}

/** Double and trailing slashes, a lone `?` and a trailing `&` mean nothing: clients put base URLs together in every way. */
function readTarget(url: string): {
  readonly segments: readonly string[];
  readonly params: URLSearchParams;
} {
  const query = url.indexOf("?");
  const path = query < 0 ? url : url.slice(0, query);
  return {
    segments: path
      .split("/")
      .filter((segment) => segment !== "")
      .map(decode),
    params: new URLSearchParams(query < 0 ? "" : url.slice(query + 1)),
  };
}

function decode(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not an encoding of anything, so not the name of anything either.
    return segment;
  }
}

/** The caller's own id of the request, where it has one that can be put into a log as it is. */
function requestIdOf(request: IncomingMessage): string | undefined {
  const id = request.headers["x-request-id"] ?? request.headers["client-request-id"];
  return typeof id === "string" && /^[\w.:-]{8,128}$/.test(id) ? id : undefined;
}

async function send(
  request: IncomingMessage,
  response: Response,
  answer: Answer,
  requestId: string,
): Promise<void> {
  const { status, body } = answer;
  if (response.destroyed) return;
  const headers: Record<string, string | number> = { ...answer.headers, "X-Request-Id": requestId };
  if (isBodyLeft(request)) headers["Connection"] = "close";
  if (body !== undefined) headers["Content-Type"] = mediaType;
  if (body === undefined || typeof body === "string") {
    if (body !== undefined) headers["Content-Length"] = Buffer.byteLength(body);
    response.writeHead(status, headers);
    response.end(body);
    return;
  }
  response.writeHead(status, headers);
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  try {
    await pipeline(Readable.from(body), response);
  } catch (error) {
    // The client went away in the middle: nothing of ours failed.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

/** Refused before its body was read, and the rest is not worth receiving. */
function isBodyLeft(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const announced = request.headers["content-length"];
  return announced === undefined
    ? request.headers["transfer-encoding"] !== undefined
    : Number(announced) > maxDiscardedBytes;
}

function notAllowed(route: Route): ScimError {
  const allowed = Object.keys(route.methods);
  return new ScimError(405, undefined, `${route.template} answers ${allowed.join(", ")} only`, {
    Allow: [...allowed, ...(allowed.includes("GET") ? ["HEAD"] : [])].join(", "),
  });
}

function busy(seconds: number): ScimError {
  return new ScimError(
    429,
    undefined,
    "The service is busy: send the request again after the time in Retry-After.",
    { "Retry-After": String(Math.max(1, Math.ceil(seconds))) },
  );
}
