import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { IncomingMessage } from "node:http";
import type { Json } from "../../model/json.ts";
import { unreadable } from "./scim-message.ts";

export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: Json | undefined;
}

export interface Outgoing {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: Buffer | undefined;
  /** Wall time without a byte after which the answer counts as lost. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** One request and its whole answer. Rejects with the socket's error when no whole answer arrives. */
export function roundTrip(outgoing: Outgoing): Promise<Answer> {
  const { method, url, headers, body, timeoutMs, signal } = outgoing;
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise<Answer>((resolve, reject) => {
    const request = send(
      url,
      {
        method,
        // A socket per request: a kept one that the service closed meanwhile would look like a lost answer.
        agent: false,
        timeout: timeoutMs,
        ...(signal === undefined ? {} : { signal }),
        headers,
      },
      (incoming) => {
        readAnswer(incoming, `${method} ${url.pathname}`).then(resolve, reject);
      },
    );
    request.on("timeout", () => {
      request.destroy(new Error(`nothing received for ${String(timeoutMs)} ms`));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function readAnswer(incoming: IncomingMessage, what: string): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  const status = incoming.statusCode ?? 0;
  const retryAfter = incoming.headers["retry-after"];
  if (text === "") return { status, retryAfter, body: undefined };
  try {
    return { status, retryAfter, body: JSON.parse(text) as Json };
  } catch (error) {
    // A proxy's HTML page is no reason to forget the status that it came with.
    if (status >= 300) return { status, retryAfter, body: text };
    throw unreadable(status, what, error);
  }
}
