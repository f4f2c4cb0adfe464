import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadMappings } from "../../../src/mapping/load.ts";
import { InputError } from "../../../src/model/errors.ts";
import { vendorFactsOf } from "../../support/vendor-facts.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mappings-"));
});
afterEach(() => rm(folder, { recursive: true }));

const head = "version: 1\nvendor: anthropic\nconnection: { credential: sealed:key }\n";

async function write(files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

async function load(files: Readonly<Record<string, string | Uint8Array>>) {
  await write(files);
  return loadMappings(folder, vendorFactsOf);
}

/** The problems of these files, with paths from the mapping folder on. */
async function problems(files: Readonly<Record<string, string | Uint8Array>>): Promise<string[]> {
  await write(files);
  try {
    await loadMappings(folder, vendorFactsOf);
  } catch (error) {
    if (error instanceof InputError) {
      return error.problems.map((line) => line.replaceAll(`${folder}/`, ""));
    }
    throw error;
  }
  throw new Error("nothing was wrong");
}

const one = (rules: string) => problems({ "acme/anthropic.yaml": `${head}rules:\n${rules}` });

describe("a folder of mapping files", () => {
  test("becomes tenants with connections, settings, exceptions and tests", async () => {
    const tenants = await load({
      "acme/tenant.yaml":
        "version: 1\nidps: { okta: { kind: okta } }\ndomains: [Example.com]\napprovals: required\nzone: Europe/Berlin\n",
      "acme/claude.yaml": `${head}rules:\n  - { id: a, when: { group: Eng, idp: okta }, grant: [{ kind: org_role, role: user }] }\n`,
      "acme/claude.test.yaml":
        "identities: { ada: { groups: [Eng] } }\nexpect: { ada: [{ kind: org_role, role: user, because: [a] }] }\n",
      "acme/exceptions.yaml":
        "version: 1\nexceptions:\n  - { person: Ada@Example.com, connection: claude, deny: { kind: org_role }, until: 2027-01-31, why: x, by: y }\n",
      "acme/hr.yaml":
        "version: 1\nlead: 2d\nsources:\n  workday: { zone: Australia/Melbourne, fields: { id: Employee_ID } }\n  agency: {}\n",
      "acme/notes.txt": "not read",
      "acme/.claude.yaml.swp": "not read",
      "README.md": "not read",
    });
    const [acme] = tenants;
    const [claude] = acme?.connections ?? [];
    expect(acme?.settings).toEqual({
      idps: [{ idpId: "okta", kind: "okta" }],
      domains: ["example.com"],
      approvals: "required",
      zone: "Europe/Berlin",
      zoneGiven: true,
    });
    expect(acme?.hr).toMatchObject({
      employment: { decide: "first", order: ["workday", "agency"], leadMs: 172_800_000 },
      zone: "Europe/Berlin",
      domains: ["example.com"],
      sources: { workday: { zone: "Australia/Melbourne", fields: { id: "Employee_ID" } } },
    });
    expect(claude).toMatchObject({
      connectionId: "claude",
      vendor: "anthropic",
      profile: "console",
      credential: "sealed:key",
      baseUrl: undefined,
      groups: [{ groupName: "Eng", idpId: "okta", privileged: false, ruleIds: ["a"] }],
    });
    expect(claude?.policy).toEqual({
      mode: "report-only",
      sets: {},
      domains: ["example.com"],
      leaver: "remove",
      create: "invite",
      inviteResends: 2,
      timing: { debounceMs: 90_000, graceMs: 86_400_000, verifyMs: [0, 900_000, 86_400_000] },
      rails: {
        removals: { floor: 3, fraction: 0.1, windowMs: 86_400_000 },
        oneCause: { floor: 50, fraction: 0.25, windowMs: 86_400_000 },
        privilegedGrants: 1,
        leavers: { floor: 10, fraction: 0.01, windowMs: 86_400_000 },
      },
      protectedAccounts: [],
      adminsMin: 2,
    });
    expect(claude?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(claude?.tests?.identities ?? {})).toEqual(["ada"]);
    expect(acme?.exceptions).toEqual([
      {
        exceptionId: expect.stringMatching(/^file-[0-9a-f]{20}$/),
        person: "ada@example.com",
        connectionId: "claude",
        effect: "deny",
        kind: "org_role",
        object: null,
        role: null,
        until: Date.parse("2027-01-31T22:59:59.999Z"),
        why: "x",
        by: "y",
        source: "file",
      },
    ]);
  });

  test("gives the same hash for the same meaning, and another for another", async () => {
    const hashOf = async (text: string) =>
      (await load({ "acme/a.yaml": text }))[0]?.connections[0]?.hash;
    const first = await hashOf(`${head}rules: []\n`);
    expect(await hashOf(`# a comment\nrules: []\n${head}profile: console\n`)).toBe(first);
    expect(await hashOf(`${head}mode: additive\nrules: []\n`)).not.toBe(first);
    const domains = await load({
      "acme/a.yaml": `${head}rules: []\n`,
      "acme/tenant.yaml": "version: 1\ndomains: [example.com]\n",
    });
    expect(domains[0]?.connections[0]?.hash).not.toBe(first);
  });

  test("keeps an exception's id while its end and reason change", async () => {
    const idOf = async (until: string) => {
      const tenants = await load({
        "acme/a.yaml": `${head}rules: []\n`,
        "acme/exceptions.yaml": `version: 1\nexceptions:\n  - { person: a@b.c, connection: a, grant: { kind: org_role, role: user }, until: ${until}, why: ${until}, by: y }\n`,
      });
      return tenants[0]?.exceptions[0];
    };
    const day = await idOf("2027-01-31");
    const never = await idOf("withdrawn");
    const instant = await idOf("2027-01-31T12:00:00+02:00");
    expect(new Set([day?.exceptionId, never?.exceptionId, instant?.exceptionId]).size).toBe(1);
    expect([day?.until, never?.until, instant?.until]).toEqual([
      Date.parse("2027-02-01") - 1,
      null,
      Date.parse("2027-01-31T10:00:00Z"),
    ]);
  });

  test("is read for the tenants that are asked for only", async () => {
    await write({ "acme/a.yaml": `${head}rules: []\n`, "other/a.yaml": "version: 7\n" });
    expect(await loadMappings(folder, vendorFactsOf, ["acme"])).toHaveLength(1);
  });

  test("that is not there is said so", async () => {
    await expect(loadMappings(join(folder, "nowhere"), vendorFactsOf)).rejects.toThrow(
      /nowhere cannot be read/,
    );
  });
});

describe("problems", () => {
  test("of all files are told at once, with file, line, column and what to write", async () => {
    const found = await problems({
      "acme/a.yaml": `${head}mod: additive\nrules:\n  - id: x\n    when: { group: G }\n    grant: [{ kind: org_role, role: developr }]\n`,
      "acme/b.yaml":
        "version: 1\nvendor: anthropc\nconnection: { credential: sealed:key }\nrules: []\n",
      "acme/c.yaml": `${head}rules:\n  - id: x\n    when: { group: G }\n    grant: [{ kind: org_role, role: developr }]\n`,
      "acme/tenant.yaml": "version: 1\nzone: Europe/Berln\n",
      "acme/d.test.yaml": "identities: {}\nexpect: {}\n",
      "Acme Inc/a.yaml": "",
    });
    expect(found).toEqual([
      "Acme Inc: a tenant's folder has a lower-case name of letters, digits and hyphens",
      "acme/tenant.yaml:2:7 zone: write an IANA time zone, as in Europe/Berlin",
      expect.stringMatching(
        /^acme\/a\.yaml:4:1 mod: unknown key "mod": write one of version, .*\(did you mean mode\?\)$/,
      ),
      'acme/b.yaml:2:9 vendor: there is no connector for "anthropc": `rolecall capabilities` lists vendors and profiles',
      'acme/c.yaml:7:37 rules[0].grant[0].role: org_role has no role "developr": write one of user, claude_code_user, developer, billing (did you mean developer?)',
      "acme/d.test.yaml: there is no d.yaml beside it: rename one of them",
    ]);
  });

  test.each([
    [
      "an unknown kind",
      "{ id: a, when: { group: G }, grant: [{ kind: orgrole, role: user }] }",
      'anthropic has no kind "orgrole": write one of org_role, workspace (did you mean org_role?)',
    ],
    [
      "a role that cannot be assigned",
      "{ id: a, why: w, owner: o, when: { group: G }, grant: [{ kind: org_role, role: admin }] }",
      "anthropic does not let anybody assign admin through its API: write one of user, claude_code_user, developer, billing",
    ],
    [
      "an id of another form",
      "{ id: a, when: { group: G }, grant: [{ kind: workspace, id: ws_1, role: workspace_user }] }",
      '"ws_1" is no id of a workspace',
    ],
    [
      "a missing object",
      "{ id: a, when: { group: G }, grant: [{ kind: workspace, role: workspace_user }] }",
      "workspace needs `name:` or `id:`",
    ],
    [
      "a superfluous object",
      "{ id: a, when: { group: G }, grant: [{ kind: org_role, name: X, role: user }] }",
      "org_role names no object: leave `name:` out",
    ],
    [
      "name and id together",
      "{ id: a, when: { group: G }, deny: [{ kind: workspace, name: X, id: wrkspc_1 }] }",
      "write `name:` or `id:`, not both",
    ],
    [
      "a privileged grant without a reason",
      "{ id: a, when: { group: G }, grant: [{ kind: org_role, role: billing }] }",
      "org_role billing is privileged: add `why:` and `owner:`",
    ],
    [
      "a privileged grant without an owner",
      "{ id: a, why: w, when: { group: G }, grant: [{ kind: org_role, role: billing }] }",
      "org_role billing is privileged: add `owner:`",
    ],
    [
      "a grant that can match nobody",
      "{ id: a, when: { attribute: title, exists: false }, grant: [{ kind: org_role, role: user }] }",
      "never matches anybody",
    ],
    [
      "a number for a text attribute",
      "{ id: a, when: { attribute: employeeNumber, equals: 7 }, grant: [{ kind: org_role, role: user }] }",
      'write "7" in quotes',
    ],
    [
      "an unknown bundle",
      "{ id: a, when: { group: G }, grant: [{ bundle: enginer }] }",
      'there is no bundle "enginer"',
    ],
    [
      "an unknown placeholder",
      '{ id: a, when: { group: "x-{team}" }, grant: [{ kind: org_role, role: user }] }',
      "the placeholder {team} is not declared",
    ],
    [
      "a condition of two forms",
      "{ id: a, when: { group: G, everyone: true }, deny: [{ kind: org_role }] }",
      "a condition has one form, not group and everyone",
    ],
    [
      "a condition of no form",
      "{ id: a, when: {}, deny: [{ kind: org_role }] }",
      "a condition needs one of group, attribute, all, any, not, everyone",
    ],
    [
      "an attribute without a test",
      "{ id: a, when: { attribute: title }, deny: [{ kind: org_role }] }",
      "exactly one of equals, in, exists",
    ],
    ["a rule without effect", "{ id: a, when: { group: G } }", "a rule needs `grant:` or `deny:`"],
    [
      "a rule id of another form",
      "{ id: A b, when: { group: G }, deny: [{ kind: org_role }] }",
      "lower-case words joined by hyphens",
    ],
    [
      "an unknown word in a condition",
      "{ id: a, when: { grop: G }, deny: [{ kind: org_role }] }",
      'unknown key "grop": write one of group,',
    ],
    ["a missing condition", "{ id: a, deny: [{ kind: org_role }] }", "rules[0].when"],
    [
      "a line break in a name",
      '{ id: a, when: { group: "a\\nb" }, deny: [{ kind: org_role }] }',
      "line breaks",
    ],
  ])("%s", async (_what, rule, message) => {
    const found = await one(`  - ${rule}\n`);
    expect(found.join("\n")).toContain(message);
    for (const line of found) expect(line).toMatch(/^acme\/anthropic\.yaml:5:\d+ rules\[0\]/);
  });

  test("a rule id that is used twice, and a grant that a deny for everyone smothers", async () => {
    const found = await one(
      "  - { id: a, when: { group: G }, grant: [{ kind: org_role, role: user }] }\n  - { id: a, when: { everyone: true }, deny: [{ kind: org_role }] }\n",
    );
    expect(found).toEqual([
      'acme/anthropic.yaml:6:11 rules[1].id: the rule id "a" is used twice: give each rule its own',
      "acme/anthropic.yaml:5:42 rules[0].grant[0]: never gives anything, because the rule a denies it to everyone: remove one of them",
    ]);
  });

  test("an `idp:` that tenant.yaml does not list", async () => {
    const found = await problems({
      "acme/tenant.yaml": "version: 1\nidps: { okta: { kind: okta } }\n",
      "acme/a.yaml": `${head}rules:\n  - { id: a, when: { not: { group: G, idp: otka } }, deny: [{ kind: org_role }] }\n`,
    });
    expect(found).toEqual([
      'acme/a.yaml:5:44 rules[0].when.not.idp: tenant.yaml lists no IdP connection "otka": write okta',
    ]);
  });

  test("exceptions that fit nothing", async () => {
    const found = await problems({
      "acme/a.yaml": `${head}rules: []\n`,
      "acme/exceptions.yaml": [
        "version: 1",
        "exceptions:",
        "  - { person: x@y.z, connection: b, deny: { kind: org_role }, until: withdrawn, why: w, by: b }",
        "  - { person: x@y.z, connection: a, grant: { kind: org_role, role: owner }, until: 2027-02-30, why: w, by: b }",
        "  - { person: x@y.z, connection: a, deny: { kind: org_role }, until: withdrawn, why: w, by: b }",
        "  - { person: X@y.z, connection: a, deny: { kind: org_role }, until: 2027-02-01, why: w, by: b }",
      ].join("\n"),
    });
    expect(found).toEqual([
      'acme/exceptions.yaml:3:34 exceptions[0].connection: there is no connection "b": write a',
      expect.stringContaining(
        "exceptions.yaml:4:68 exceptions[1].grant.role: anthropic does not let anybody assign owner",
      ),
      "acme/exceptions.yaml:4:84 exceptions[1].until: there is no such day: 2027-02-30",
      "acme/exceptions.yaml:6:5 exceptions[3]: the same exception stands above already: keep one",
    ]);
  });

  test("tests about people and rules that are not there", async () => {
    const found = await problems({
      "acme/a.yaml": `${head}rules:\n  - { id: x, when: { group: G }, grant: [{ kind: org_role, role: user }] }\n`,
      "acme/a.test.yaml":
        "identities:\n  ada: {}\nexpect:\n  bo: [{ kind: org_role, role: user, because: [y] }]\n",
    });
    expect(found).toEqual([
      "acme/a.test.yaml:2:3 identities.ada: nothing is expected of ada: add `ada:` below `expect:`, `[]` for nothing",
      "acme/a.test.yaml:4:3 expect.bo: there is no person bo: write ada",
      'acme/a.test.yaml:4:48 expect.bo[0].because[0]: there is no rule "y": write x',
    ]);
  });
});

describe("text that is refused before it is a mapping", () => {
  const text = (content: string | Uint8Array) => problems({ "acme/a.yaml": content });

  test("a repeated key", async () => {
    expect(await text(`${head}rules: []\nvendor: anthropic\n`)).toEqual([
      "acme/a.yaml:5:1 this key is there twice: keep one",
    ]);
  });

  test("a tab as indentation", async () => {
    expect((await text(`${head}rules:\n\t- id: a\n`)).join()).toContain(
      "acme/a.yaml:5:1 a tab stands where blanks belong",
    );
  });

  test("anchors and aliases, before they are expanded", async () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let at = 0; at < 12; at++) {
      const name = String.fromCharCode(98 + at);
      const last = String.fromCharCode(97 + at);
      lines.push(`${name}: &${name} [${Array(9).fill(`*${last}`).join(", ")}]`);
    }
    const found = await text(lines.join("\n"));
    expect(found[0]).toContain("acme/a.yaml:1:7 anchors and aliases are not taken");
    expect(await text(`${head}rules: []\n<<: { mode: additive }\n`)).toEqual([
      expect.stringContaining('unknown key "<<"'),
    ]);
  });

  test("tags", async () => {
    expect((await text(`${head}rules: []\nmode: !!str additive\n`)).join()).toContain(
      "tags (tag:yaml.org,2002:str) are not taken",
    );
    expect((await text(`${head}rules: []\nmode: !js additive\n`)).join()).toContain(
      "acme/a.yaml:5:7",
    );
  });

  test("a nesting made to break parsers", async () => {
    expect((await text(`rules: ${"[".repeat(60)}${"]".repeat(60)}`)).join()).toContain(
      "nested deeper than 40 levels",
    );
    expect(await text(`rules: ${"[".repeat(100_000)}${"]".repeat(100_000)}`)).toHaveLength(1);
    const deep = `${"{ not: ".repeat(9)}{ group: G }${" }".repeat(9)}`;
    expect(
      (await one(`  - { id: a, when: ${deep}, deny: [{ kind: org_role }] }\n`)).join(),
    ).toContain("nested deeper than 8 levels");
  });

  test("more than a mebibyte, other than UTF-8, several documents, nothing at all", async () => {
    expect(await text(`# ${"x".repeat(1_048_576)}`)).toEqual([
      expect.stringContaining("at most 1048576 are read"),
    ]);
    expect(await text(new Uint8Array([0x61, 0xff, 0xfe]))).toEqual([
      expect.stringContaining("is not UTF-8 text"),
    ]);
    expect(await text("a: 1\n---\nb: 2\n")).toEqual([
      expect.stringContaining("a file holds one document"),
    ]);
    expect(await text("")).toEqual([expect.stringContaining("acme/a.yaml:1:1")]);
  });

  test("a file of another ending", async () => {
    expect(await problems({ "acme/a.yml": head, "acme/B.yaml": head })).toEqual([
      expect.stringContaining("acme/B.yaml: a connection has a lower-case name"),
      expect.stringContaining("acme/a.yml: mapping files end in .yaml"),
    ]);
  });
});
