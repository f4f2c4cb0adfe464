import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import type { z } from "zod";
import type { Clock } from "../model/clock.ts";
import { StoreError } from "../model/errors.ts";
import type { TenantId } from "../model/ids.ts";
import type { Logger, Metrics } from "../model/log.ts";
import { evaluationRequest, evaluationsRequest, metadataPath, pdpMetadata } from "./authzen.ts";
import type { DecisionPoint } from "./decision-point.ts";

export interface AccessDeps {
  readonly point: DecisionPoint;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly publicUrl: string;
  /** Which tenant an application's token speaks for; undefined: none. */
  readonly authenticate: (token: string) => Promise<TenantId | undefined>;
}

export const bodyMax = "512kb";
const tokenMax = 4_096;
const requestIdMax = 512;

/** AuthZEN's two evaluation endpoints, to be mounted at `/access/v1`. Errors are sentences, as its § "Error Responses" says. */
export function createAccessRouter(deps: AccessDeps): Router {
  const router = express.Router({ caseSensitive: true });
  const tenants = new WeakMap<Request, TenantId>();
  router.use(echoRequestId);
  // Before a byte of the body is read.
  router.use(async (request, response, next) => {
    const token = tokenOf(request.headers.authorization);
    const tenantId = token === undefined ? undefined : await deps.authenticate(token);
    if (tenantId === undefined) {
      response.setHeader("WWW-Authenticate", 'Bearer realm="access"');
      refuse(response, 401, "send the token of an application as `Authorization: Bearer …`");
      return;
    }
    tenants.set(request, tenantId);
    next();
  });
  router.use(onlyJson, express.json({ limit: bodyMax, strict: true }));
  const serve = (answer: (tenantId: TenantId, body: unknown) => Promise<object>): RequestHandler =>
    async function serveQuestion(request, response) {
      const startedAt = deps.clock.monotonic();
      const tenantId = tenants.get(request);
      if (tenantId === undefined) throw new Error("a question without a caller");
      response.json(await answer(tenantId, request.body));
      deps.metrics.observe(
        "rolecall_access_request_seconds",
        (deps.clock.monotonic() - startedAt) / 1_000,
      );
    };
  router.post(
    "/evaluation",
    serve((tenantId, body) => deps.point.evaluate(tenantId, read(evaluationRequest, body))),
  );
  router.post(
    "/evaluations",
    serve(async (tenantId, body) => {
      const request = read(evaluationsRequest, body);
      // Without evaluations it is the single question, and its answer too (§ "Access Evaluations API Request").
      return request.evaluations === undefined || request.evaluations.length === 0
        ? deps.point.evaluate(tenantId, read(evaluationRequest, body))
        : { evaluations: await deps.point.evaluateAll(tenantId, request) };
    }),
  );
  router.use((request, response) => {
    const known = request.path === "/evaluation" || request.path === "/evaluations";
    if (known) response.setHeader("Allow", "POST");
    refuse(
      response,
      known ? 405 : 404,
      "Rolecall answers POST /access/v1/evaluation and POST /access/v1/evaluations",
    );
  });
  router.use(errors(deps.logger));
  return router;
}

/** Where applications look up the endpoints; open to everybody. */
export function createMetadataRouter(publicUrl: string): Router {
  const router = express.Router({ caseSensitive: true });
  const metadata = pdpMetadata(publicUrl);
  router.get(metadataPath, (_request, response) => {
    response.json(metadata);
  });
  return router;
}

class BadRequest extends Error {}

function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).map(String).join(".");
  throw new BadRequest(`${path === "" ? "body" : path}: ${issue?.message ?? "is not valid"}`);
}

/** Whatever the caller calls the request, as long as it fits a header: what came in one does. */
const echoRequestId: RequestHandler = (request, response, next) => {
  const id = request.headers["x-request-id"];
  if (typeof id === "string" && id.length <= requestIdMax) response.setHeader("X-Request-ID", id);
  next();
};

const onlyJson: RequestHandler = (request, response, next) => {
  if (request.method !== "POST" || request.is("application/json") !== false) {
    next();
    return;
  }
  refuse(response, 400, "send a JSON object with Content-Type: application/json");
};

function tokenOf(header: string | undefined): string | undefined {
  if (header === undefined || header.length > tokenMax) return undefined;
  return /^bearer +(\S+)$/i.exec(header.trim())?.[1];
}

function errors(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
    } else if (error instanceof BadRequest) {
      refuse(response, 400, error.message);
    } else if (error instanceof StoreError && error.code === "UNAVAILABLE") {
      response.setHeader("Retry-After", "5");
      refuse(response, 503, "nothing can be decided now: deny, and ask again");
    } else if (isHttpError(error)) {
      // The parser's own words may quote the body.
      refuse(response, error.status === 413 ? 413 : 400, `the body cannot be read (${error.type})`);
    } else {
      logger.error({ err: error }, "access question failed");
      refuse(response, 500, "a fault of ours; the log of the service has it");
    }
  };
}

function isHttpError(error: unknown): error is { status: number; type: string } {
  return (
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status < 500 &&
    "type" in error &&
    typeof error.type === "string"
  );
}

function refuse(response: Response, status: number, message: string): void {
  response.status(status).type("text/plain").send(message);
}
