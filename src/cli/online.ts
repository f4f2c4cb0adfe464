import { z } from "zod";
import { argument, CommandError, exitCodes, flag, requiredFlag, type Command } from "./command.ts";
import { done, show } from "./show.ts";
import { renderExplanation } from "./explain-view.ts";
import { listOf } from "./list-view.ts";
import { renderIdp } from "./idp-view.ts";
import { idpColumns, renderPlans, renderStatus, renderTenant } from "./state-view.ts";

const idpsShape = z.object({ scimUrl: z.string() });

const decidedShape = z.object({
  people: z.number(),
  entries: z.number(),
  open: z.boolean(),
  seconding: z.number(),
});

const whyFlag = { why: "string" } as const;

export const onlineCommands: readonly Command[] = [
  {
    words: "status",
    usage: "status",
    summary: "lanes, people by state, holds, backlog",
    flags: {},
    run: (invocation) => show(invocation, "GET", "/status", {}, renderStatus),
  },
  {
    words: "explain",
    usage: "explain <identity> [--connection C] [--want connection:thing]",
    summary: "why somebody has what they have, and what would give a wanted thing",
    flags: { connection: "string", want: "string" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/explain",
        {
          identity: argument(invocation, 0, "identity"),
          connection: flag(invocation, "connection"),
          want: flag(invocation, "want"),
        },
        renderExplanation,
      ),
  },
  {
    words: "plan",
    usage: "plan [--identity E] [--connection C]",
    summary: "what would change and why; writes nothing",
    flags: { identity: "string", connection: "string" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/plan",
        { identity: flag(invocation, "identity"), connection: flag(invocation, "connection") },
        renderPlans,
      ),
  },
  {
    words: "reconcile",
    usage: "reconcile [--identity E] [--connection C]",
    summary: "recompute and look again now",
    flags: { identity: "string", connection: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/reconcile",
        { identity: flag(invocation, "identity"), connection: flag(invocation, "connection") },
        (answer) =>
          `${String(z.object({ targets: z.number() }).parse(answer).targets)} accounts are looked at again\n`,
      ),
  },
  {
    words: "holds list",
    usage: "holds list [--state open|decided|lapsed]",
    summary: "batches that wait for a decision",
    flags: { state: "string" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/holds",
        { state: flag(invocation, "state") },
        listOf(
          "holds",
          {
            holdId: "HOLD",
            rail: "RAIL",
            connectionId: "CONNECTION",
            people: "PEOPLE",
            count: "COUNTED",
            allowance: "ALLOWED",
            openedAt: "OPENED",
            state: "STATE",
            firstBy: "FIRST APPROVAL",
          },
          "no batch waits for a decision",
        ),
      ),
  },
  {
    words: "holds show",
    usage: "holds show <hold>",
    summary: "the people and changes in one batch",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        `/holds/${encodeURIComponent(argument(invocation, 0, "hold"))}`,
        {},
        listOf(
          "entries",
          {
            userName: "PERSON",
            connectionId: "CONNECTION",
            slot: "WHAT",
            direction: "CHANGE",
            roleFrom: "FROM",
            roleTo: "TO",
            state: "STATE",
          },
          "the batch is empty",
        ),
      ),
  },
  ...(["approve", "reject"] as const).map((decision): Command => ({
    words: `holds ${decision}`,
    usage: `holds ${decision} <hold> --why TEXT [--people E,E]`,
    summary:
      decision === "approve"
        ? "let a batch run, whole or for some people"
        : "refuse a batch; it is written as exceptions for 90 days",
    flags: { ...whyFlag, people: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `/holds/${encodeURIComponent(argument(invocation, 0, "hold"))}/decision`,
        {
          decision,
          why: requiredFlag(invocation, "why"),
          people: flag(invocation, "people")
            ?.split(",")
            .map((person) => person.trim()),
        },
        (answer) => {
          const { people, entries, open, seconding } = decidedShape.parse(answer);
          const rest =
            seconding > 0
              ? `; ${String(seconding)} changes wait for a second person's approval`
              : open
                ? "; the rest of the batch still waits"
                : "";
          return `${decision}d: ${String(entries)} changes of ${String(people)} people${rest}\n`;
        },
      ),
  })),
  {
    words: "parked list",
    usage: "parked list [--connection C]",
    summary: "people whose change needs a fact or a person",
    flags: { connection: "string" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/parked",
        { connection: flag(invocation, "connection") },
        listOf(
          "parked",
          {
            userName: "PERSON",
            connectionId: "CONNECTION",
            state: "STATE",
            trust: "TRUST",
            code: "CODE",
            reason: "REASON",
          },
          "nobody is parked",
        ),
      ),
  },
  {
    words: "parked redrive",
    usage: "parked redrive [--identity E] [--connection C] [--all]",
    summary: "try parked people again",
    flags: { identity: "string", connection: "string", all: "boolean" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/parked/redrive",
        {
          identity: flag(invocation, "identity"),
          connection: flag(invocation, "connection"),
          all: invocation.flags.all === true ? true : undefined,
        },
        (answer) =>
          `${String(z.object({ redriven: z.number() }).parse(answer).redriven)} tried again\n`,
      ),
  },
  {
    words: "findings",
    usage: "findings [--identity E] [--connection C] [--all]",
    summary: "what somebody should know or decide",
    flags: { identity: "string", connection: "string", all: "boolean" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/findings",
        {
          identity: flag(invocation, "identity"),
          connection: flag(invocation, "connection"),
          all: invocation.flags.all === true ? true : undefined,
        },
        listOf(
          "findings",
          {
            severity: "SEVERITY",
            kind: "KIND",
            connectionId: "CONNECTION",
            openedAt: "SINCE",
            text: "WHAT TO DO",
          },
          "no open findings",
        ),
      ),
  },
  ...(["pause", "resume"] as const).map((verb): Command => ({
    words: `lane ${verb}`,
    usage:
      verb === "pause"
        ? "lane pause <connection> --why TEXT"
        : "lane resume <connection> --why TEXT [--accept-organization ID]",
    summary: verb === "pause" ? "stop one connection" : "open a paused connection",
    flags: { ...whyFlag, "accept-organization": "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `/lanes/${encodeURIComponent(argument(invocation, 0, "connection"))}/${verb}`,
        {
          why: requiredFlag(invocation, "why"),
          acceptOrganization: flag(invocation, "accept-organization"),
        },
        done(`${argument(invocation, 0, "connection")} is ${verb === "pause" ? "paused" : "open"}`),
      ),
  })),
  ...(["stop", "start"] as const).map((verb): Command => ({
    words: verb,
    usage: `${verb} --why TEXT [--connection C] [--covers all|grants|removals|all-but-leavers]`,
    summary: verb === "stop" ? "the kill switch: no new vendor write" : "take a stop switch back",
    flags: { ...whyFlag, connection: "string", covers: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `/${verb}`,
        {
          why: requiredFlag(invocation, "why"),
          connection: flag(invocation, "connection"),
          covers: flag(invocation, "covers"),
        },
        listOf(
          "stops",
          { connectionId: "CONNECTION", covers: "COVERS", by: "BY", why: "WHY", since: "SINCE" },
          "nothing is stopped",
        ),
      ),
  })),
  {
    words: "tenant list",
    usage: "tenant list",
    summary: "every tenant",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/tenants",
        {},
        listOf("tenants", { tenantId: "TENANT", createdAt: "CREATED" }, "no tenant"),
      ),
  },
  {
    words: "tenant show",
    usage: "tenant show <name>",
    summary: "one tenant: its people, IdP connections and vendor connections",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        `/tenants/${encodeURIComponent(argument(invocation, 0, "name"))}`,
        {},
        renderTenant,
      ),
  },
  {
    words: "tenant add",
    usage: "tenant add <name>",
    summary: "a new tenant",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/tenants",
        { name: argument(invocation, 0, "name") },
        done("added"),
      ),
  },
  {
    words: "idp list",
    usage: "idp list",
    summary: "IdP connections",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/idps",
        {},
        (answer) =>
          `SCIM base URL: ${idpsShape.parse(answer).scimUrl}\n${listOf("idps", idpColumns, "no IdP connection")(answer)}`,
      ),
  },
  {
    words: "idp show",
    usage: "idp show <name>",
    summary: "one IdP connection: what it sends, what became of it, whether it has gone quiet",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        `/idps/${encodeURIComponent(argument(invocation, 0, "name"))}`,
        {},
        renderIdp,
      ),
  },
  {
    words: "idp add",
    usage: "idp add <name> --kind okta|entra|generic",
    summary: "a new IdP connection with its first token",
    flags: { kind: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/idps",
        { name: argument(invocation, 0, "name"), kind: requiredFlag(invocation, "kind") },
        (answer) => {
          const { scimUrl, token } = z
            .object({ scimUrl: z.string(), token: z.string() })
            .parse(answer);
          return `SCIM base URL: ${scimUrl}\ntoken (shown this once): ${token}\n`;
        },
      ),
  },
  {
    words: "idp loaded",
    usage: "idp loaded <name> [--undo]",
    summary: "say that everybody has arrived: from now on absence counts",
    flags: { undo: "boolean" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        `/idps/${encodeURIComponent(argument(invocation, 0, "name"))}/loaded`,
        { loaded: invocation.flags.undo !== true },
        done(
          invocation.flags.undo === true ? "absence does not count" : "absence counts from now on",
        ),
      ),
  },
  {
    words: "link list",
    usage: "link list [--identity E] [--connection C]",
    summary: "which account belongs to whom",
    flags: { identity: "string", connection: "string" },
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/links",
        { identity: flag(invocation, "identity"), connection: flag(invocation, "connection") },
        listOf(
          "links",
          {
            connectionId: "CONNECTION",
            identityId: "IDENTITY",
            accountId: "ACCOUNT",
            email: "ADDRESS",
            origin: "ORIGIN",
            since: "SINCE",
          },
          "no links",
        ),
      ),
  },
  {
    words: "link set",
    usage: "link set <connection> <identity> <account> --why TEXT",
    summary: "say that an account is this person's",
    flags: { ...whyFlag, email: "string" },
    run: (invocation) =>
      show(
        invocation,
        "PUT",
        "/links",
        {
          connection: argument(invocation, 0, "connection"),
          identity: argument(invocation, 1, "identity"),
          account: argument(invocation, 2, "account"),
          email: flag(invocation, "email"),
          why: requiredFlag(invocation, "why"),
        },
        done("linked"),
      ),
  },
  {
    words: "link remove",
    usage: "link remove <connection> <identity> --why TEXT",
    summary: "say that an account is not this person's",
    flags: whyFlag,
    run: (invocation) =>
      show(
        invocation,
        "DELETE",
        "/links",
        {
          connection: argument(invocation, 0, "connection"),
          identity: argument(invocation, 1, "identity"),
          why: requiredFlag(invocation, "why"),
        },
        done("unlinked"),
      ),
  },
  {
    words: "token list",
    usage: "token list",
    summary: "tokens without their secrets",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/tokens",
        {},
        listOf(
          "tokens",
          {
            tokenId: "TOKEN",
            kind: "KIND",
            idpId: "IDP",
            label: "LABEL",
            lastUsedAt: "LAST USED",
            expiresAt: "EXPIRES AT",
            revokedAt: "REVOKED",
          },
          "no tokens",
        ),
      ),
  },
  {
    words: "token create",
    usage:
      "token create --kind scim|operator|access --label TEXT [--idp NAME] [--role read|auditor|operator|approver|hr] [--days N]",
    summary: "a new token, shown once",
    flags: { kind: "string", label: "string", idp: "string", role: "string", days: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/tokens",
        {
          kind: requiredFlag(invocation, "kind"),
          label: requiredFlag(invocation, "label"),
          idp: flag(invocation, "idp"),
          role: flag(invocation, "role"),
          expiresInDays: wholeNumber(flag(invocation, "days"), "days"),
        },
        (answer) => {
          const { tokenId, token } = z
            .object({ tokenId: z.string(), token: z.string() })
            .parse(answer);
          return `token ${tokenId} (shown this once): ${token}\n`;
        },
      ),
  },
  {
    words: "token revoke",
    usage: "token revoke <token id>",
    summary: "a token stops at its next request",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "DELETE",
        `/tokens/${encodeURIComponent(argument(invocation, 0, "token id"))}`,
        {},
        done("revoked"),
      ),
  },
  {
    words: "credential set",
    usage: "credential set <name>   (the secret on standard input)",
    summary: "seal a vendor secret; mappings name it sealed:NAME",
    flags: {},
    run: async (invocation) => {
      const secret = (await invocation.terminal.readStdin()).trim();
      if (secret === "")
        throw new CommandError(
          exitCodes.usage,
          "the secret is read from standard input and was empty",
        );
      const name = argument(invocation, 0, "name");
      return show(
        invocation,
        "PUT",
        `/credentials/${encodeURIComponent(name)}`,
        { secret },
        (answer) =>
          `sealed:${name} is set (fingerprint ${z.object({ fingerprint: z.string() }).parse(answer).fingerprint})\n`,
      );
    },
  },
  {
    words: "credential list",
    usage: "credential list",
    summary: "sealed secrets by name and fingerprint",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/credentials",
        {},
        listOf(
          "credentials",
          { name: "NAME", fingerprint: "FINGERPRINT", updatedAt: "SINCE", sealedWith: "KEY" },
          "no sealed secret",
        ),
      ),
  },
];

function wholeNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new CommandError(exitCodes.usage, `--${name} wants a whole number above 0`);
  return value;
}
