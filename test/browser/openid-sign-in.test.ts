// Goal: people sign in with the company's own provider, get the role that its claims say, and the token of the first start is off.
// Method: a real OpenID provider and the real service on this machine, a real Chromium between them.
import { createServer, type AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findChromium, openBrowser } from "../support/browser.ts";
import { ConsoleScene } from "../support/console-scene.ts";
import { startOpenIdProvider } from "../support/openid-provider.ts";
import { describeReal } from "../support/real-server.ts";

describeReal("sign-in by OpenID Connect", findChromium(), (chromium) => {
  let scene: ConsoleScene;
  let browser: Browser;
  const closing: (() => Promise<void>)[] = [];

  /** Goes to the console and signs in at the provider as somebody. */
  async function signIn(name: string): Promise<Page> {
    const context = await browser.newContext();
    closing.push(() => context.close());
    const page = await context.newPage();
    await page.goto(scene.url);
    await page.getByRole("link", { name: /^Continue with/ }).click();
    await page.getByPlaceholder(/login/i).fill(name);
    await page.getByPlaceholder(/password/i).fill("anything");
    await page.getByRole("button", { name: /sign-in/i }).click();
    await page.getByRole("button", { name: /continue/i }).click();
    return page;
  }

  beforeAll(async () => {
    const port = await freePort();
    const operatorUrl = `http://127.0.0.1:${String(port)}`;
    const provider = await startOpenIdProvider({
      redirectUri: () => `${operatorUrl}/console/oidc/callback`,
      clientId: "rolecall",
      clientSecret: "a secret of a test, long enough for it",
      groups: { ada: ["everybody", "it-leads"], vera: ["everybody"], mallory: ["sales"] },
    });
    closing.push(provider.close);
    scene = await ConsoleScene.open({
      ROLECALL_OPERATOR_PORT: String(port),
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: "rolecall",
      OIDC_CLIENT_SECRET: "a secret of a test, long enough for it",
      OIDC_ROLES: "everybody=viewer, it-leads=approver",
    });
    const opened = await openBrowser(chromium);
    browser = opened.browser;
    closing.push(opened.close);
  }, 120_000);
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
    await scene?.close();
  });

  test("the highest role of the claims counts, the record names the address, and the command line gets a token", async () => {
    const page = await signIn("ada");
    await page.getByRole("link", { name: "ada@example.com (approver)" }).click();
    await page.getByRole("button", { name: "Make a token" }).click();
    const text = await page.locator("pre").innerText();
    const token = /rc_op_\S+/.exec(text)?.[0] ?? "";
    const answer = await fetch(
      `${scene.app.operatorUrl}/api/v1/audit/records?action=token.created`,
      {
        headers: { authorization: `Bearer ${token}` },
      },
    );
    const { records } = (await answer.json()) as { records: { record: object }[] };
    expect(records.map((item) => item.record)).toContainEqual(
      expect.objectContaining({
        actor: expect.objectContaining({ id: "ada@example.com" }),
        facts: expect.objectContaining({ purpose: "session", role: "approver" }),
      }),
    );
  });

  test("who has no role is told so, and who has a small one sees without changing", async () => {
    const stranger = await signIn("mallory");
    await stranger.getByText("has no role here").waitFor();
    await stranger.goto(scene.url);
    expect(stranger.url()).toBe(`${scene.url}/sign-in`);
    const viewer = await signIn("vera");
    await viewer.goto(`${scene.url}/vendors`);
    await viewer.getByText("Stop every vendor: needs the role operator.").waitFor();
  });

  test("the token of the first start opens nothing, and a foreign answer of the provider is refused", async () => {
    await expect(scene.api("GET", "/status")).rejects.toThrow("401");
    const answer = await fetch(`${scene.url}/oidc/callback?code=stolen&state=guessed`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain("began in another browser");
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
