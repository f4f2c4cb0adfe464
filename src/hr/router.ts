import { createHash } from "node:crypto";
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import { StoreError } from "../model/errors.ts";
import { asId, isName, type HrSourceId, type TenantId } from "../model/ids.ts";
import { acceptUpload, eventType, type Receipt, type UploadAnswer } from "./accept.ts";
import type { HrDeps, HrSender } from "./hr-deps.ts";
import { checkHeaders, checkSignature, signatureWindowMs } from "./signature.ts";
import { batchOf } from "./state-upload.ts";

/** Of one event. */
export const eventBytesMax = 262_144;
/** Of one state upload. */
export const bulkBytesMax = 16_777_216;

/** State uploads that are read or worked through at one time. */
const bulkAtOnce = 4;

export interface HrRouterDeps extends HrDeps {
  /** For a source that names no tenant. */
  readonly defaultTenant: TenantId;
  /** The secrets that are good now, in the clear; empty: no such source, or one that was removed. */
  readonly openSecrets: (
    tenantId: TenantId,
    sourceId: HrSourceId,
  ) => Promise<readonly OpenedHrSecret[]>;
}

export interface OpenedHrSecret {
  readonly secret: string;
  readonly fingerprint: string;
}

/** `/hr/v1`: signed events and state uploads. A 2xx means that it is on disk; nothing of a body is read before its signature is good. */
export function createHrRouter(deps: HrRouterDeps): Router {
  const router = express.Router();
  const claims = new WeakMap<Request, Claimed>();
  const admitted = admit(deps, claims);
  router.post("/events", admitted, raw(eventBytesMax), async (request, response) => {
    const sender = senderOf(deps, claims, request, response);
    if (sender === undefined) return;
    const body = request.body as Buffer;
    const headers = headersOf(request);
    const key = eventId(body, headers);
    const answer = await acceptUpload(deps, sender, {
      kind: "event",
      // Of a body without an id the bytes are the key: sent again, it is the same.
      key: key ?? `sha256:${createHash("sha256").update(body).digest("hex")}`,
      contentType: eventType(typeOf(request), headers),
      body,
    });
    if (answer === "conflict") conflict(response, "event", key ?? "");
    else answerEvent(response, answer);
  });
  router.post(
    "/bulk",
    admitted,
    seats(bulkAtOnce),
    raw(bulkBytesMax),
    async (request, response) => {
      const sender = senderOf(deps, claims, request, response);
      if (sender === undefined) return;
      const body = request.body as Buffer;
      const batch = batchOf(body);
      if ("problem" in batch) {
        problem(response, 400, "the upload cannot be told from others: send a batch id", [
          batch.problem,
        ]);
        return;
      }
      const answer = await acceptUpload(deps, sender, {
        kind: "bulk",
        key: batch.batch,
        contentType: typeOf(request),
        body,
      });
      if (answer === "conflict") conflict(response, "batch", batch.batch);
      else response.status(202).json({ batch: batch.batch, ...answer });
    },
  );
  router.use((_request, response) => {
    problem(response, 404, "HR speaks to POST /hr/v1/events and POST /hr/v1/bulk");
  });
  router.use(errors(deps));
  return router;
}

/** A fixed number of places; who finds none comes again. */
function seats(count: number): RequestHandler {
  let free = count;
  return (_request, response, next) => {
    if (free === 0) {
      response.setHeader("Retry-After", "5");
      problem(response, 429, "other uploads are being worked on: send this one again");
      return;
    }
    free -= 1;
    response.once("close", () => {
      free += 1;
    });
    next();
  };
}

function raw(limit: number) {
  return express.raw({ type: () => true, limit, inflate: false });
}

/** Who may be sending, by the headers alone. */
interface Claimed {
  readonly tenantId: TenantId;
  readonly sourceId: HrSourceId;
  readonly secrets: readonly OpenedHrSecret[];
}

/** Before a byte of a body is read: headers that cannot be good, and sources that have no secret, are refused. */
function admit(deps: HrRouterDeps, claims: WeakMap<Request, Claimed>): RequestHandler {
  return async (request, response, next) => {
    const named = request.get("rolecall-source") ?? "";
    const [tenant, source] = named.includes("/")
      ? named.split("/", 2)
      : [deps.defaultTenant as string, named];
    if (tenant === undefined || source === undefined || !isName(tenant) || !isName(source)) {
      refuse(deps, response, "source");
      return;
    }
    const wrong = checkHeaders(headersOf(request), deps.clock.now());
    if (wrong !== undefined) {
      refuse(deps, response, wrong);
      return;
    }
    const tenantId = asId<TenantId>(tenant);
    const sourceId = asId<HrSourceId>(source);
    const secrets = await deps.openSecrets(tenantId, sourceId);
    if (secrets.length === 0) {
      // Told like a wrong signature: nobody learns which sources there are.
      refuse(deps, response, "wrong");
      return;
    }
    claims.set(request, { tenantId, sourceId, secrets });
    next();
  };
}

/** Who signed the request. Answers it and gives undefined where nobody did. */
function senderOf(
  deps: HrRouterDeps,
  claims: WeakMap<Request, Claimed>,
  request: Request,
  response: Response,
): HrSender | undefined {
  const claimed = claims.get(request);
  if (claimed === undefined) throw new Error("an HR request that was not admitted");
  if (!Buffer.isBuffer(request.body)) request.body = Buffer.alloc(0);
  const signed = { headers: headersOf(request), body: request.body as Buffer };
  const { tenantId, sourceId, secrets } = claimed;
  const good = secrets.find(
    ({ secret }) => checkSignature(signed, [secret], deps.clock.now()) === "good",
  );
  if (good === undefined) {
    refuse(deps, response, checkHeaders(signed.headers, deps.clock.now()) ?? "wrong");
    return undefined;
  }
  const { fingerprint } = good;
  return {
    tenantId,
    sourceId,
    actor: {
      kind: "hr",
      id: sourceId,
      address: request.ip ?? "",
      credentialFingerprint: fingerprint,
    },
  };
}

function refuse(deps: HrRouterDeps, response: Response, why: keyof typeof signatureAdvice): void {
  deps.metrics.count("rolecall_hr_refused_total", { why });
  problem(response, 401, signatureAdvice[why]);
}

const signatureAdvice = {
  source: "name the HR source in the header Rolecall-Source, as in workday or acme/workday",
  missing: "sign the request: headers Rolecall-Timestamp and Rolecall-Signature",
  malformed:
    "Rolecall-Timestamp takes seconds since 1970, Rolecall-Signature v1= and 64 hex digits",
  "outside-window": `Rolecall-Timestamp is more than ${String(signatureWindowMs / 60_000)} minutes from this service's clock: set the sender's clock, and sign each try anew`,
  wrong:
    "the signature fits no secret of this source: sign `timestamp.body` with HMAC-SHA256 and the secret of `rolecall hr source add`, over the bytes that are sent",
} as const;

function headersOf(request: Request): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : value,
    ]),
  );
}

function typeOf(request: Request): string {
  return request.get("content-type")?.toLowerCase() ?? "application/json";
}

function eventId(
  body: Buffer,
  headers: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const binary = headers["ce-id"];
  if (binary !== undefined && binary.length <= 200) return binary;
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value !== "object" || value === null || !("id" in value)) return undefined;
    const { id } = value;
    return typeof id === "string" && id !== "" && id.length <= 200 ? id : undefined;
  } catch (error) {
    // What is no JSON has no id: it is kept and parked by its bytes.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A body that nobody can read is kept and refused, so that its sender hears of it; one that lacks a fact of ours is accepted. */
function answerEvent(response: Response, answer: UploadAnswer): void {
  const receipt = answer.receipts[0];
  if (receipt?.code === "UNREADABLE") {
    problem(
      response,
      422,
      `the event was kept as ${answer.uploadId} and does nothing: correct it and send it with a new id`,
      (receipt.why ?? "").split("; "),
    );
    return;
  }
  response.status(202).json({ uploadId: answer.uploadId, ...withoutPlace(receipt) });
}

function withoutPlace(receipt: Receipt | undefined): object {
  if (receipt === undefined) return {};
  const { position: _position, ...rest } = receipt;
  return rest;
}

function conflict(response: Response, what: "event" | "batch", key: string): void {
  problem(
    response,
    409,
    `there is another ${what} with the id "${key}": an id names one content for ever`,
  );
}

function errors(deps: HrDeps): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) {
      next(error);
      return;
    }
    if (error instanceof StoreError && error.code === "UNAVAILABLE") {
      response.setHeader("Retry-After", "5");
      problem(response, 503, "the store cannot be written now: send it again");
    } else if (error instanceof StoreError && error.code === "INVALID") {
      problem(response, 422, error.message);
    } else if (isTooLarge(error)) {
      problem(
        response,
        413,
        `an event has at most ${String(eventBytesMax)} bytes, an upload ${String(bulkBytesMax)}: split it`,
      );
    } else if (isHttpError(error)) problem(response, error.status, "the request cannot be read");
    else {
      deps.logger.error({ err: error }, "HR request failed");
      problem(response, 500, "a fault of ours; send it again");
    }
  };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "status" in error && error.status === 413;
}

function isHttpError(error: unknown): error is { status: number } {
  return (
    error instanceof Error &&
    "status" in error &&
    typeof error.status === "number" &&
    error.status < 500
  );
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
