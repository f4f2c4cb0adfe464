// Goal: a planned leave is readable by the role hr alone until its instant: not in any answer, command, log line, record or file.
// Method: the service as a process of its own, a leave with dates and a zone that are found by their text, planned and parked; everything
// that an operator without the role could read is kept and searched. The same look-ups with the role find it.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allOperations } from "../../src/console/operations/all.ts";
import { signatureOf } from "../../src/hr/signature.ts";
import { eventually } from "../support/eventually.ts";
import { exchange } from "../support/http-exchange.ts";

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));
const adminToken = `admin-${randomBytes(16).toString("hex")}`;
const scimToken = `scim-${randomBytes(16).toString("hex")}`;

const leave = { date: "2031-03-17", time: "16:45", zone: "Antarctica/Troll" };
const leavesAt = Date.UTC(2031, 2, 17, 16, 45);
/** What only HR may know, in each form that it might take. */
const markers = [
  leave.date,
  leave.zone,
  String(leavesAt),
  new Date(leavesAt).toISOString().slice(0, 16).replace("T", " "),
  "leave.planned",
  "planned-town",
];

const mapping = `version: 1
vendor: anthropic
profile: console
connection: { credential: sealed:anthropic-admin }
mode: additive
account: { match: email, domains: [example.com], leaver: remove, create: invite }
rules:
  - id: engineers
    when: { everyone: true }
    grant: [{ kind: org_role, role: developer }]
`;

let folder = "";
let environment: Record<string, string> = {};
let service: ReturnType<typeof start>;
const urls = { public: "", operator: "" };
let secret = "";
const tokens = { plain: "", hr: "" };

function start(args: readonly string[], token = adminToken) {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { PATH: process.env.PATH ?? "", ...environment, ROLECALL_ADMIN_TOKEN: token },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, said: () => said, ended };
}

async function cli(args: readonly string[], token: string): Promise<string> {
  const run = start([...args, "--url", urls.operator], token);
  await run.ended;
  return run.said();
}

async function ask(method: string, path: string, token: string, json?: unknown): Promise<string> {
  const answer = await exchange(`${urls.operator}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(json === undefined ? {} : { json }),
  });
  return answer.text;
}

async function sayEvent(event: object): Promise<number> {
  const body = Buffer.from(JSON.stringify(event));
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const headers = { "content-type": "application/json", "rolecall-source": "workday" };
  const signature = `v1=${signatureOf(secret, timestamp, { headers, body })}`;
  const response = await fetch(`${urls.public}/hr/v1/events`, {
    method: "POST",
    body,
    headers: {
      ...headers,
      "rolecall-timestamp": timestamp,
      "rolecall-signature": signature,
    },
  });
  await response.text();
  return response.status;
}

/** The answer of every operation that only reads, with whatever input it takes. */
async function everyAnswer(token: string, identityId: string): Promise<string> {
  const known: Readonly<Record<string, string>> = {
    identity: identityId,
    q: "ada@example.com",
    connection: "anthropic",
    connectionId: "anthropic",
    source: "workday",
    key: "1042",
    identityId,
  };
  const answers: string[] = [];
  for (const operation of allOperations) {
    if (operation.method !== "GET") continue;
    const path = operation.path.replace(/:(\w+)/g, (_part, name: string) => known[name] ?? "none");
    const plain = await ask("GET", path, token);
    const query = new URLSearchParams({ identity: identityId, q: "ada@example.com" });
    answers.push(plain, await ask("GET", `${path}?${query.toString()}`, token));
  }
  return answers.join("\n");
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rolecall-hr-"));
  await mkdir(join(folder, "mappings", "default"), { recursive: true });
  await writeFile(join(folder, "mappings", "default", "anthropic.yaml"), mapping);
  await writeFile(
    join(folder, "mappings", "default", "tenant.yaml"),
    "version: 1\nidps: { okta: { kind: okta } }\n",
  );
  environment = {
    PORT: "0",
    ROLECALL_OPERATOR_PORT: "0",
    ROLECALL_DATA_DIR: join(folder, "data"),
    ROLECALL_MAPPINGS: join(folder, "mappings"),
    ROLECALL_SANDBOX: "1",
    ROLECALL_LOG_LEVEL: "debug",
    ROLECALL_SCIM_TOKEN: scimToken,
  };
  service = start(["serve"]);
  await eventually(() => expect(service.said()).toMatch(/for you +http:\S+/), {
    timeoutMs: 90_000,
  });
  const scim = /for identity providers +(\S+)/.exec(service.said())?.[1] ?? "";
  urls.public = scim.replace(/\/scim\/v2\/?$/, "");
  urls.operator = (/for you +(\S+)\/console/.exec(service.said())?.[1] ?? "").replace(/\/$/, "");
  const created = await ask("POST", "/hr/sources", adminToken, { source: "workday" });
  secret = (JSON.parse(created) as { secret: string }).secret;
  const token = async (more: object) => {
    const answer = await ask("POST", "/tokens", adminToken, {
      kind: "operator",
      label: "test",
      ...more,
    });
    return (JSON.parse(answer) as { token: string }).token;
  };
  tokens.plain = await token({});
  tokens.hr = await token({ role: "hr" });
});

afterAll(async () => {
  service.child.kill("SIGTERM");
  await service.ended;
  await rm(folder, { recursive: true, force: true });
});

test("a planned leave shows to the role hr, and to nobody else, in nothing that can be read", async () => {
  const user = await exchange(`${urls.public}/scim/v2/Users`, {
    method: "POST",
    headers: { authorization: `Bearer ${scimToken}`, "content-type": "application/scim+json" },
    json: {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: "ada@example.com",
      active: true,
      emails: [{ value: "ada@example.com", primary: true }],
    },
  });
  expect(user.status).toBe(201);
  const person = { id: "1042", email: "ada@example.com" };
  expect(await sayEvent({ id: "e1", type: "change", person })).toBe(202);
  expect(await sayEvent({ id: "e2", type: "leave.planned", person, end: leave })).toBe(202);
  // One without a zone is parked: its reason names what it says.
  const parked = { ...person, location: "planned-town" };
  expect(await sayEvent({ id: "e3", type: "leave.planned", person: parked, end: leave.date })).toBe(
    202,
  );
  const found = JSON.parse(await ask("GET", "/people?q=ada%40example.com", tokens.plain)) as {
    people: { identityId: string }[];
  };
  const identityId = found.people[0]?.identityId ?? "";
  // The recompute has looked at it: whatever follows from the leave has been written.
  await eventually(async () => {
    const status = JSON.parse(await ask("GET", "/status", tokens.plain)) as {
      backlog: { owed: number };
    };
    expect(status.backlog.owed).toBe(0);
  });
  const seen = {
    answers: await everyAnswer(tokens.plain, identityId),
    explain: await cli(["explain", "ada@example.com"], tokens.plain),
    parked: await cli(["parked"], tokens.plain),
    record: await cli(["audit", "export"], tokens.plain),
    log: service.said(),
  };
  for (const [where, text] of Object.entries(seen)) {
    expect(text.length, where).toBeGreaterThan(50);
    for (const marker of markers) expect(text, `${marker} in ${where}`).not.toContain(marker);
  }
  expect(seen.parked).toContain("NO_ZONE");
  expect(seen.answers).not.toContain('"confidential":true');
  // With the role each look-up finds it: the search above could have.
  const forHr = await everyAnswer(tokens.hr, identityId);
  for (const marker of [leave.date, leave.zone, String(leavesAt), "planned-town"])
    expect(forHr).toContain(marker);
  expect(await cli(["explain", "ada@example.com"], tokens.hr)).toContain(
    "leaves 2031-03-17 16:45:00 UTC (2031-03-17 16:45 Antarctica/Troll)",
  );
});
