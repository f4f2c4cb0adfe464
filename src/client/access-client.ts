// For applications: asks a policy decision point that speaks the OpenID Authorization API 1.0.
import { z } from "zod";

export interface AccessClientOptions {
  /** Base of the decision point, as in https://rolecall.example.com */
  readonly url: string;
  /** Token of the application: `rolecall token create --kind access --label TEXT`. */
  readonly token: string;
  /** Wall time for one answer. Default: 2,000 ms. */
  readonly timeoutMs?: number;
}

export interface Subject {
  readonly type: "user" | "identity";
  /** An address or userName; of `identity` the person's id at Rolecall. */
  readonly id: string;
}

/** One question. */
export interface Ask {
  /** Who; a text is a user's address or userName. */
  readonly subject: Subject | string;
  /** `area:action`, as the mapping of the connection declares them. */
  readonly permission: string;
  /** The connection that declares it: the name of its mapping file. */
  readonly connection: string;
  /** An object of the vendor, where roles are given per object: `{ kind: "workspace", id: "wrkspc_1" }`. */
  readonly object?: { readonly kind: string; readonly id: string };
  /** The model that shall be called. */
  readonly model?: string;
  readonly maxTokens?: number;
}

const answerSchema = z.object({
  decision: z.boolean(),
  context: z
    .looseObject({
      reason: z.string().optional(),
      message: z.string().optional(),
      permission: z.string().optional(),
      role: z.string().optional(),
      limits: z
        .looseObject({
          models: z.array(z.string()).optional(),
          max_tokens: z.number().optional(),
          requests_per_minute: z.number().optional(),
        })
        .optional(),
      max_tokens: z.number().optional(),
    })
    .optional(),
});
const answersSchema = z.object({ evaluations: z.array(answerSchema) });

/** What the decision point said; `decision` false is a denial, whatever the context says. */
export type AccessAnswer = z.infer<typeof answerSchema>;

export type Semantic = "execute_all" | "deny_on_first_deny" | "permit_on_first_permit";

/** No decision could be had. Whoever gets it must not let anybody in. */
export class AccessUnavailableError extends Error {
  override readonly name = "AccessUnavailableError";
  /** HTTP status; undefined: there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status: number | undefined, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface AccessClient {
  /** @throws AccessUnavailableError */
  evaluate(ask: Ask): Promise<AccessAnswer>;
  /** Answers in the order of the questions, fewer where the semantic ends early. @throws AccessUnavailableError */
  evaluations(asks: readonly Ask[], semantic?: Semantic): Promise<readonly AccessAnswer[]>;
}

/** A client without state: nothing is kept, so that a person who left is denied by the next question. */
export function createAccessClient(options: AccessClientOptions): AccessClient {
  const base = options.url.replace(/\/+$/, "");
  const post = async <Schema extends z.ZodType>(
    path: string,
    body: object,
    schema: Schema,
  ): Promise<z.output<Schema>> => {
    const { status, text } = await exchange(`${base}/access/v1/${path}`, options, body);
    if (status !== 200)
      throw new AccessUnavailableError(`${String(status)}: ${text.slice(0, 500)}`, status);
    const parsed = schema.safeParse(jsonOf(text));
    if (parsed.success) return parsed.data;
    throw new AccessUnavailableError("the answer is no decision", status, { cause: parsed.error });
  };
  return {
    evaluate: (ask) => post("evaluation", wire(ask), answerSchema),
    evaluations: async (asks, semantic = "execute_all") => {
      if (asks.length === 0) return [];
      const body = {
        evaluations: asks.map(wire),
        options: { evaluations_semantic: semantic },
      };
      return (await post("evaluations", body, answersSchema)).evaluations;
    },
  };
}

async function exchange(
  url: string,
  { token, timeoutMs = 2_000 }: AccessClientOptions,
  body: object,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new AccessUnavailableError("the decision point did not answer", undefined, {
      cause: error,
    });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Not JSON is no decision: the schema says so.
    return undefined;
  }
}

function wire({ subject, permission, connection, object, model, maxTokens }: Ask): object {
  const properties = {
    ...(model === undefined ? {} : { model }),
    ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
  };
  return {
    subject: typeof subject === "string" ? { type: "user", id: subject } : subject,
    action: {
      name: permission,
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
    },
    resource:
      object === undefined
        ? { type: "connection", id: connection }
        : { type: object.kind, id: object.id, properties: { connection } },
  };
}
