import { createHash, timingSafeEqual } from "node:crypto";
import type { Request, Response } from "express";
import type { Actor } from "../../model/records.ts";
import type { OperatorCaller } from "../operation.ts";

/** How browsers come in, stay and go; what a session is stays behind it. */
export interface SessionDoor {
  readonly who: (session: string, address: string) => Promise<OperatorCaller | undefined>;
  /** Changes the code of a link for a session; undefined: it is over, or was used. */
  readonly open: (
    code: string,
    address: string,
  ) => Promise<{ readonly session: string; readonly expiresAt: number } | undefined>;
  readonly end: (session: string, actor: Actor) => Promise<void>;
}

const cookieName = "rolecall-session";

export function sessionOf(request: Request): string | undefined {
  return cookieOf(request, cookieName);
}

export function cookieOf(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** No script reads it and no other site's form brings it along; encrypted where the console is. */
export function keepSession(
  response: Response,
  session: string,
  options: { readonly expiresAt: number; readonly secure: boolean },
): void {
  response.cookie(cookieName, session, {
    ...cookieRules(options.secure),
    expires: new Date(options.expiresAt),
  });
}

export function dropSession(response: Response, secure: boolean): void {
  response.clearCookie(cookieName, cookieRules(secure));
}

export function cookieRules(secure: boolean) {
  return { httpOnly: true, sameSite: "lax", secure, path: "/console" } as const;
}

/** Says that a form was made for this session: only who has the cookie can tell it, and it tells nothing about the cookie. */
export function formToken(session: string): string {
  return createHash("sha256").update("rolecall console form\n").update(session).digest("base64url");
}

export function isFormToken(session: string, presented: unknown): boolean {
  if (typeof presented !== "string") return false;
  const [own, given] = [Buffer.from(formToken(session)), Buffer.from(presented)];
  return own.length === given.length && timingSafeEqual(own, given);
}

/** Whether a browser says that a page of ours sent this; older ones say nothing, and the form's token decides. */
export function isOurOwn(request: Request): boolean {
  const site = request.headers["sec-fetch-site"];
  return site === undefined || site === "same-origin" || site === "none";
}
