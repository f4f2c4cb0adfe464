/** What came back, whole. */
export interface Exchanged {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The decoded body; undefined where it is no JSON. */
  readonly body: Record<string, unknown>;
}

/** One request with an optional JSON body. Rejects when the connection is cut or `signal` aborts. */
export async function exchange(
  url: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly json?: unknown;
    readonly text?: string;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Exchanged> {
  const body =
    options.text ?? (options.json === undefined ? undefined : JSON.stringify(options.json));
  const response = await fetch(url, {
    method: options.method ?? "GET",
    headers: {
      "user-agent": "rolecall-test/1",
      ...(options.json === undefined ? {} : { "content-type": "application/json" }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const text = await response.text();
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch {
    decoded = undefined;
  }
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: decoded as Record<string, unknown>,
  };
}
