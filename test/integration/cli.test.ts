// Goal: every command does what its help says, speaks JSON where it prints data, and tells the shell how it ended.
// Method: the command line in this process against a service on the sandbox, with people who came over SCIM.
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startApp, type App } from "../../src/app.ts";
import { commands, runCli } from "../../src/cli.ts";
import { exitCodes } from "../../src/cli/command.ts";
import { readConfig } from "../../src/config/config.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import { examples } from "../../src/console/openapi.ts";
import { allOperations } from "../../src/console/operations/all.ts";
import { eventually } from "../support/eventually.ts";
import { ask } from "../support/rolecall-process.ts";

const mappings = fileURLToPath(new URL("../../mappings", import.meta.url));
const operatorToken = `rco_${"o".repeat(43)}`;
const scimToken = `rcs_${"s".repeat(43)}`;
let folder: string;
let app: App;

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function rolecall(line: readonly string[], stdin = ""): Promise<Ended> {
  let out = "";
  let err = "";
  const code = await runCli(line, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    isTty: false,
    columns: 80,
    readStdin: () => Promise.resolve(stdin),
  });
  return { code, out, err };
}

/** Runs a command with --json and answers what it printed. */
async function json(...line: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await rolecall([...line, "--json"]);
  expect([line.join(" "), code, err]).toEqual([line.join(" "), exitCodes.ok, ""]);
  return JSON.parse(out) as Record<string, unknown>;
}

function scim(method: string, path: string, body: object): Promise<{ readonly id: string }> {
  const url = new URL(`${app.scimUrl}/scim/v2${path}`);
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        headers: {
          authorization: `Bearer ${scimToken}`,
          "content-type": "application/scim+json",
          "content-length": Buffer.byteLength(text),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          if ((response.statusCode ?? 0) >= 300)
            reject(new Error(Buffer.concat(chunks).toString()));
          else resolve(JSON.parse(Buffer.concat(chunks).toString()) as { readonly id: string });
        });
      },
    );
    sent.on("error", reject);
    sent.end(text);
  });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rolecall-cli-"));
  app = await startApp(
    readConfig({
      ROLECALL_SANDBOX: "1",
      ROLECALL_TIME_SCALE: "60",
      PORT: "0",
      ROLECALL_OPERATOR_PORT: "0",
      ROLECALL_DATA_DIR: folder,
      ROLECALL_MAPPINGS: mappings,
      ROLECALL_TENANT: "demo",
      ROLECALL_ADMIN_TOKEN: operatorToken,
      ROLECALL_SCIM_TOKEN: scimToken,
      ROLECALL_LOG_LEVEL: "error",
    }),
  );
  vi.stubEnv("ROLECALL_API_URL", app.operatorUrl);
  vi.stubEnv("ROLECALL_ADMIN_TOKEN", operatorToken);
  vi.stubEnv("ROLECALL_TENANT", "demo");
  vi.stubEnv("ROLECALL_MAPPINGS", mappings);
  vi.stubEnv("ROLECALL_DATA_DIR", folder);
  vi.stubEnv("ROLECALL_SANDBOX", "1");
  const ada = await scim("POST", "/Users", {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: "ada@example.com",
    active: true,
    emails: [{ value: "ada@example.com", primary: true }],
    userType: "Employee",
  });
  await scim("POST", "/Groups", {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
    displayName: "Engineering",
    members: [{ value: ada.id }],
  });
}, 120_000);

afterAll(async () => {
  vi.unstubAllEnvs();
  await app.stop();
  await rm(folder, { recursive: true, force: true });
});

describe("the document of the interface", () => {
  const get = (path: string) =>
    ask("GET", `${app.operatorUrl}/api/v1${path}`, operatorToken) as Promise<Record<string, never>>;

  test("describes every operation with its role, and every schema in it can be used", async () => {
    const document = await get("/openapi.json");
    expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "/api/v1" }] });
    const described = Object.entries(document["paths"] ?? {}).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, { operationId: string; parameters: object[] }>).map(
        ([method, row]) => ({ path, method, ...row }),
      ),
    );
    expect(described.map((row) => row.operationId).toSorted()).toEqual(
      allOperations.map((row) => row.name).toSorted(),
    );
    const judge = new Ajv2020({ strict: false });
    for (const row of described) {
      const inPath = [...row.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      const parameters = row.parameters as { name: string; in: string; schema: object }[];
      expect(parameters.filter((item) => item.in === "path").map((item) => item.name)).toEqual(
        inPath,
      );
      for (const { schema } of parameters) judge.compile(schema);
      const body = (row as { requestBody?: { content: Record<string, { schema: object }> } })
        .requestBody;
      if (body !== undefined) judge.compile(body.content["application/json"]?.schema ?? false);
    }
  });

  test.each(Object.entries(examples))("its example of %s is answered", async (name, input) => {
    const row = allOperations.find((item) => item.name === name);
    const left = new Map(Object.entries(input));
    const path = (row?.path ?? "").replace(/:(\w+)/g, (_, part: string) => {
      const value = String(left.get(part));
      left.delete(part);
      return encodeURIComponent(value);
    });
    const rest = Object.fromEntries(left);
    const query = new URLSearchParams(
      Object.entries(rest).map(([key, value]): [string, string] => [key, String(value)]),
    );
    const url = `${app.operatorUrl}/api/v1${path}`;
    const answer =
      row?.method === "GET"
        ? await ask("GET", `${url}?${query.toString()}`, operatorToken)
        : await ask(row?.method ?? "", url, operatorToken, rest);
    expect(Object.keys(answer).length).toBeGreaterThan(0);
  });
});

describe("looking", () => {
  test("explain says which rule gives what, in lines and as JSON", async () => {
    await eventually(
      async () => {
        const { out } = await rolecall(["explain", "ada@example.com"]);
        expect(out).toContain("has:         claude_code_user (invited)");
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
    const answer = await json("explain", "ADA@example.com", "--connection", "anthropic");
    expect(answer).toMatchObject({
      person: { userName: "ada@example.com", active: true },
      connections: [{ connectionId: "anthropic" }],
    });
    const want = await rolecall(["explain", "ada@example.com", "--want", "instantly:admin"]);
    expect(want.out).toContain('instantly: "admin" is not held');
  });

  test.each([
    ["status", "lanes"],
    ["plan", "plans"],
    ["plan --identity ada@example.com --connection anthropic", "plans"],
    ["holds list", "holds"],
    ["parked list", "parked"],
    ["findings", "findings"],
    ["tasks list", "tasks"],
    ["roster list clay", "rosters"],
    ["tenant list", "tenants"],
    ["tenant show demo", "idps"],
    ["idp list", "idps"],
    ["pulse", "runs"],
    ["idp show okta", "idp"],
    ["link list", "links"],
    ["token list", "tokens"],
    ["credential list", "credentials"],
    ["mapping list", "mappings"],
  ])("%s prints a table, and the same as JSON", async (line, key) => {
    const words = line.split(" ");
    expect(await json(...words)).toHaveProperty(key);
    const plain = await rolecall(words);
    expect([plain.code, plain.err]).toEqual([exitCodes.ok, ""]);
    expect(plain.out.trim()).not.toBe("");
    expect(plain.out).not.toContain("[object");
    expect(plain.out).not.toContain("undefined");
  });

  test("idp show tells of one connection, in JSON too", async () => {
    const shown = await json("idp", "show", "okta");
    expect(shown).toMatchObject({ idp: { idpId: "okta" }, traffic: { quiet: false } });
    expect((await rolecall(["idp", "show", "okta"])).out).toContain("LAST REQUESTS");
  });

  test("flags may stand before the words of a command", async () => {
    const { code, out } = await rolecall(["--tenant", "demo", "--json", "idp", "list"]);
    expect([code, JSON.parse(out)]).toEqual([exitCodes.ok, expect.objectContaining({})]);
  });
});

describe("doing", () => {
  test("tenants and IdP connections are added, and a token is shown once", async () => {
    expect((await rolecall(["tenant", "add", "globex"])).code).toBe(exitCodes.ok);
    const added = await json(...["idp", "add", "hr-okta", "--kind", "okta", "--tenant", "globex"]);
    expect(added).toMatchObject({ token: expect.stringMatching(/^rc/) as string });
    const loaded = (...more: readonly string[]) =>
      rolecall(["idp", "loaded", "hr-okta", "--tenant", "globex", ...more]);
    expect((await loaded()).out).toContain("absence counts");
    expect((await loaded("--undo")).out).toContain("does not count");
    expect(JSON.stringify(await json("token", "list", "--tenant", "globex"))).not.toContain(
      String(added.token),
    );
    expect(await json("tenant", "show", "globex")).toMatchObject({
      people: { active: 0, total: 0 },
      idps: [{ idpId: "hr-okta" }],
    });
  });

  test("a token is made, used and revoked: it stops at its next request", async () => {
    const { tokenId, token } = await json(
      ...["token", "create", "--kind", "operator", "--label", "bob", "--days", "1"],
    );
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", String(token));
    expect((await rolecall(["status"])).code).toBe(exitCodes.ok);
    expect((await rolecall(["token", "revoke", String(tokenId)])).code).toBe(exitCodes.ok);
    expect((await rolecall(["status"])).code).toBe(exitCodes.refused);
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", operatorToken);
  });

  test("a credential is sealed from standard input and never shown", async () => {
    const secret = "sk-ant-admin01-very-secret";
    const { code, out } = await rolecall(["credential", "set", "spare-key"], `${secret}\n`);
    expect([code, out]).toEqual([exitCodes.ok, expect.stringContaining("sealed:spare-key is set")]);
    expect(JSON.stringify(await json("credential", "list"))).not.toContain(secret);
    expect((await rolecall(["credential", "set", "spare-key"], "")).code).toBe(exitCodes.usage);
  });

  test("a lane is paused and resumed; everything is stopped and started", async () => {
    const why = ["--why", "a test"];
    const lane = async () =>
      (await json("status")).lanes as readonly { connectionId: string; state: string }[];
    const stateOf = async () =>
      (await lane()).find((item) => item.connectionId === "instantly")?.state;
    expect((await rolecall(["lane", "pause", "instantly", ...why])).code).toBe(exitCodes.ok);
    expect(await stateOf()).toBe("paused");
    expect((await rolecall(["lane", "resume", "instantly", ...why])).code).toBe(exitCodes.ok);
    expect(await stateOf()).toBe("open");
    const stopped = await json("stop", ...why, "--covers", "grants");
    expect(stopped.stops).toEqual([expect.objectContaining({ covers: "grants", why: "a test" })]);
    expect((await json("start", ...why, "--covers", "grants")).stops).toEqual([]);
  });

  test("people are looked at again: reconcile, parked redrive", async () => {
    expect((await rolecall(["reconcile", "--identity", "ada@example.com"])).out).toMatch(
      /^\d+ accounts are looked at again/,
    );
    expect((await rolecall(["reconcile", "--connection", "anthropic"])).code).toBe(exitCodes.ok);
    expect((await rolecall(["parked", "redrive", "--all"])).out).toMatch(/^\d+ tried again/);
  });

  test("an account is linked to a person and unlinked by hand", async () => {
    const why = ["--why", "a test"];
    const set = ["link", "set", "instantly", "ada@example.com", "acc-1", "--email"];
    expect((await rolecall([...set, "ada@example.com", ...why])).code).toBe(exitCodes.ok);
    const links = (await json("link", "list", "--connection", "instantly")).links;
    expect(links).toEqual([expect.objectContaining({ accountId: "acc-1", origin: "manual" })]);
    const remove = ["link", "remove", "instantly", "ada@example.com", ...why];
    expect((await rolecall(remove)).code).toBe(exitCodes.ok);
    expect((await json("link", "list", "--connection", "instantly")).links).toEqual([]);
  });

  test("connect says whose credential it is, what it reads and every call that will be made", async () => {
    const { code, out } = await rolecall(["connect", "anthropic"]);
    expect(code).toBe(exitCodes.ok);
    expect(out).toMatch(
      /^anthropic: anthropic, profile console, mode additive\nanswers for .+, the one it is pinned to/m,
    );
    expect(out).toContain("accounts: answers, readable");
    expect(out).toMatch(/write POST +\/v1\/organizations\/invites/);
    expect(await json("connect", "intercom")).toMatchObject({
      report: { problem: null, byHand: expect.arrayContaining(["seat"]) as unknown },
    });
  });

  test("a list of members is brought once; a task is worked off and closes by the next list", async () => {
    const dora = await scim("POST", "/Users", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: "dora@example.com",
      active: true,
      emails: [{ value: "dora@example.com", primary: true }],
    });
    await scim("POST", "/Groups", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName: "Data",
      members: [{ value: dora.id }],
    });
    const { report } = await json("connect", "clay");
    const { id } = (report as { readonly organization: { readonly id: string } }).organization;
    const admin = "clay.service@example.com,Service,admin,active";
    const bring = (at: number, ...more: readonly string[]) => {
      const rows = [admin, ...more].map((row) => `${id},${row},${new Date(at).toISOString()}`);
      const head = "workspace_id,email,name,role,status,captured_at";
      return rolecall(["roster", "import", "clay", "-"], [head, ...rows].join("\n"));
    };
    const first = await bring(Date.now() - 5 * 60_000);
    expect([first.code, first.out]).toEqual([exitCodes.ok, expect.stringContaining("1 members")]);
    const stale = await bring(Date.now() - 9 * 60_000);
    expect(stale.code).not.toBe(exitCodes.ok);
    expect(stale.err).toContain("no newer");

    const clay = async () =>
      (await json("tasks", "list", "--connection", "clay", "--all")).tasks as readonly {
        readonly taskId: string;
        readonly state: string;
        readonly trust: string | null;
        readonly submittedAt: number;
      }[];
    let taskId = "";
    await eventually(
      async () => {
        taskId = (await clay())[0]?.taskId ?? "";
        return taskId !== "";
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
    const act = async (...words: readonly string[]) => {
      const [verb = "", ...flags] = words;
      return rolecall(["tasks", verb, taskId, ...flags]);
    };
    expect((await act("claim")).out).toBe("claimed\n");
    expect((await act("reject", "--why", "who is that?")).out).toBe("rejected\n");
    expect((await act("claim")).out).toBe("claimed\n");
    const ticket = ["--kind", "ticket", "--text", "OPS-1"];
    expect((await act("attach", ...ticket)).out).toBe("attached\n");
    const shown = (await act("show")).out;
    expect(shown).toContain("+ Invite, e-mail dora@example.com, role editor, Send invite");
    expect(shown).toContain("because data-builds-tables");
    expect(shown).toContain("OPS-1");
    expect((await act("done", "--note", "invited")).out).toMatch(
      /^submitted \(observed\): it closes/,
    );
    expect((await act("done")).err).toContain("you said so already");
    expect((await rolecall(["tasks", "show", "nothing"])).code).toBe(exitCodes.notThere);

    const said = (await clay())[0]?.submittedAt ?? 0;
    expect((await bring(said + 61_000, "dora@example.com,Dora,Editor,active")).err).toBe("");
    await eventually(
      async () => {
        const task = (await clay()).find((item) => item.taskId === taskId);
        expect([task?.state, task?.trust]).toEqual(["done", "observed"]);
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
  }, 180_000);

  test("what a webhook source took is held against its cap, and one without a cap is said", async () => {
    const { code, out } = await rolecall(["usage", "webhook", "clay", "inbound-leads", "10"]);
    expect([code, out]).toEqual([exitCodes.ok, expect.stringContaining("no cap is declared")]);
    const usage = "Table,Owner,Credits\nLeads,dora@example.com,3";
    expect((await rolecall(["usage", "import", "clay", "-"], usage)).out).toContain("no_cap");
    expect((await rolecall(["usage", "import", "clay", "-"], "Folder\nx")).err).toContain("column");
  });

  test("mapping files are read again, and nothing new proposes nothing", async () => {
    const { results } = await json("mapping", "apply");
    expect(results).toEqual([
      expect.objectContaining({ connectionId: "anthropic", outcome: "unchanged" }),
      expect.objectContaining({ connectionId: "clay", outcome: "unchanged" }),
      expect.objectContaining({ connectionId: "instantly", outcome: "unchanged" }),
      expect.objectContaining({ connectionId: "intercom", outcome: "unchanged" }),
    ]);
  });
});

describe("without the service", () => {
  test("mapping check runs the tests beside the files; --online compares names with what is there", async () => {
    const offline = await rolecall(["mapping", "check"]);
    expect([offline.code, offline.out]).toEqual([
      exitCodes.ok,
      expect.stringMatching(/ok {2}demo\/anthropic\.yaml: \d+ rules, \d+ people checked/),
    ]);
    expect(offline.out).not.toContain("has arrived");
    const online = await rolecall(["mapping", "check", "--online"]);
    expect(online.code).toBe(exitCodes.ok);
    expect(online.out).toContain('warning: no group "Platform" has arrived');
    expect(Array.isArray(await json("mapping", "check"))).toBe(true);
  });

  test("mapping check tells every problem of a broken file and ends with 3", async () => {
    const own = await mkdtemp(join(tmpdir(), "rolecall-broken-"));
    await mkdir(join(own, "demo"));
    await writeFile(
      join(own, "demo", "anthropic.yaml"),
      "version: 1\nvendor: anthropic\nrulez: []\n",
    );
    vi.stubEnv("ROLECALL_MAPPINGS", own);
    const { code, err } = await rolecall(["mapping", "check"]);
    vi.stubEnv("ROLECALL_MAPPINGS", mappings);
    await rm(own, { recursive: true });
    expect([code, err]).toEqual([exitCodes.negative, expect.stringContaining("anthropic.yaml:3")]);
  });

  test("capabilities tells roles, and with --endpoints every call that will ever be made", async () => {
    const short = await rolecall(["capabilities"]);
    expect(short.out).toContain("anthropic/console");
    expect(short.out).not.toContain("/v1/organizations");
    const long = await rolecall(["capabilities", "--endpoints"]);
    expect(long.out).toMatch(/write +POST +\/v1\/organizations\/invites/);
    expect(Array.isArray(await json("capabilities"))).toBe(true);
  });

  test("audit verify recomputes the record beside the running service", async () => {
    await eventually(async () => {
      const { code, out } = await rolecall(["audit", "verify"]);
      expect([code, out]).toEqual([exitCodes.ok, expect.stringMatching(/verif/)]);
    });
    expect(await json("audit", "verify")).toMatchObject({});
  });

  test("audit prove prints a proof that the public key alone checks, and a changed one is refused", async () => {
    const exported = (await rolecall(["audit", "export"])).out;
    const first = exported.split("\n")[1] ?? "";
    const { record } = JSON.parse(first) as { readonly record: { readonly recordId: string } };
    let proof = "";
    await eventually(
      async () => {
        const { code, out, err } = await rolecall(["audit", "prove", record.recordId]);
        expect([code, err]).toEqual([exitCodes.ok, ""]);
        proof = out;
      },
      { timeoutMs: 90_000, everyMs: 250 },
    );
    const key = (await rolecall(["audit", "key"])).out.trim();
    const check = async (name: string, text: string) => {
      const file = join(folder, name);
      await writeFile(file, text);
      return rolecall(["audit", "verify", "--proof", file, "--key", key]);
    };
    expect(await check("proof.json", proof)).toMatchObject({
      code: exitCodes.ok,
      out: expect.stringMatching(/proved/) as string,
    });
    const forged = await check("forged.json", proof.replace(/"action": "[^"]+"/, '"action": "x"'));
    expect([forged.code, forged.out]).toEqual([
      exitCodes.negative,
      expect.stringMatching(/does not hold this record/),
    ]);
    const wrongKey = await rolecall(["audit", "verify", "--key", "nonsense+1+2"]);
    expect(wrongKey.err).toMatch(/audit key/);
    const { out } = await rolecall(["audit", "verify", "--key", key]);
    expect(out).toMatch(/all signed/);
  });

  test("doctor says of every part whether it is right", async () => {
    const { out } = await rolecall(["doctor"]);
    expect(out).toMatch(/ok {2}Node\.js: v24/);
    expect(out).toMatch(/data folder: /);
  });
});

describe("an auditor's token", () => {
  const create = "token create --kind operator --label kim --role auditor".split(" ");

  test("has an end, reads, and changes nothing", async () => {
    for (const days of [[], ["--days", "400"]])
      expect((await rolecall([...create, ...days])).err).toContain("an auditor's token ends");
    const made = await rolecall([...create, "--days", "30", "--json"]);
    const { token } = JSON.parse(made.out) as { readonly token: string };
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", token);
    try {
      expect((await rolecall(["audit", "query", "--json"])).code).toBe(exitCodes.ok);
      const stopped = await rolecall(["stop", "--why", "trying"]);
      expect([stopped.code, stopped.err]).toEqual([
        exitCodes.refused,
        expect.stringContaining("this token only reads"),
      ]);
    } finally {
      vi.stubEnv("ROLECALL_ADMIN_TOKEN", operatorToken);
    }
  });
});

describe("a change of mapping files", () => {
  const git = (cwd: string, ...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...args], { cwd });

  test("is told for a pull request, by name, with a token that only reads", async () => {
    const made = await rolecall(
      "token create --kind operator --label ci --role read --json".split(" "),
    );
    const { token } = JSON.parse(made.out) as { readonly token: string };
    const repository = await mkdtemp(join(folder, "review-"));
    await cp(join(mappings, "demo"), join(repository, "mappings", "demo"), { recursive: true });
    git(repository, "init", "-q");
    git(repository, "add", ".");
    git(repository, "commit", "-q", "-m", "base");
    const file = join(repository, "mappings", "demo", "anthropic.yaml");
    const text = await readFile(file, "utf8");
    const rule =
      "rules:\n  - id: nobody-codes\n    when: { attribute: userType, equals: Employee }\n    deny: [{ kind: org_role, role: claude_code_user }]\n";
    await writeFile(file, text.replace(/^rules:\n/m, rule));
    const beside = (name: string) => join(repository, "mappings", "demo", name);
    const tenant = await readFile(beside("tenant.yaml"), "utf8");
    await writeFile(beside("tenant.yaml"), tenant.replace(/^zone: .*$/m, "zone: Asia/Tokyo"));
    await writeFile(
      beside("exceptions.yaml"),
      "version: 1\nexceptions:\n  - { person: ada@example.com, connection: anthropic, deny: { kind: org_role }, until: 2027-01-31, why: moved, by: ida }\n",
    );
    const hr = await readFile(beside("hr.yaml"), "utf8");
    await writeFile(
      beside("hr.yaml"),
      hr.replace(/^version: 1$/m, "version: 1\nabsence: withdraw"),
    );
    vi.stubEnv("ROLECALL_MAPPINGS", join(repository, "mappings"));
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", token);
    try {
      const { code, out, err } = await rolecall(["mapping", "diff", "--base", "HEAD"]);
      expect([code, err]).toEqual([exitCodes.ok, ""]);
      expect(out).toContain("### demo/anthropic");
      expect(out).toContain("- `rule nobody-codes added:");
      expect(out).toMatch(/\| `ada@example\.com` \|.*\| `org_role .*claude_code_user` \|/);
      expect(out).toMatch(/### demo\/tenant\.yaml\n\n- `zone: .* → "Asia\/Tokyo"`/);
      expect(out).toContain(
        "- `added: ada@example.com: deny org_role at anthropic, until 2027-01-3",
      );
      expect(out).toContain('### demo/hr.yaml\n\n- `employment.absence: "keep" → "withdraw"`');
      const { differences } = await json("mapping", "diff", "--base", "HEAD", "--format", "json");
      expect(differences).toMatchObject([
        { connection: "anthropic", answer: { simulation: { lose: 1 }, unnamed: 0 } },
      ]);
      const nowhere = await rolecall(["mapping", "diff", "--base", "--output=x"]);
      expect(nowhere.code).toBe(exitCodes.usage);
      const paused = await rolecall(["lane", "pause", "anthropic", "--why", "may I"]);
      expect([paused.code, paused.err]).toEqual([
        exitCodes.refused,
        expect.stringContaining("this token only reads"),
      ]);
    } finally {
      vi.stubEnv("ROLECALL_MAPPINGS", mappings);
      vi.stubEnv("ROLECALL_ADMIN_TOKEN", operatorToken);
    }
  });

  test("is shown with its versions, and one that waits for nothing is not decided", async () => {
    const { mappings: versions } = await json("mapping", "list");
    const [version] = versions as readonly { readonly versionId: string }[];
    const { out } = await rolecall(["mapping", "show", version?.versionId ?? ""]);
    expect(out).toMatch(/: active\nproposed .*inside-rails by start/s);
    for (const line of [["approve"], ["refuse", "--why", "no"], ["resume", "--why", "on"]]) {
      const [verb = "", ...flags] = line;
      const { code } = await rolecall(["mapping", verb, version?.versionId ?? "", ...flags]);
      expect([verb, code]).toEqual([verb, exitCodes.notThere]);
    }
  });
});

describe("first contact with a vendor", () => {
  test("is told, becomes a mapping file, and is signed for", async () => {
    await eventually(async () => {
      const { out } = await rolecall(["adopt", "instantly"]);
      expect(out).toMatch(
        /^instantly: additive, listed .*, nobody has signed for it\n\d+ accounts: /,
      );
    });
    const file = join(folder, "instantly.yaml");
    const signed = ["adopt", "instantly", "--write", file, "--sign-off", "--why", "read"];
    expect(await rolecall(signed)).toMatchObject({
      code: exitCodes.ok,
      err: expect.stringContaining("signed off: instantly") as string,
    });
    expect(await readFile(file, "utf8")).toMatch(/^mode: report-only$/m);
    expect((await rolecall(signed)).code).toBe(exitCodes.usage);
    expect((await rolecall(["adopt", "instantly"])).out).toMatch(/signed for by bootstrap/);
    expect((await rolecall(["adopt", "nowhere"])).code).toBe(exitCodes.notThere);
  });

  test("and what was done for somebody there is shown before it is taken back", async () => {
    await eventually(async () => {
      const { out } = await rolecall(["undo", "ada@example.com", "--connection", "anthropic"]);
      expect(out).toMatch(/create_account .*undo +the account or its invitation goes/);
    });
    const nothing = ["undo", "ada@example.com", "--connection", "clay", "--why", "a test"];
    expect((await rolecall(nothing)).code).toBe(exitCodes.notThere);
  });

  test("leaves accounts for people to decide, in a file with owner and reason", async () => {
    const { out } = await rolecall(["link", "export", "instantly"]);
    const [header = "", first = ""] = out.split("\n");
    expect(header).toBe(
      "connection,account,address,state,role,kind,candidates,decision,identity,owner,reason,until",
    );
    const [connection = "", account = ""] = first.split(",");
    const file = (owner: string) =>
      `connection,account,decision,owner,reason,until\n${connection},${account},accept,${owner},runs the billing,2027-01-31\n`;
    const unowned = await rolecall(["link", "import", "-"], file(""));
    expect([unowned.code, unowned.err]).toEqual([
      exitCodes.usage,
      expect.stringContaining("row 1 has a decision and no owner"),
    ]);
    const done = await rolecall(["link", "import", "-"], file("ops@example.com"));
    expect([done.code, done.err]).toEqual([exitCodes.ok, ""]);
    expect((await rolecall(["link", "export", "instantly"])).out).toMatch(
      /,accepted,.*,ops@example\.com,runs the billing,2027-01-31T23:59:59\.999Z/,
    );
    const wrong = file("ops@example.com").replace(`,${account},`, ",nothing,");
    expect((await rolecall(["link", "import", "-"], wrong)).code).toBe(exitCodes.negative);
  });
});

describe("leaving", () => {
  const confirm = (typed: string, ...more: readonly string[]) =>
    rolecall(["offboard", "ada@example.com", "--why", "left at once", ...more], typed);
  const caseIds = async () => {
    const { cases } = await json("case", "list");
    return (cases as readonly { readonly caseId: string }[]).map((item) => item.caseId);
  };

  test("a rehearsal says what ends for good and what is in the way, of one person and of everybody", async () => {
    const one = await rolecall(["offboard", "--rehearse", "ada@example.com"]);
    expect([one.code, one.err]).toEqual([exitCodes.ok, ""]);
    expect(one.out).toContain("gone for good: personal API keys");
    const all = await json("offboard", "--rehearse", "--all");
    expect(all).toHaveProperty("people");
    expect(await caseIds()).toEqual([]);
  });

  test("access ends only where the address was typed", async () => {
    for (const typed of ["", "somebody@example.com\n"]) {
      const refused = await confirm(typed);
      expect(refused.code).not.toBe(exitCodes.ok);
      expect(refused.err).toContain("nothing was done");
    }
    expect((await rolecall(["offboard", "ada@example.com"])).code).toBe(exitCodes.usage);
    expect(await caseIds()).toEqual([]);
  });

  test("an order ends it at every vendor, and the case tells the whole story on its clocks", async () => {
    const ordered = await confirm("ada@example.com\n", "--emergency");
    expect([ordered.code, ordered.out]).toEqual([
      exitCodes.ok,
      expect.stringContaining("no rail holds it"),
    ]);
    expect(ordered.err).toContain("gone for good");
    await eventually(
      async () => {
        const { out } = await rolecall(["case", "show", "ada@example.com"]);
        expect(out).toMatch(/anthropic \(api\): contained \d.* from the signal, removed \d/);
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
    const story = await rolecall(["case", "show", "ada@example.com"]);
    expect(story.out).toContain("told by operator");
    expect(story.out).toContain("HR         told no leave instant");
    expect(story.out).toMatch(/ordered .* emergency: left at once/);
    expect(story.out).toContain("cancel_invitation");
    const [caseId = ""] = await caseIds();
    expect(await json("case", "show", caseId)).toMatchObject({
      case: { caseId, source: "operator" },
      packHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
  });

  test("a duty is settled by a person once, with why, and an order is taken back", async () => {
    const [caseId = ""] = await caseIds();
    const settle = () =>
      rolecall(
        ["case", "settle", caseId, "--duty", "verify", "--connection", "anthropic"].concat([
          "--outcome",
          "waived",
          "--why",
          "seen by eye",
        ]),
      );
    expect((await settle()).code).toBe(exitCodes.ok);
    expect((await settle()).code).toBe(exitCodes.notThere);
    expect((await rolecall(["case", "show", caseId])).out).toMatch(/verify +waived/);
    const readmit = () => rolecall(["readmit", "ada@example.com", "--why", "a mistake"]);
    expect((await readmit()).code).toBe(exitCodes.ok);
    expect((await readmit()).code).toBe(exitCodes.notThere);
    await eventually(
      async () => {
        const { out } = await rolecall(["explain", "ada@example.com"]);
        expect(out).toContain("claude_code_user (invited)");
      },
      { timeoutMs: 60_000, everyMs: 250 },
    );
  });

  test("without a channel a test of notices says what to set", async () => {
    const { code, err } = await rolecall(["notify", "test"]);
    expect(code).not.toBe(exitCodes.ok);
    expect(err).toContain("ROLECALL_NOTIFY_WEBHOOK");
    expect((await rolecall(["notify", "list"])).out).toContain("nothing was told");
    expect((await rolecall(["notify", "retry"])).out).toContain("0 sent again");
  });
});

describe("the shell is told", () => {
  test.each([
    [exitCodes.usage, "no such command", ["frobnicate"]],
    [exitCodes.usage, "a missing argument", ["explain"]],
    [exitCodes.usage, "a missing flag", ["holds", "approve", "h1"]],
    [exitCodes.usage, "an unknown flag", ["status", "--colour"]],
    [
      exitCodes.usage,
      "a value that the service refuses",
      ["stop", "--why", "a test", "--covers", "y"],
    ],
    [exitCodes.notThere, "nobody of that name", ["explain", "nobody@example.com"]],
    [exitCodes.notThere, "no such connection", ["lane", "pause", "nowhere", "--why", "a test"]],
    [exitCodes.notThere, "no such hold", ["holds", "reject", "nothing", "--why", "a test"]],
    [exitCodes.notThere, "no such token", ["token", "revoke", "nothing"]],
    [exitCodes.notThere, "no such IdP connection", ["idp", "show", "nowhere"]],
    [exitCodes.notThere, "no such IdP connection, in JSON too", ["idp", "show", "no", "--json"]],
    [exitCodes.notThere, "no such tenant", ["tenant", "show", "nowhere"]],
    [exitCodes.unreachable, "no service", ["status", "--url", "http://127.0.0.1:9"]],
  ])("%i: %s", async (code, _what, line) => {
    const ended = await rolecall(line);
    expect(ended).toMatchObject({ code, out: "" });
    expect(ended.err.trim()).not.toBe("");
    expect(ended.err).not.toMatch(/\n {4}at /);
  });

  test("5: a token that is not known", async () => {
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", `rco_${"w".repeat(43)}`);
    const { code, err } = await rolecall(["status"]);
    vi.stubEnv("ROLECALL_ADMIN_TOKEN", operatorToken);
    expect([code, err]).toEqual([exitCodes.refused, expect.stringContaining("token")]);
  });

  test("every command explains itself, and help names them all", async () => {
    const help = await rolecall(["help"]);
    expect(help.code).toBe(exitCodes.ok);
    for (const command of commands) {
      expect(help.out).toContain(command.words);
      const own = await rolecall([...command.words.split(" "), "--help"]);
      expect([own.code, own.out]).toEqual([exitCodes.ok, expect.stringContaining(command.usage)]);
    }
    expect((await rolecall(["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
