import { createHmac, timingSafeEqual } from "node:crypto";
import type { Instant } from "../model/clock.ts";

/** How far a sender's clock may be from ours, and how long a caught request could be sent again. */
export const signatureWindowMs = 300_000;

/** A signed request's parts; names of headers in lower case. */
export interface SignedRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

export type SignatureVerdict = "good" | "missing" | "malformed" | "outside-window" | "wrong";

/**
 * The value of `Rolecall-Signature` (without its `v1=`): HMAC-SHA256 in hex over the timestamp, the `ce-` headers of a CloudEvent in binary
 * mode, and the body as it was sent. Headers that say what the body means are signed with it.
 */
export function signatureOf(secret: string, timestamp: string, request: SignedRequest): string {
  return createHmac("sha256", secret)
    .update(`${timestamp}.${signedHeaders(request.headers)}`, "utf8")
    .update(request.body)
    .digest("hex");
}

/** `ce-id:7\nce-type:leave.now\n.`, in the order of their names; nothing where there are none. */
function signedHeaders(headers: SignedRequest["headers"]): string {
  const names = Object.keys(headers)
    .filter((name) => name.startsWith("ce-"))
    .sort();
  if (names.length === 0) return "";
  return `${names.map((name) => `${name}:${headers[name] ?? ""}\n`).join("")}.`;
}

/** What is wrong with the headers, before a byte of the body is read; undefined: the signature may be good. */
export function checkHeaders(
  headers: SignedRequest["headers"],
  now: Instant,
): "missing" | "malformed" | "outside-window" | undefined {
  const timestamp = headers["rolecall-timestamp"];
  const given = headers["rolecall-signature"];
  if (timestamp === undefined || given === undefined) return "missing";
  if (!/^\d{1,12}$/.test(timestamp) || signaturesOf(given) === undefined) return "malformed";
  const distance = Math.abs(Number(timestamp) * 1_000 - now);
  return distance > signatureWindowMs ? "outside-window" : undefined;
}

/** Some send one signature per secret while they rotate. */
function signaturesOf(given: string): readonly string[] | undefined {
  const signatures = given
    .split(",")
    .map((part) => /^\s*v1=([0-9a-f]{64})\s*$/.exec(part)?.[1])
    .filter((signature) => signature !== undefined);
  const whole = signatures.length === given.split(",").length && signatures.length <= 5;
  return whole ? signatures : undefined;
}

/** Checks a request against every secret that is good now; the body is not looked into before it is. */
export function checkSignature(
  request: SignedRequest,
  secrets: readonly string[],
  now: Instant,
): SignatureVerdict {
  const wrong = checkHeaders(request.headers, now);
  if (wrong !== undefined) return wrong;
  const timestamp = request.headers["rolecall-timestamp"] ?? "";
  const signatures = signaturesOf(request.headers["rolecall-signature"] ?? "") ?? [];
  let good = false;
  for (const secret of secrets) {
    const expected = Buffer.from(signatureOf(secret, timestamp, request), "hex");
    for (const signature of signatures) {
      if (timingSafeEqual(expected, Buffer.from(signature, "hex"))) good = true;
    }
  }
  return good ? "good" : "wrong";
}
