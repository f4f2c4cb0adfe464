/** A client that asks one thing at a time and tells how long each answer took. */
import { Agent, request } from "node:http";
import { serveParent } from "./serve-parent.ts";
import type { Target } from "./load.ts";

export interface Ask {
  readonly method: "GET" | "POST" | "PUT" | "PATCH";
  /** Behind the base URL. */
  readonly path: string;
  readonly body?: unknown;
  /** The right one, or those that are. */
  readonly status: number | readonly number[];
  /** What the answer must hold: an answer that is fast and empty is no answer. */
  readonly holds?: string;
}

export interface ProbeRound {
  readonly target: Target;
  readonly asks: readonly Ask[];
  /** Asks no more once that many milliseconds are spent; never fewer than one. */
  readonly enoughMs?: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

serveParent({ probe }, () => {
  agent.destroy();
});

/** Milliseconds for each. @throws Error for an answer that is not the right one */
async function probe({
  target,
  asks,
  enoughMs = Infinity,
}: ProbeRound): Promise<readonly number[]> {
  const times: number[] = [];
  let spentMs = 0;
  for (const ask of asks) {
    if (spentMs >= enoughMs) break;
    const startedAt = performance.now();
    const { status, text } = await send(target, ask);
    const tookMs = performance.now() - startedAt;
    spentMs += tookMs;
    times.push(tookMs);
    if (
      ![ask.status].flat().includes(status) ||
      (ask.holds !== undefined && !text.includes(ask.holds))
    ) {
      throw new Error(`${ask.method} ${ask.path}: ${String(status)} ${text.slice(0, 300)}`);
    }
  }
  return times;
}

function send(
  target: Target,
  ask: Ask,
): Promise<{ readonly status: number; readonly text: string }> {
  const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
  return new Promise((resolve, reject) => {
    const sent = request(
      `${target.url}${ask.path}`,
      {
        agent,
        method: ask.method,
        headers: {
          authorization: `Bearer ${target.token}`,
          ...(body === undefined
            ? {}
            : {
                "content-type": "application/scim+json",
                "content-length": Buffer.byteLength(body),
              }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () => {
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString("utf8"),
          });
        });
        response.once("error", reject);
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}
