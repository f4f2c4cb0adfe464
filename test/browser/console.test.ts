// Goal: everything that an operator sees and does in the console works in a real browser, with and without JavaScript, for keyboards and
// screen readers, and leaves its record.
// Method: the real service on the sandbox, a real Chromium, axe on every page; pictures in test/artefacts.
import { readFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fileSource } from "../../src/audit/export.ts";
import { verifyAudit } from "../../src/audit/verify.ts";
import { barriers, findChromium, openBrowser, picture } from "../support/browser.ts";
import { ConsoleScene } from "../support/console-scene.ts";
import { describeReal } from "../support/real-server.ts";

describeReal("the console in a browser", findChromium(), (chromium) => {
  let scene: ConsoleScene;
  let browser: Browser;
  let closeBrowser: () => Promise<void>;
  const problems: string[] = [];

  /** A window of its own, signed in. */
  async function signedIn(
    options: Parameters<Browser["newContext"]>[0] = {},
    as?: string,
    role?: string,
  ): Promise<{ readonly context: BrowserContext; readonly page: Page }> {
    const context = await browser.newContext({
      viewport: { width: 1360, height: 900 },
      // Colours that fade from one to the next have no contrast of their own.
      reducedMotion: "reduce",
      ...options,
    });
    const page = await context.newPage();
    page.on("pageerror", (error) => problems.push(`${page.url()}: ${error.message}`));
    page.on("console", (message) => {
      // A refusal that a test provokes is an answer, not a fault of the page.
      if (message.type() === "error" && !/status of 4\d\d/.test(message.text()))
        problems.push(`${page.url()}: ${message.text()}`);
    });
    await page.goto(await scene.link(as, role));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();
    return { context, page };
  }

  const heading = (page: Page) => page.getByRole("heading", { level: 1 }).innerText();
  const go = async (page: Page, path: string) => page.goto(`${scene.url}${path}`);

  async function records(action: string): Promise<readonly { actor: { id: string } }[]> {
    const answer = (await scene.api("GET", `/audit/records?action=${action}`)) as {
      records: { record: { actor: { id: string } } }[];
    };
    return answer.records.map((item) => item.record);
  }

  beforeAll(async () => {
    scene = await ConsoleScene.open();
    await scene.fill();
    ({ browser, close: closeBrowser } = await openBrowser(chromium));
  }, 180_000);
  afterAll(async () => {
    await closeBrowser?.();
    await scene?.close();
  });

  test("nobody sees anything without signing in, and a link signs in once", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await go(page, "/people");
    expect(page.url()).toBe(`${scene.url}/sign-in`);
    expect(await barriers(page)).toEqual([]);
    await picture(page, "sign-in");
    const link = await scene.link();
    await page.goto(link);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { level: 1, name: "Today" }).waitFor();
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/console" });
    const other = await browser.newContext();
    const again = await other.newPage();
    await again.goto(link);
    await again.getByRole("button", { name: "Sign in" }).click();
    await again.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await go(page, "/");
    expect(page.url()).toBe(`${scene.url}/sign-in`);
    await context.close();
    await other.close();
  });

  test("every page has its heading, no barrier and no fault, in light and dark", async () => {
    const holds = (await scene.api("GET", "/holds?state=open")) as { holds: { holdId: string }[] };
    const cases = (await scene.api("GET", "/cases")) as { cases: { caseId: string }[] };
    const tasks = (await scene.api("GET", "/tasks")) as { tasks: { taskId: string }[] };
    const people = (await scene.api("GET", "/people?q=grace")) as {
      people: { identityId: string }[];
    };
    const versions = (await scene.api("GET", "/mappings")) as {
      mappings: { versionId: string; connectionId: string }[];
    };
    const review = (await scene.api("POST", "/reviews", { title: "Spring" })) as {
      review: { reviewId: string };
    };
    const version = versions.mappings.find((item) => item.connectionId === "anthropic");
    const paths = [
      ["today", ""],
      ["findings", "/findings"],
      ["approvals", "/approvals"],
      ["approval", `/approvals/${holds.holds[0]?.holdId ?? ""}`],
      ["tasks", "/tasks"],
      ...(tasks.tasks[0] === undefined ? [] : [["task", `/tasks/${tasks.tasks[0].taskId}`]]),
      ["parked", "/parked"],
      ["people", "/people"],
      ["person", `/people/${people.people[0]?.identityId ?? ""}`],
      ["leavers", "/leavers"],
      ["leaver", `/leavers/${cases.cases[0]?.caseId ?? ""}`],
      ["vendors", "/vendors"],
      ["vendor", "/vendors/anthropic"],
      ["mappings", "/mappings"],
      ["mapping", `/mappings/${version?.versionId ?? ""}`],
      ["edit", "/mappings/edit/anthropic"],
      ["matrix", "/mappings/matrix/anthropic"],
      ["connect", "/connect"],
      ["idp", "/connect/idps/okta"],
      ["connection", "/connect/anthropic"],
      ["reviews", "/reviews"],
      ["review", `/reviews/${review.review.reviewId}`],
      ["keys", "/keys"],
      ["audit", "/audit"],
      ["api", "/api"],
      ["account", "/account"],
    ] as const;
    const { context, page } = await signedIn();
    for (const [name = "", path = ""] of paths) {
      await page.emulateMedia({ colorScheme: "light" });
      const answer = await go(page, path);
      expect([name, answer?.status()]).toEqual([name, 200]);
      expect([name, await page.getByRole("heading", { level: 1 }).count()]).toEqual([name, 1]);
      expect([name, await barriers(page)]).toEqual([name, []]);
      await picture(page, `${name}-light`);
      await page.emulateMedia({ colorScheme: "dark" });
      expect([name, await barriers(page, ["color-contrast"])]).toEqual([name, []]);
      await picture(page, `${name}-dark`);
    }
    await context.close();
    expect(problems).toEqual([]);
  }, 300_000);

  test("a person is found by how their name begins, with what they have and the rule that gives it", async () => {
    const { context, page } = await signedIn();
    await go(page, "/people");
    await page.getByRole("searchbox").fill("hop");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("link", { name: "Grace Hopper" }).click();
    expect(await heading(page)).toContain("Grace Hopper");
    await page.getByText("platform-runs-production").first().waitFor();
    await page.getByLabel("What they should have").fill("anthropic:Production");
    await page.getByRole("button", { name: "Explain" }).click();
    await page.getByText("anthropic: Production").waitFor();
    await page.getByRole("button", { name: "Reconcile now" }).click();
    await page.getByText("being computed and looked at again").waitFor();
    expect((await records("reconcile.requested"))[0]?.actor.id).toBe("bootstrap");
    await context.close();
  });

  test("without JavaScript one person of a batch is approved, and the other still waits", async () => {
    const { context, page } = await signedIn({ javaScriptEnabled: false }, "olive", "approver");
    await go(page, "/approvals");
    await page.getByRole("link", { name: "Somebody would get admin rights" }).first().click();
    const holdId = new URL(page.url()).pathname.split("/").at(-1) ?? "";
    await page.getByRole("checkbox").first().check();
    await page.getByLabel("Why (kept in the audit record)").last().fill("agreed with Ingrid");
    await page.getByRole("button", { name: "Approve marked" }).click();
    await page.getByText("Your decision is on record").waitFor();
    expect((await records("hold.approved"))[0]?.actor.id).toBe("olive");
    const { entries } = (await scene.api("GET", `/holds/${holdId}`)) as {
      entries: { state: string }[];
    };
    // The other one still waits.
    expect(entries.map((entry) => entry.state).toSorted()).toEqual([
      expect.stringMatching(/^(approved|executing|executed)$/),
      "held",
    ]);
    await context.close();
  });

  test("an open page shows what changed elsewhere by itself", async () => {
    const { context, page } = await signedIn();
    await go(page, "/people");
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 30_000 });
    await scene.hire("lise@example.com", "Lise Meitner");
    await page.getByRole("link", { name: "Lise Meitner" }).waitFor({ timeout: 30_000 });
    await context.close();
  });

  test("a vendor is paused and resumed, everything stopped and started, each with its reason on record", async () => {
    const { context, page } = await signedIn();
    const decide = async (opener: string, why: string, told: RegExp) => {
      const place = page.locator("details.decision", { hasText: opener }).first();
      await place.locator("summary").click();
      await place.getByLabel("Why (kept in the audit record)").fill(why);
      await place.getByRole("button", { name: opener }).last().click();
      await page.getByText(told).waitFor();
    };
    await go(page, "/vendors/instantly");
    await decide("Pause", "their maintenance", /Paused: nothing is asked/);
    await decide("Resume", "they are back", /Resumed: everybody/);
    await go(page, "/vendors");
    await decide("Stop every vendor", "a drill", /Stopped: no new change/);
    await page.getByText("Stopped: every vendor").waitFor();
    await decide("Start again", "the drill is over", /Started again/);
    for (const action of [
      "connection.paused",
      "connection.resumed",
      "switch.stopped",
      "switch.started",
    ])
      expect([action, (await records(action))[0]?.actor.id]).toEqual([action, "bootstrap"]);
    await context.close();
  });

  test("an edited mapping is simulated by name and stored nowhere", async () => {
    const { context, page } = await signedIn();
    const before = ((await scene.api("GET", "/mappings")) as { mappings: unknown[] }).mappings
      .length;
    await go(page, "/mappings/edit/anthropic");
    const text = await page.getByLabel("Mapping file").inputValue();
    await page.getByLabel("Mapping file").fill(text.replace("group: Engineering", "group: Nobody"));
    await page.getByRole("button", { name: "Who gains, who loses?" }).click();
    await page.getByRole("heading", { level: 1, name: "Who would gain, who would lose" }).waitFor();
    await page.getByRole("link", { name: "ada@example.com" }).waitFor();
    await go(page, "/mappings/edit/anthropic");
    await page.getByLabel("Mapping file").fill("version: 1\nvendor: nobody\n");
    await page.getByRole("button", { name: "Who gains, who loses?" }).click();
    await page.getByText("the file cannot be used").waitFor();
    expect(((await scene.api("GET", "/mappings")) as { mappings: unknown[] }).mappings.length).toBe(
      before,
    );
    await context.close();
  });

  test("the record verifies, and its export verifies elsewhere", async () => {
    const { context, page } = await signedIn();
    await go(page, "/audit");
    await page.getByRole("button", { name: "Verify now" }).click();
    await page.getByRole("heading", { name: /The record verifies/ }).waitFor();
    await go(page, "/audit");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Export" }).click(),
    ]);
    const path = await download.path();
    expect(await readFile(path, "utf8")).not.toContain("ada@example.com");
    const found = await verifyAudit(await fileSource(path), none());
    expect(found).toMatchObject({ ok: true, problems: [] });
    expect(found.size).toBeGreaterThan(20);
    await context.close();
  });

  test("a viewer sees everything and can change nothing, and a forged form is refused", async () => {
    const { context, page } = await signedIn({}, "vera", "viewer");
    await go(page, "/vendors");
    await page.getByText("Stop every vendor: needs the role operator.").waitFor();
    expect(await page.getByRole("button", { name: "Stop every vendor" }).count()).toBe(0);
    const form = await page.locator("input[name=form]").first().inputValue();
    const stop = { covers: "all", why: "not mine to do" };
    const refused = await context.request.post(`${scene.url}/stop`, { form: { ...stop, form } });
    expect(refused.status()).toBe(403);
    expect(await refused.text()).toContain("this token only reads; this needs the role operator");
    const admin = await signedIn();
    const forged = await admin.context.request.post(`${scene.url}/stop`, {
      form: { ...stop, form: "guessed" },
    });
    expect(forged.status()).toBe(403);
    const foreign = await admin.context.request.post(`${scene.url}/stop`, {
      form: { ...stop, form: await admin.page.locator("input[name=form]").first().inputValue() },
      headers: { "Sec-Fetch-Site": "cross-site" },
    });
    expect(foreign.status()).toBe(403);
    expect(((await scene.api("GET", "/status")) as { stops: unknown[] }).stops).toEqual([]);
    await context.close();
    await admin.context.close();
  });
});

async function* none(): AsyncGenerator<never> {
  // Without checkpoints an export is compared with itself alone.
}
