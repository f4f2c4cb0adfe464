import { z } from "zod";
import { argument, flag, requiredFlag, type Command } from "./command.ts";
import { listOf } from "./list-view.ts";
import { diffMappings } from "./mapping-diff.ts";
import { renderVersion } from "./mapping-view.ts";
import { done, show } from "./show.ts";

const pathOf = (version: string, verb = "") => `/mappings/${encodeURIComponent(version)}${verb}`;

const answerText = (answer: unknown): string =>
  `${z.object({ text: z.string() }).parse(answer).text}\n`;

/** Versions of mapping files: what they change, and who lets them count. */
export const mappingCommands: readonly Command[] = [
  {
    words: "mapping list",
    usage: "mapping list",
    summary: "mapping versions, newest first",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "GET",
        "/mappings",
        {},
        listOf(
          "mappings",
          {
            connectionId: "CONNECTION",
            versionId: "VERSION",
            state: "STATE",
            author: "AUTHOR",
            proposedAt: "PROPOSED",
            activatedAt: "ACTIVATED",
            simulation: "SIMULATION",
          },
          "no mapping yet",
        ),
      ),
  },
  {
    words: "mapping show",
    usage: "mapping show <version>",
    summary: "what a version changes, for whom by name, who wrote it and who decided",
    flags: {},
    run: (invocation) =>
      show(invocation, "GET", pathOf(argument(invocation, 0, "version")), {}, renderVersion),
  },
  {
    words: "mapping diff",
    usage: "mapping diff --base REV [--format markdown|json]",
    summary:
      "who gains and loses what by the files here against those of a commit; a token that only reads will do",
    flags: { base: "string", format: "string" },
    run: diffMappings,
  },
  {
    words: "mapping apply",
    usage: "mapping apply [--author NAME]",
    summary: "read the files again and propose what changed",
    flags: { author: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/mappings/apply",
        { author: flag(invocation, "author") },
        listOf(
          "results",
          { connectionId: "CONNECTION", outcome: "OUTCOME", why: "WHY", versionId: "VERSION" },
          "no mapping files",
        ),
      ),
  },
  {
    words: "mapping approve",
    usage: "mapping approve <version> [--why TEXT] [--simulation HASH] [--canary IDENTITY|any]",
    summary: "let a proposal count, for everybody or step by step",
    flags: { why: "string", simulation: "string", canary: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        pathOf(argument(invocation, 0, "version"), "/approve"),
        {
          why: flag(invocation, "why"),
          simulation: flag(invocation, "simulation"),
          canary: flag(invocation, "canary"),
        },
        answerText,
      ),
  },
  ...(["refuse", "resume"] as const).map((verb): Command => ({
    words: `mapping ${verb}`,
    usage: `mapping ${verb} <version> --why TEXT`,
    summary:
      verb === "refuse"
        ? "say no to a proposal, or take its roll-out back"
        : "let a roll-out that stopped go on",
    flags: { why: "string" },
    run: (invocation) =>
      show(
        invocation,
        "POST",
        pathOf(argument(invocation, 0, "version"), `/${verb}`),
        { why: requiredFlag(invocation, "why") },
        answerText,
      ),
  })),
  {
    words: "mapping rebind",
    usage: "mapping rebind <connection> <group name> <group id>",
    summary: "let the rules of a group name follow another group",
    flags: {},
    run: (invocation) =>
      show(
        invocation,
        "POST",
        "/mappings/rebind",
        {
          connection: argument(invocation, 0, "connection"),
          group: argument(invocation, 1, "group name"),
          groupId: argument(invocation, 2, "group id"),
        },
        done("bound"),
      ),
  },
];
