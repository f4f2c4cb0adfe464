import { describe, expect, test } from "vitest";
import { InputError } from "../../../src/model/errors.ts";
import { parseRoster } from "../../../src/tasks/roster.ts";

const clayRoles = { admin: "admin", member: "editor", viewer: "viewer" };

const head = "workspace_id,email,name,role,status,groups,captured_at";
const line = (
  email: string,
  role: string,
  more: { ws?: string; at?: string; status?: string; groups?: string } = {},
) =>
  `${more.ws ?? "ws_1"},${email},Name,${role},${more.status ?? "active"},${more.groups ?? ""},${more.at ?? "2026-08-01T10:00:00Z"}`;
const csv = (...lines: readonly string[]) => [head, ...lines].join("\n");
const problems = (text: string, format: "csv" | "json" = "csv") => {
  try {
    parseRoster(text, format, clayRoles);
  } catch (error) {
    if (error instanceof InputError) return error.problems.join("\n");
    throw error;
  }
  return "";
};

describe("a roster", () => {
  test("is read from CSV: addresses folded, roles by their meaning, groups as a set", () => {
    const roster = parseRoster(
      csv(
        line("Ada@Example.com", "Admin"),
        line("ben@example.com", "Member", { status: "Invited", groups: "GTM; Ops;GTM" }),
      ),
      "csv",
      clayRoles,
    );
    expect(roster).toEqual({
      workspaceId: "ws_1",
      capturedAt: Date.parse("2026-08-01T10:00:00Z"),
      members: [
        { email: "ada@example.com", name: "Name", role: "admin", status: "active", groups: [] },
        {
          email: "ben@example.com",
          name: "Name",
          role: "editor",
          status: "invited",
          groups: ["GTM", "Ops"],
        },
      ],
    });
  });

  test("keeps a role that nobody told us of as it stands", () => {
    const [member] = parseRoster(csv(line("a@example.com", "Auditor")), "csv", clayRoles).members;
    expect(member).toMatchObject({ role: "Auditor" });
  });

  test("is read from JSON, which says that it is full and how many it holds", () => {
    const body = {
      workspace_id: "ws_1",
      captured_at: "2026-08-01T10:00:00Z",
      scope: "full",
      count: 1,
      members: [{ email: "a@example.com", role: "viewer" }],
    };
    expect(parseRoster(JSON.stringify(body), "json", clayRoles).members).toMatchObject([
      { email: "a@example.com", role: "viewer", status: "active" },
    ]);
    expect(problems(JSON.stringify({ ...body, scope: "page" }), "json")).toContain("full");
    expect(problems(JSON.stringify({ ...body, count: 2 }), "json")).toContain(
      "says 2 members and holds 1",
    );
    expect(problems(JSON.stringify(body).slice(0, 60), "json")).toContain("not JSON");
  });

  test.each([
    [
      "one address twice, in another case",
      csv(line("a@example.com", "Admin"), line("A@example.com", "Viewer")),
      "members 1 and 2 have one address",
    ],
    [
      "two workspaces",
      csv(line("a@example.com", "Admin"), line("b@example.com", "Viewer", { ws: "ws_2" })),
      "several workspaces",
    ],
    [
      "two captures",
      csv(
        line("a@example.com", "Admin"),
        line("b@example.com", "Viewer", { at: "2026-08-02T10:00:00Z" }),
      ),
      "several captures",
    ],
    [
      "no zone",
      csv(line("a@example.com", "Admin", { at: "2026-08-01 10:00" })),
      "no instant with a zone",
    ],
    ["no address", csv(line("nobody", "Admin")), "member 1: email is no e-mail address"],
    ["another status", csv(line("a@example.com", "Admin", { status: "gone" })), "member 1: status"],
    ["nobody", head, "nobody is in it"],
    ["a cut file", `${csv(line("a@example.com", "Admin"))}\nws_1,b@ex`, "line 3 has 2 fields"],
  ])("with %s is refused, and the address is not repeated", (_what, text, message) => {
    const said = problems(text);
    expect(said).toContain(message);
    expect(said).not.toContain("@example.com");
  });
});
