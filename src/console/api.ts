import express, {
  type ErrorRequestHandler,
  type Request,
  type Response,
  type Router,
} from "express";
import { z } from "zod";
import { InputError, StoreError, SyncError } from "../model/errors.ts";
import { asId, isName, type TenantId } from "../model/ids.ts";
import type { Logger } from "../model/log.ts";
import { openApi } from "./openapi.ts";
import { dutyFor, reaches, refusalText } from "./role.ts";
import {
  OperationError,
  type ConsoleDeps,
  type Operation,
  type OperatorCaller,
} from "./operation.ts";

export interface ApiOptions {
  /** The installation's own: its operators look after every tenant, those of another after theirs alone. */
  readonly defaultTenant: TenantId;
  /** Who the bearer token belongs to; undefined: nobody. */
  readonly authenticate: (
    token: string | undefined,
    address: string,
  ) => Promise<OperatorCaller | undefined>;
  readonly operations: readonly Operation[];
  readonly logger: Logger;
}

/** `/api/v1`: every operation behind the same door: token, tenant, validation, typed errors as problem details (RFC 9457). */
export function createApi(deps: ConsoleDeps, options: ApiOptions): Router {
  const router = express.Router();
  const callers = new WeakMap<Request, OperatorCaller>();
  // Who is nobody learns nothing and has nothing read.
  router.use(async (request, response, next) => {
    const caller = await options.authenticate(bearerOf(request), request.ip ?? "");
    if (caller === undefined) {
      response.setHeader("WWW-Authenticate", "Bearer");
      problem(response, 401, "send the operator token as `Authorization: Bearer …`");
      return;
    }
    callers.set(request, caller);
    next();
  });
  router.use(express.json({ limit: "1mb", strict: true }));
  const document = openApi(options.operations, deps.version);
  router.get("/openapi.json", (_request, response) => {
    response.json(document);
  });
  for (const row of options.operations) {
    const method = row.method.toLowerCase() as "get" | "post" | "put" | "delete";
    router[method](row.path, async (request, response) => {
      const caller = callers.get(request);
      if (caller === undefined) throw new Error("an operation without a caller");
      await serve({ deps, options, row, caller }, request, response);
    });
  }
  router.use((request, response) => {
    problem(response, 404, `no operation ${request.method} ${request.path}`);
  });
  router.use(errors(options.logger));
  return router;
}

async function serve(
  call: {
    readonly deps: ConsoleDeps;
    readonly options: ApiOptions;
    readonly row: Operation;
    readonly caller: OperatorCaller;
  },
  request: Request,
  response: Response,
): Promise<void> {
  const { deps, options, row, caller } = call;
  const { actor, purpose, expiresAt } = caller;
  const needed = dutyFor(row);
  if (!reaches(actor, needed)) {
    problem(response, 403, refusalText(actor, needed));
    return;
  }
  const body: unknown = request.body;
  const { tenant, ...given } = {
    ...request.query,
    ...(typeof body === "object" && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : {}),
  };
  const tenantId = typeof tenant === "string" ? tenant : caller.tenantId;
  if (!isName(tenantId)) {
    problem(response, 400, "tenant: lower-case letters, digits and dashes");
    return;
  }
  if (tenantId !== caller.tenantId && caller.tenantId !== options.defaultTenant) {
    problem(response, 403, `this token is of the tenant ${caller.tenantId}, and of no other`);
    return;
  }
  const input = row.input.parse({ ...given, ...request.params });
  const context = { tenantId: asId<TenantId>(tenantId), actor, via: { purpose, expiresAt } };
  const answer = await row.run(deps, context, input);
  response.json(answer ?? { ok: true });
}

function bearerOf(request: Request): string | undefined {
  const header = request.headers.authorization;
  return header?.toLowerCase().startsWith("bearer ") === true ? header.slice(7).trim() : undefined;
}

function errors(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    if (error instanceof z.ZodError) problem(response, 400, z.prettifyError(error));
    else if (error instanceof OperationError) problem(response, error.status, error.message);
    else if (error instanceof InputError) problem(response, 422, error.message, error.problems);
    else if (error instanceof SyncError) problem(response, 409, error.message);
    else if (error instanceof StoreError) storeProblem(response, error);
    else if (isUnreadable(error)) problem(response, 400, unreadable(error));
    else if (isHttpError(error)) problem(response, error.status, error.message);
    else {
      logger.error({ err: error }, "operator request failed");
      problem(response, 500, "a fault of ours; the log of the service has it");
    }
  };
}

function isUnreadable(error: unknown): error is SyntaxError {
  return error instanceof SyntaxError && "type" in error && error.type === "entity.parse.failed";
}

/** The parser's own text quotes the body, which may hold a secret; its position does not. */
function unreadable(error: SyntaxError): string {
  const position = /position \d+/.exec(error.message)?.[0];
  return `the body is no JSON${position === undefined ? "" : ` at ${position}`}`;
}

function isHttpError(error: unknown): error is { status: number; message: string } {
  return (
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status < 500
  );
}

function storeProblem(response: Response, error: StoreError): void {
  switch (error.code) {
    case "NOT_FOUND":
      problem(response, 404, error.message);
      return;
    case "VERSION_CONFLICT":
    case "ALREADY_EXISTS":
      problem(response, 409, error.message);
      return;
    case "INVALID":
      problem(response, 400, error.message);
      return;
    case "UNAVAILABLE":
      response.setHeader("Retry-After", "5");
      problem(response, 503, error.message);
  }
}

function problem(
  response: Response,
  status: number,
  detail: string,
  problems?: readonly string[],
): void {
  response
    .status(status)
    .type("application/problem+json")
    .send(JSON.stringify({ status, detail, ...(problems === undefined ? {} : { problems }) }));
}
