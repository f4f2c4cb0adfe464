import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startApp, type App } from "../../src/app.ts";
import { readConfig } from "../../src/config/config.ts";
import { eventually } from "./eventually.ts";
import { ask } from "./rolecall-process.ts";

const mappings = fileURLToPath(new URL("../../mappings", import.meta.url));
const operatorToken = `rco_${"o".repeat(43)}`;
const scimToken = `rcs_${"s".repeat(43)}`;
const userSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

/** The service on the sandbox with a small company in it: something is held, somebody left, people have work by hand. */
export class ConsoleScene {
  readonly app: App;
  readonly #folder: string;

  private constructor(app: App, folder: string) {
    this.app = app;
    this.#folder = folder;
  }

  static async open(env: Readonly<Record<string, string>> = {}): Promise<ConsoleScene> {
    const folder = await mkdtemp(join(tmpdir(), "rolecall-console-"));
    const app = await startApp(
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
        ...env,
      }),
    );
    return new ConsoleScene(app, folder);
  }

  get url(): string {
    return `${this.app.operatorUrl}/console`;
  }

  api(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
    return ask(method, `${this.app.operatorUrl}/api/v1${path}`, operatorToken, body);
  }

  async scim(method: string, path: string, body: object): Promise<string> {
    const answer = await ask(method, `${this.app.scimUrl ?? ""}/scim/v2${path}`, scimToken, body);
    return String(answer["id"]);
  }

  hire(userName: string, displayName: string, more: object = {}): Promise<string> {
    return this.scim("POST", "/Users", {
      schemas: [userSchema],
      userName,
      displayName,
      active: true,
      emails: [{ value: userName, primary: true }],
      userType: "Employee",
      ...more,
    });
  }

  group(displayName: string, members: readonly string[]): Promise<string> {
    return this.scim("POST", "/Groups", {
      schemas: [groupSchema],
      displayName,
      members: members.map((value) => ({ value })),
    });
  }

  /** A link that signs somebody in; yourself, an admin, unless told otherwise. */
  async link(as?: string, role?: string): Promise<string> {
    const wish = { ...(as === undefined ? {} : { as }), ...(role === undefined ? {} : { role }) };
    return String((await this.api("POST", "/sign-in-links", wish))["url"]);
  }

  /** The company: two platform leads (the second one's admin right is held), an engineer, one who leaves, one parked. */
  async fill(): Promise<void> {
    const lead = { title: "Platform Lead" };
    const ada = await this.hire("ada@example.com", "Ada Byron", { title: "Engineer" });
    const grace = await this.hire("grace@example.com", "Grace Hopper", lead);
    const edith = await this.hire("edith@example.com", "Edith Clarke", lead);
    const mary = await this.hire("mary@example.com", "Mary Somerville");
    await this.group("Engineering", [ada, mary]);
    await this.group("Platform", [grace, edith]);
    await this.api("POST", "/idps/okta/loaded", {});
    await eventually(
      async () => {
        const { holds } = (await this.api("GET", "/holds?state=open")) as { holds: unknown[] };
        return holds.length > 0;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
    await this.scim("PATCH", `/Users/${mary}`, {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
      Operations: [{ op: "replace", path: "active", value: false }],
    });
    await eventually(
      async () => {
        const { cases } = (await this.api("GET", "/cases")) as { cases: unknown[] };
        return cases.length > 0;
      },
      { timeoutMs: 60_000, everyMs: 100 },
    );
  }

  async close(): Promise<void> {
    await this.app.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
