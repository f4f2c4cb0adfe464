import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import type { Found } from "./real-server.ts";

/** Pictures that a run leaves for people to look at; the folder is no part of the repository. */
export const artefacts = fileURLToPath(new URL("../artefacts", import.meta.url));

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The Chromium of this machine: `CHROMIUM_PATH`, or where distributions put it. */
export function findChromium(): Found<string> {
  const wanted = process.env["CHROMIUM_PATH"];
  const found = (wanted === undefined ? places : [wanted]).find((path) => existsSync(path));
  return found === undefined
    ? { missing: "no Chromium on this machine (on Debian: apt-get install chromium)" }
    : { server: found };
}

/** A browser that speaks to nobody but the page under test. */
export async function openBrowser(
  executablePath: string,
): Promise<{ readonly browser: Browser; readonly close: () => Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), "rolecall-browser-"));
  const browser = await chromium.launch({
    executablePath,
    env: { ...process.env, HOME: home },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
  return {
    browser,
    close: async () => {
      await browser.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What keeps people with a keyboard or a screen reader from using a page: serious and critical findings of axe, or of some of its rules. */
export async function barriers(page: Page, only?: readonly string[]): Promise<readonly string[]> {
  // The page's own policy forbids foreign scripts; the debugger's door does not ask it.
  await page.evaluate(axeSource);
  const results = await page.evaluate<AxeResults, readonly string[] | null>(
    (rules) =>
      (globalThis as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run(
        {
          resultTypes: ["violations"],
          ...(rules === null ? {} : { runOnly: { type: "rule", values: rules } }),
        },
      ),
    only ?? null,
  );
  return results.violations
    .filter((item) => item.impact === "serious" || item.impact === "critical")
    .map(
      (item) =>
        `${item.id}: ${item.help}: ${item.nodes
          .slice(0, 3)
          .map((node) => `${node.html.slice(0, 200)} ${(node.failureSummary ?? "").slice(0, 300)}`)
          .join(" | ")}`,
    );
}

/** In continuous integration, or where somebody wants to look. */
const picturesWanted = process.env["CI"] === "true" || process.env["CONSOLE_PICTURES"] === "1";

/** Keeps a picture of the whole page under a name. */
export async function picture(page: Page, name: string): Promise<void> {
  if (!picturesWanted) return;
  await mkdir(artefacts, { recursive: true });
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true });
}
