import express, { type Router } from "express";
import { rateLimit } from "express-rate-limit";
import { bare } from "./layout.ts";
import { html, type Piece } from "./markup.ts";
import { oidcRouter, type OidcOptions } from "./oidc.ts";
import { to } from "./page.ts";
import {
  dropSession,
  isFormToken,
  isOurOwn,
  keepSession,
  sessionOf,
  type SessionDoor,
} from "./session.ts";

export interface SignInOptions {
  readonly sessions: SessionDoor;
  readonly secure: boolean;
  /** Undefined: people sign in by links. */
  readonly oidc?: OidcOptions;
}

/** Tries from one address in ten minutes; a code cannot be guessed, this keeps the noise down. */
const tries = 30;

/** In and out: a link's code is changed for a session by a press of a button, so that no preview of the link uses it up. */
export function signInRouter({ sessions, secure, oidc }: SignInOptions): Router {
  const router = express.Router();
  const read = express.urlencoded({ extended: false, limit: "10kb" });
  const limited = rateLimit({
    windowMs: 10 * 60_000,
    limit: tries,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    validate: false,
  });
  if (oidc !== undefined) router.use(oidcRouter(oidc, secure, limited));
  router.get("/sign-in", (request, response) => {
    const { code } = request.query;
    response
      .type("html")
      .send(signInPage(oidc, typeof code === "string" ? code : undefined).toString());
  });
  router.post("/sign-in", limited, read, async (request, response) => {
    const code = fieldOf(request.body, "code");
    const opened =
      oidc === undefined && isOurOwn(request) && code !== undefined
        ? await sessions.open(code, request.ip ?? "")
        : undefined;
    if (opened === undefined) {
      const why =
        "This link is over or was used before. Each works once, within ten minutes: make another.";
      response
        .status(403)
        .type("html")
        .send(signInPage(oidc, undefined, why).toString());
      return;
    }
    keepSession(response, opened.session, { expiresAt: opened.expiresAt, secure });
    response.redirect(303, to(""));
  });
  router.post("/sign-out", read, async (request, response) => {
    const session = sessionOf(request);
    const known = session === undefined ? undefined : await sessions.who(session, request.ip ?? "");
    if (
      session !== undefined &&
      known !== undefined &&
      isOurOwn(request) &&
      isFormToken(session, fieldOf(request.body, "form"))
    ) {
      await sessions.end(session, known.actor);
      dropSession(response, secure);
    }
    response.redirect(303, to("/sign-in"));
  });
  return router;
}

function fieldOf(body: unknown, name: string): string | undefined {
  const value: unknown =
    typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
  return typeof value === "string" && value.length < 1_000 ? value : undefined;
}

function signInPage(oidc: OidcOptions | undefined, code: string | undefined, problem?: string) {
  const notice: Piece =
    problem === undefined ? "" : html`<p class="told bad" role="alert">${problem}</p>`;
  const body: Piece =
    oidc !== undefined && code === undefined
      ? html`<p>
          <a class="button primary" href="${to("/oidc/start")}"
            >Continue with ${new URL(oidc.settings.issuer).host}</a
          >
        </p>`
      : code === undefined
        ? html`<p>On the machine that runs Rolecall, type</p>
            <pre><code>npx rolecall console</code></pre>
            <p>and open the link that it prints. It signs you in here, once.</p>`
        : html`<p>You followed a sign-in link. It works once.</p>
            <form method="post" action="${to("/sign-in")}">
              <input type="hidden" name="code" value="${code}" />
              <button type="submit" autofocus>Sign in</button>
            </form>`;
  return bare(
    "Sign in",
    html`<h1>Sign in</h1>
      ${notice} ${body}`,
  );
}
