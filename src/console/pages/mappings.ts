import { z } from "zod";
import { html, type Markup, type Piece } from "./markup.ts";
import { countsAnswer, peopleAnswer } from "../answers/simulation.ts";
import { changesShape, changeList, peopleTable } from "./mapping-changes.ts";
import { ask, seg, to, type Action, type Page, type Visit } from "./page.ts";
import { mappingRows, mappingsShape, versionShape } from "./mapping-rows.ts";
import {
  badge,
  card,
  connectionLink,
  count,
  decision,
  facts,
  formOf,
  pageHead,
  person,
  nextPage,
  state,
  table,
  when,
} from "./widgets.ts";

const applyAction: Action = {
  path: "/mappings/apply",
  operation: "reloadMappings",
  input: (form) => ({ author: form.one("author") }),
  told: "The files were read again; what changed is proposed.",
};
const approveAction: Action = {
  path: "/mappings/:versionId/approve",
  operation: "approveMapping",
  input: (form, { versionId }) => ({
    versionId,
    why: form.one("why"),
    simulation: form.one("simulation"),
    canary: form.one("canary"),
  }),
  told: "Approved: it counts as far as you said.",
};
const refuseAction: Action = {
  path: "/mappings/:versionId/refuse",
  operation: "refuseMapping",
  input: (form, { versionId }) => ({ versionId, why: form.one("why") }),
  told: "Refused: what counted before still counts.",
};
const resumeAction: Action = {
  path: "/mappings/:versionId/resume",
  operation: "resumeRollout",
  input: (form, { versionId }) => ({ versionId, why: form.one("why") }),
  told: "The roll-out goes on.",
};
const simulated = z.object({
  changes: changesShape,
  simulation: countsAnswer,
  people: peopleAnswer,
  unnamed: z.number(),
});
const simulateAction: Action = {
  path: "/mappings/edit/:connection",
  operation: "simulateFile",
  input: (form, { connection }) => ({ connection, text: form.one("text") }),
  told: "Who would gain, who would lose",
  shows: (visit, answer) => {
    const { changes, simulation, people, unnamed } = simulated.parse(answer);
    const { connection = "" } = visit.params;
    return html`${pageHead(
        "Who would gain, who would lose",
        html`If the file of ${connection} said what you wrote. Nothing was stored or changed.`,
      )}
      ${card("In people", counts(simulation))} ${card("In the file", changeList(changes))}
      ${card(
        "By name",
        html`${peopleTable(people)}
        ${unnamed > 0 ? html`<p class="faint">${count(unnamed)} more are not named here.</p>` : ""}`,
      )}
      <p>
        <a href="${to(`/mappings/edit/${seg(connection)}`)}">Begin again from what counts now</a>,
        or put the text into the mapping file and propose it under
        <a href="${to("/mappings")}">Mappings</a>.
      </p>`;
  },
};

export const mappingActions = [
  applyAction,
  approveAction,
  refuseAction,
  resumeAction,
  simulateAction,
];

export const mappingsPage: Page = {
  path: "/mappings",
  nav: "mappings",
  title: () => "Mappings",
  render: async (visit) => {
    const { mappings } = await ask(visit, "listMappings", {}, mappingsShape);
    const active = mappings.filter((item) => item.state === "active");
    const older = mappings.filter((item) => item.state !== "active").slice(0, 50);
    return html`${pageHead(
      "Mappings",
      "Mapping files say which group means which role where. A file is a proposal; a version counts once it is active, and the last good one stays until then.",
      decision(visit, applyAction, {
        label: "Read the files again",
        why: null,
        explain: "Reads every mapping file of this tenant and proposes what changed.",
        fields: html`<label
          >Who wrote the change (optional)
          <input name="author" maxlength="200" autocomplete="off" />
        </label>`,
      }),
    )}
    ${card(
      "What counts now",
      table(
        "Active versions",
        ["Connection", "Version", "Since", "Written by", ""],
        active.map((version) => [
          connectionLink(version.connectionId),
          html`<a href="${to(`/mappings/${version.versionId}`)}">${version.hash.slice(0, 10)}</a>`,
          when(version.activatedAt, visit.now),
          version.author ?? version.proposedBy ?? html`<span class="faint">nobody known</span>`,
          html`<a href="${to(`/mappings/edit/${version.connectionId}`)}">Simulate an edit</a> ·
            <a href="${to(`/mappings/matrix/${version.connectionId}`)}">People × roles</a>`,
        ]),
        html`No mapping is active. Put a file into the mappings folder (<code
            >npx rolecall mapping check</code
          >
          reads it) and read the files again.`,
      ),
    )}
    ${card("Proposed and past", mappingRows(older, visit.now, "There are no other versions."))}`;
  },
};

const showShape = z.object({
  version: versionShape.extend({ changes: changesShape.optional() }),
  simulation: countsAnswer.nullable(),
  people: peopleAnswer,
});

export const mappingPage: Page = {
  path: "/mappings/:versionId",
  nav: "mappings",
  title: () => "Mapping version",
  render: async (visit) => {
    const { versionId = "" } = visit.params;
    const { version, simulation, people } = await ask(
      visit,
      "showMapping",
      { versionId },
      showShape,
    );
    const { decision: decided, rollout } = version;
    return html`${pageHead(
      html`${version.connectionId} ${version.hash.slice(0, 10)} ${state(version.state)}`,
      html`proposed ${when(version.proposedAt, visit.now)}, written by
      ${version.author ?? "nobody known"}, brought by
      ${version.proposedBy ?? "the files of a process"}`,
    )}
    ${
      decided === undefined
        ? ""
        : card(
            "Decision",
            html`<p>
              ${decided.outcome.replaceAll("-", " ")} by ${decided.by}
              ${decided.alone ? badge("there was nobody else", "warn") : ""}
              ${when(decided.at, visit.now)}${decided.why === null ? "" : `: ${decided.why}`}
            </p>`,
          )
    }
    ${
      rollout === undefined
        ? ""
        : card(
            "Roll-out",
            html`<p>
              ${rollout.stage === "person" ? "One person" : "A tenth of all"} since
              ${when(rollout.since, visit.now)}${
                rollout.stopped === null
                  ? ""
                  : html`; ${badge("stopped", "bad")} ${rollout.stopped.why}`
              }
            </p>`,
          )
    }
    ${simulation === null ? "" : card("In people, as things are now", counts(simulation))}
    ${decide(visit, version, simulation?.hash)}
    ${version.changes === undefined ? "" : card("In the file", changeList(version.changes))}
    ${card("By name", peopleTable(people))}`;
  },
};

function counts(simulation: z.output<typeof countsAnswer>): Markup {
  return facts([
    ["Looked at", count(simulation.people)],
    ["Gain", html`<span class="gain">${count(simulation.gain)}</span>`],
    [
      "of them something privileged",
      simulation.privilegedGain === 0 ? "0" : badge(count(simulation.privilegedGain), "warn"),
    ],
    ["Lose", html`<span class="loss">${count(simulation.lose)}</span>`],
    ["Blocked", count(simulation.blocked)],
    ["Unchanged", count(simulation.unchanged)],
  ]);
}

function decide(
  visit: Visit,
  version: z.output<typeof versionShape>,
  simulation: string | undefined,
): Piece {
  const params = { versionId: version.versionId };
  if (version.state === "canary")
    return html`<div class="card row-actions">
      ${
        version.rollout?.stopped === null
          ? ""
          : decision(visit, resumeAction, {
              label: "Let it go on",
              params,
              explain: "The roll-out stopped by itself. It goes on from where it is.",
            })
      }
      ${decision(visit, refuseAction, {
        label: "Take it back",
        tone: "danger",
        params,
        explain: "Everybody is decided about by the version before again.",
      })}
    </div>`;
  if (version.state !== "proposed") return "";
  return html`<div class="card row-actions">
    ${decision(visit, approveAction, {
      label: "Approve",
      params,
      explain:
        "Your approval is bound to the people above: if they are others by then, it is asked for again.",
      fields: html`${
          simulation === undefined
            ? ""
            : html`<input type="hidden" name="simulation" value="${simulation}" />`
        }
        <label
          >For whom
          <select name="canary">
            <option value="">everybody at once</option>
            <option value="any">one person first, then a tenth, then everybody</option>
          </select>
        </label>`,
    })}
    ${decision(visit, refuseAction, {
      label: "Refuse",
      tone: "danger",
      params,
      explain: "What counts now goes on to count.",
    })}
  </div>`;
}

export const editPage: Page = {
  path: "/mappings/edit/:connection",
  nav: "mappings",
  title: () => "Simulate an edit",
  render: async (visit) => {
    const { connection = "" } = visit.params;
    const shape = z.object({ text: z.string() });
    const { text } = await ask(visit, "readMappingFile", { connection }, shape);
    return html`${pageHead(
      html`What if ${connection} said …`,
      "Change the text and see by name who would gain and who would lose. Nothing is stored: to make it count, put it into the mapping file.",
    )}
    ${card(
      "The mapping that counts now, written out",
      formOf(
        visit,
        simulateAction,
        { connection },
        html`<label
            >Mapping file
            <textarea name="text" rows="28" spellcheck="false" required>${text}</textarea>
          </label>
          <button type="submit">Who gains, who loses?</button>`,
      ),
    )}`;
  },
};

const targetsShape = z.object({
  targets: z.array(
    z.object({
      identityId: z.string(),
      userName: z.string().nullable(),
      lifecycle: z.string(),
      desired: z.array(z.object({ kind: z.string(), objectId: z.string(), role: z.string() })),
    }),
  ),
  next: z.string().optional(),
});

export const matrixPage: Page = {
  path: "/mappings/matrix/:connection",
  nav: "mappings",
  title: () => "People × roles",
  render: async (visit) => {
    const { connection = "" } = visit.params;
    const { targets, next } = await ask(
      visit,
      "listTargets",
      { connection, after: visit.query["after"], limit: 50 },
      targetsShape,
    );
    const columns = [
      ...new Set(targets.flatMap((target) => target.desired.map(columnOf))),
    ].toSorted();
    return html`${pageHead(
      html`People × roles at ${connection}`,
      "What each person should have there by the mapping that counts, fifty people a page.",
    )}
    ${card(
      "Who should have what",
      html`<div class="matrix">
          ${table(
            `People and roles at ${connection}`,
            ["Person", ...columns],
            targets.map((target) => {
              const own = new Map(target.desired.map((item) => [columnOf(item), item.role]));
              return [
                person(target.identityId, target.userName),
                ...columns.map((column) =>
                  own.has(column) ? badge(own.get(column) ?? "", "good") : "",
                ),
              ];
            }),
            "Nobody has or should have anything there.",
          )}
        </div>
        ${nextPage(
          next === undefined
            ? undefined
            : to(`/mappings/matrix/${seg(connection)}`, { after: next }),
        )}`,
    )}`;
  },
};

function columnOf(item: { readonly kind: string; readonly objectId: string }): string {
  return `${item.kind.replaceAll("_", " ")} ${item.objectId}`.trim();
}
