import { z } from "zod";
import { trafficAnswer } from "../console/answers/idp-traffic.ts";
import { listOf } from "./list-view.ts";
import { idpColumns } from "./state-view.ts";
import { instant, table } from "./table.ts";

const shape = z.object({
  scimUrl: z.string(),
  idp: z.object({ idpId: z.string() }).loose(),
  traffic: trafficAnswer,
  tokens: z.array(z.unknown()),
  signer: z.object({ issuer: z.string(), audience: z.string(), client: z.string() }).nullable(),
});

/** One IdP connection with the requests that it sent last. */
export function renderIdp(answer: unknown): string {
  const { scimUrl, idp, traffic, tokens, signer } = shape.parse(answer);
  const { requests, refused, failed, usualPauseMs, longestPauseMs, quiet, recent } = traffic;
  return [
    `SCIM base URL: ${scimUrl}\n`,
    listOf("idps", idpColumns, "no IdP connection")({ idps: [idp] }),
    `\nrequests: ${String(requests)}, refused: ${String(refused)}, failed: ${String(failed)}\n`,
    usualPauseMs === null || usualPauseMs === undefined
      ? "silence: not known yet what is usual\n"
      : `silence: ${minutes(usualPauseMs)} as a rule, ${minutes(longestPauseMs ?? 0)} at the longest${quiet ? "; GONE QUIET" : ""}\n`,
    "\n",
    listOf(
      "tokens",
      {
        tokenId: "TOKEN",
        label: "LABEL",
        fingerprint: "FINGERPRINT",
        expiresAt: "EXPIRES",
        revokedAt: "REVOKED",
        lastUsedAt: "LAST USED",
      },
      "no tokens",
    )({ tokens }),
    ...(signer === null
      ? []
      : [
          `signed tokens of ${signer.issuer} for ${signer.audience}, given to the client ${signer.client}\n`,
        ]),
    "\n",
    table(
      ["LAST REQUESTS", "METHOD", "ROUTE", "STATUS", "WHAT"],
      recent.map((one) => [
        instant(one.at),
        one.method,
        one.route,
        one.scimType === undefined ? one.status : `${String(one.status)} ${one.scimType}`,
        [...(one.operations ?? []), ...(one.dropped ?? []).map((path) => `dropped ${path}`)].join(
          "; ",
        ) || "-",
      ]),
      "no request was heard yet",
    ),
  ].join("");
}

function minutes(ms: number): string {
  return `${String(Math.round(ms / 60_000))} minutes`;
}
