import { systemClock, type Clock } from "../model/clock.ts";
import {
  AccessUnavailableError,
  type AccessAnswer,
  type AccessClient,
  type Ask,
} from "./access-client.ts";
import { MinuteRate } from "./minute-rate.ts";

/** What the middleware needs of a response: express has it, and so have its like. */
export interface AnswerTo {
  status(code: number): this;
  json(body: object): unknown;
  setHeader(name: string, value: string): unknown;
  readonly locals: Record<string, unknown>;
}

export interface PermissionOptions<Request> {
  readonly client: AccessClient;
  readonly permission: string;
  readonly connection: string;
  /** Who asks, as the application has authenticated them; undefined: nobody, 401. */
  readonly subject: (request: Request) => Ask["subject"] | undefined;
  readonly object?: (request: Request) => Ask["object"];
  readonly model?: (request: Request) => string | undefined;
  readonly maxTokens?: (request: Request) => number | undefined;
  /** Absent: the time of the machine. */
  readonly clock?: Clock;
}

type Middleware<Request> = (
  request: Request,
  response: AnswerTo,
  next: (error?: unknown) => void,
) => void;

/**
 * Lets a request pass where its person may, with the answer in `response.locals.access`: the limits, and `max_tokens` cut to them.
 * Refuses with 403 (`required_permission`, `current_role`), 401 without a person, 429 above the role's requests a minute (counted in
 * this process), and 503 where nothing could be decided.
 */
export function requirePermission<Request>(
  options: PermissionOptions<Request>,
): Middleware<Request> {
  const rate = new MinuteRate(options.clock ?? systemClock());
  return (request, response, next) => {
    const subject = options.subject(request);
    if (subject === undefined) {
      response.status(401).json({ error: "unauthenticated", message: "nobody is signed in" });
      return;
    }
    options.client.evaluate(askOf(options, request, subject)).then(
      (answer) => {
        if (!passes(answer, rate, JSON.stringify(subject), response, options.permission)) return;
        response.locals["access"] = answer;
        next();
      },
      (error: unknown) => {
        if (!(error instanceof AccessUnavailableError)) {
          next(error);
          return;
        }
        response.setHeader("Retry-After", "5");
        response.status(503).json({
          error: "access_unavailable",
          message: "it cannot be decided now who may do this",
        });
      },
    );
  };
}

function askOf<Request>(
  options: PermissionOptions<Request>,
  request: Request,
  subject: Ask["subject"],
): Ask {
  const object = options.object?.(request);
  const model = options.model?.(request);
  const maxTokens = options.maxTokens?.(request);
  return {
    subject,
    permission: options.permission,
    connection: options.connection,
    ...(object === undefined ? {} : { object }),
    ...(model === undefined ? {} : { model }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
  };
}

/** Whether the request goes on; where not, it is answered. */
function passes(
  answer: AccessAnswer,
  rate: MinuteRate,
  who: string,
  response: AnswerTo,
  permission: string,
): boolean {
  const { context } = answer;
  if (!answer.decision) {
    response.status(403).json({
      error: "forbidden",
      message: context?.message ?? "this is not allowed",
      reason: context?.reason ?? null,
      required_permission: permission,
      current_role: context?.role ?? null,
    });
    return false;
  }
  const limit = context?.limits?.requests_per_minute;
  const waitMs = limit === undefined ? 0 : rate.take(who, limit);
  if (waitMs === 0) return true;
  response.setHeader("Retry-After", String(Math.ceil(waitMs / 1_000)));
  response.status(429).json({
    error: "too_many_requests",
    message: `the role ${context?.role ?? ""} may ask ${String(limit)} times a minute`,
  });
  return false;
}
