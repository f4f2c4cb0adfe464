import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { largeBodyRetrySeconds, maxBodyBytes, type Places } from "./limits.ts";
import { ScimError } from "./scim-error.ts";

export interface ReadBody {
  readonly value: unknown;
  /** Gives back the place that a large body took; called when the request is done. */
  readonly release: () => void;
}

const nothingToRelease = () => undefined;

/**
 * Reads and parses a JSON body of at most `maxBytes`. More than the ordinary limit needs one of `places`.
 * @throws ScimError 413, 415, 429, or 400 invalidSyntax; {@link BodyLost} when the client went away
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  places: Places,
): Promise<ReadBody> {
  requireJson(request);
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) throw tooLarge(maxBytes);
  const seat = new Seat(places);
  try {
    if (announced > maxBodyBytes) seat.take();
    const bytes = await collect(request, maxBytes, seat);
    return {
      value: parse(bytes),
      release: () => {
        seat.leave();
      },
    };
  } catch (error) {
    seat.leave();
    throw error;
  }
}

/** The connection ended before the body did: there is nobody to answer. */
export class BodyLost extends Error {
  override readonly name = "BodyLost";
}

class Seat {
  private readonly places: Places;
  private leaving: (() => void) | undefined;

  constructor(places: Places) {
    this.places = places;
  }

  /** @throws ScimError 429 */
  take(): void {
    if (this.leaving !== undefined) return;
    this.leaving = this.places.enter();
    if (this.leaving !== undefined) return;
    throw new ScimError(
      429,
      undefined,
      "Other large group writes are being worked on: send this one again after the time in Retry-After.",
      { "Retry-After": String(largeBodyRetrySeconds) },
    );
  }

  leave(): void {
    (this.leaving ?? nothingToRelease)();
  }
}

/** Identity providers leave the type out at times; what is there has to be JSON, with whatever parameters. */
function requireJson(request: IncomingMessage): void {
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "" && type !== "application/scim+json" && type !== "application/json") {
    throw new ScimError(
      415,
      undefined,
      "Content-Type: expected application/scim+json or application/json",
    );
  }
  const encoding = request.headers["content-encoding"]?.trim().toLowerCase() ?? "identity";
  if (encoding !== "identity") {
    throw new ScimError(415, undefined, "Content-Encoding: expected a body that is not compressed");
  }
}

function collect(request: IncomingMessage, maxBytes: number, seat: Seat): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBodyBytes) return;
      try {
        if (size > maxBytes) throw tooLarge(maxBytes);
        seat.take();
      } catch (error) {
        request.off("data", onData);
        request.pause();
        reject(error as ScimError);
      }
    };
    request.on("data", onData);
    request.once("end", () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, size));
    });
    request.once("error", () => {
      reject(new BodyLost("the connection broke inside the body"));
    });
    request.once("close", () => {
      if (!request.complete) reject(new BodyLost("the connection ended inside the body"));
    });
  });
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw syntax("the body is not UTF-8");
  if (bytes.length === 0) throw syntax("the body is empty, but expected a JSON object");
  const text = bytes.toString("utf8");
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    // The parser's own text quotes the body, which may hold personal values; its position does not.
    const position = /position \d+(?: \(line \d+ column \d+\))?/.exec(String(error))?.[0];
    throw syntax(`the body is not JSON${position === undefined ? "" : ` at ${position}`}`);
  }
}

function syntax(detail: string): ScimError {
  return new ScimError(400, "invalidSyntax", detail);
}

function tooLarge(maxBytes: number): ScimError {
  return new ScimError(
    413,
    undefined,
    `the body is larger than the ${String(maxBytes / 1_048_576)} MiB that are read here: send fewer members per request`,
  );
}
