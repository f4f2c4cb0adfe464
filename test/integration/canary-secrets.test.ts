// Goal: no secret is printed, whatever happens: not in output, logs, answers, errors, records, exports or files beside its own.
// Method: the service as a process of its own with secrets that are found by their text, a joiner, a leaver, refused keys and broken
// requests; everything that anybody could read is kept and searched.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tokenHash } from "../../src/credentials/tokens.ts";
import { systemClock } from "../../src/model/clock.ts";
import {
  startAnthropicSimulator,
  type AnthropicSimulator,
} from "../../src/sandbox/anthropic/anthropic-simulator.ts";
import { eventually } from "../support/eventually.ts";
import { exchange } from "../support/http-exchange.ts";
import { ScimClient } from "../support/scim-client.ts";

const launcher = fileURLToPath(new URL("../../src/bin.js", import.meta.url));
const random = (bytes: number) => randomBytes(bytes).toString("hex");

/** Each is found by its text. */
const secrets = {
  sealKey: random(32),
  scimToken: `canary-scim-${random(16)}`,
  adminToken: `canary-admin-${random(16)}`,
  vendorKey: `sk-ant-admin01-canary-${random(16)}`,
  refusedKey: `sk-ant-admin01-refused-${random(16)}`,
};

const mapping = `version: 1
vendor: anthropic
profile: console
connection: { credential: sealed:anthropic-admin }
mode: additive
account: { match: email, domains: [example.com], leaver: remove, create: invite }
timing: { debounce: 1s, grace: 0s, verify: [0s] }
rules:
  - id: engineers
    when: { group: Engineering }
    grant: [{ kind: org_role, role: developer }]
`;

/** Everything that somebody could read, by where it was read. */
const seen: { readonly where: string; readonly text: string }[] = [];
const keep = (where: string, text: string): string => {
  seen.push({ where, text });
  return text;
};

let folder = "";
let vendor: AnthropicSimulator;
let environment: Record<string, string> = {};
let service: ReturnType<typeof start>;
let urls = { scim: "", operator: "" };

function start(args: readonly string[], input = "") {
  const child = spawn(process.execPath, [launcher, ...args], {
    env: { PATH: process.env.PATH ?? "", ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, said: () => said, ended };
}

async function cli(args: readonly string[], input = ""): Promise<number | null> {
  const run = start(args, input);
  const code = await run.ended;
  keep(`rolecall ${args.join(" ")}`, run.said());
  return code;
}

async function operator(
  method: string,
  path: string,
  more: { readonly json?: unknown; readonly text?: string; readonly token?: string } = {},
): Promise<string> {
  const { token = secrets.adminToken, ...body } = more;
  const answer = await exchange(`${urls.operator}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...body,
  });
  return keep(`${method} ${path}`, answer.text);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rolecall-canary-"));
  await mkdir(join(folder, "mappings", "default"), { recursive: true });
  await writeFile(join(folder, "mappings", "default", "anthropic.yaml"), mapping);
  await writeFile(
    join(folder, "mappings", "default", "tenant.yaml"),
    "version: 1\nidps: { okta: { kind: okta } }\n",
  );
  vendor = await startAnthropicSimulator({ clock: systemClock(), apiKey: secrets.vendorKey });
  environment = {
    PORT: "0",
    ROLECALL_OPERATOR_PORT: "0",
    ROLECALL_DATA_DIR: join(folder, "data"),
    ROLECALL_MAPPINGS: join(folder, "mappings"),
    ROLECALL_SANDBOX: "1",
    ROLECALL_SANDBOX_VENDORS: `anthropic=${vendor.url}`,
    ROLECALL_LOG_LEVEL: "debug",
    ROLECALL_SEAL_KEY: secrets.sealKey,
    ROLECALL_SCIM_TOKEN: secrets.scimToken,
    ROLECALL_ADMIN_TOKEN: secrets.adminToken,
  };
  service = start(["serve"]);
  await eventually(() => expect(service.said()).toMatch(/for you +http:\S+/), {
    timeoutMs: 90_000,
  });
  urls = {
    scim: /for identity providers +(\S+)/.exec(service.said())?.[1] ?? "",
    operator: (/for you +(\S+)\/console/.exec(service.said())?.[1] ?? "").replace(/\/$/, ""),
  };
  environment = { ...environment, ROLECALL_API_URL: urls.operator };
}, 120_000);

afterAll(async () => {
  service.child.kill("SIGKILL");
  await vendor.close();
  await rm(folder, { recursive: true, force: true });
});

test(
  "a story with joiners, a leaver, a refused key and broken requests prints none of the planted secrets",
  { timeout: 400_000 },
  async () => {
    const scim = new ScimClient(urls.scim, secrets.scimToken);
    const send = async (method: string, path: string, body?: unknown) => {
      const reply = await scim.send(method, path, body);
      keep(`${method} ${path}`, `${JSON.stringify([...reply.headers])}${reply.text}`);
      return reply;
    };
    const person = (name: string) => ({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
      userName: `${name}@example.com`,
      active: true,
      emails: [{ value: `${name}@example.com`, primary: true }],
      password: secrets.scimToken,
    });
    const invited = () =>
      vendor
        .state()
        .invites.map((invite) => invite.email)
        .toSorted();

    // A key that works, joiners, a leaver.
    expect(await cli(["credential", "set", "anthropic-admin"], `${secrets.vendorKey}\n`)).toBe(0);
    expect(await cli(["idp", "loaded", "okta"])).toBe(0);
    const ids: string[] = [];
    for (const name of ["ada", "bo"]) {
      const made = await send("POST", "/Users", person(name));
      expect(made.status).toBe(201);
      ids.push(String(made.body.id));
    }
    await send("POST", "/Groups", {
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"],
      displayName: "Engineering",
      members: ids.map((value) => ({ value })),
    });
    await eventually(() => expect(invited()).toEqual(["ada@example.com", "bo@example.com"]), {
      timeoutMs: 120_000,
      everyMs: 200,
    });

    // A key that the vendor refuses: its errors speak of the credential.
    expect(await cli(["credential", "set", "anthropic-admin"], secrets.refusedKey)).toBe(0);
    await send("PATCH", `/Users/${ids[0] ?? ""}`, {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
      Operations: [{ op: "replace", value: { active: false } }],
    });
    await eventually(
      async () => expect(await operator("GET", "/status")).toContain("CREDENTIAL_REFUSED"),
      { timeoutMs: 120_000, everyMs: 500 },
    );

    // Requests that are wrong in every way that repeats what it got.
    for (const token of [`${secrets.scimToken}x`, secrets.adminToken, secrets.sealKey]) {
      const reply = await new ScimClient(urls.scim, token).get("/Users");
      expect(reply.status).toBe(401);
      keep("GET /Users with a wrong token", reply.text);
    }
    await send("POST", "/Users", `{ "userName": ${secrets.vendorKey}`);
    await send("POST", "/Users", { ...person("cy"), active: secrets.vendorKey.slice(0, 3) });
    await operator("PUT", "/credentials/broken", { text: `{ "secret": ${secrets.refusedKey} }` });
    await operator("PUT", "/credentials/broken", { json: { secret: `${secrets.refusedKey}\nx` } });
    await operator("PUT", "/credentials/Broken", { json: { secret: secrets.refusedKey } });
    await operator("GET", "/status", { token: secrets.scimToken });
    await cli(["credential", "set", "broken"], `${secrets.refusedKey}\nsecond line`);

    // Everything that shows something.
    for (const path of [
      "/credentials",
      "/tokens",
      "/mappings",
      "/mappings/facts",
      "/audit/records",
      "/lanes",
      "/parked",
      "/targets",
      "/people",
      "/findings",
      "/holds",
      "/links",
      "/idps",
    ])
      await operator("GET", path);
    keep("/metrics", (await exchange(`${urls.operator}/metrics`)).text);
    keep("/readyz", (await exchange(`${urls.operator}/readyz`)).text);
    for (const words of [
      "status",
      "credential list",
      "token list",
      "mapping list",
      "parked list",
      "findings",
      "holds list",
      "idp list",
      "link list",
      "doctor",
      "mapping check",
      "plan",
      "explain ada@example.com",
      "capabilities",
    ])
      await cli(words.split(" "));
    for (const words of ["status", "plan", "explain ada@example.com"])
      await cli([...words.split(" "), "--json"]);

    service.child.kill("SIGTERM");
    await service.ended;
    keep("the service", service.said());
    await cli(["audit", "verify", "--json"]);
    for (const entry of await readdir(join(folder, "data"), {
      recursive: true,
      withFileTypes: true,
    }))
      if (entry.isFile()) {
        const path = join(entry.parentPath, entry.name);
        keep(path, (await readFile(path)).toString("latin1"));
      }

    // It was a story: otherwise nothing of this would mean much.
    expect(seen.length).toBeGreaterThan(50);
    // What is kept of a token is seen in the store: the search looks where secrets would lie.
    expect(seen.some(({ text }) => text.includes(tokenHash(secrets.scimToken)))).toBe(true);
    expect(service.said()).toContain("CREDENTIAL_REFUSED");
    const found = Object.entries(secrets).flatMap(([name, secret]) =>
      [secret, Buffer.from(secret, "utf8").toString("base64"), encodeURIComponent(secret)].flatMap(
        (form) =>
          seen.filter(({ text }) => text.includes(form)).map(({ where }) => `${name}: ${where}`),
      ),
    );
    expect(found).toEqual([]);
  },
);
