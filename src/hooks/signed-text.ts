import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Instant } from "../model/clock.ts";

/** Small facts that travel through a browser and come back: signed, for one purpose, until an instant. */
export interface SignedTexts<T> {
  sign(value: T, until: Instant): string;
  /** Undefined: not ours, for another purpose, changed, or too old. */
  read(text: string, now: Instant): T | undefined;
}

const lengthMax = 4_096;

/** The key is made from the installation's seal key, for this purpose alone. */
export function signedTexts<T>(
  sealKey: Uint8Array,
  purpose: string,
  shape: z.ZodType<T>,
): SignedTexts<T> {
  const key = Buffer.from(hkdfSync("sha256", sealKey, "", `rolecall ${purpose}`, 32));
  const envelope = z.object({ until: z.number(), value: shape });
  const mac = (body: string) => createHmac("sha256", key).update(body).digest();
  return {
    sign(value, until) {
      const body = Buffer.from(JSON.stringify({ until, value })).toString("base64url");
      return `${body}.${mac(body).toString("base64url")}`;
    },
    read(text, now) {
      const [body = "", given = "", ...more] = text.length > lengthMax ? [] : text.split(".");
      const told = Buffer.from(given, "base64url");
      const own = mac(body);
      if (more.length > 0 || told.length !== own.length || !timingSafeEqual(told, own))
        return undefined;
      const { data } = envelope.safeParse(parsed(body));
      return data === undefined || data.until < now ? undefined : data.value;
    },
  };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
