// Goal: a shell completes what there is, and nothing else.
// Method: the printed script in a real bash.
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commands, runCli } from "../../../src/cli.ts";

async function script(shell: string): Promise<string> {
  let out = "";
  await runCli(["completion", shell], {
    out: (text) => (out += text),
    err: (text) => (out += text),
    isTty: false,
    columns: 80,
    readStdin: () => Promise.resolve(""),
  });
  return out;
}

const bash = await script("bash");

/** What bash offers behind these words. */
function offered(...words: readonly string[]): readonly string[] {
  const line = ["rolecall", ...words];
  const program = `${bash}\nCOMP_WORDS=(${line.map((word) => `'${word}'`).join(" ")})\nCOMP_CWORD=${String(line.length - 1)}\n_rolecall\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", program], { encoding: "utf8" }).trim().split("\n");
}

test("a first word is completed, then the next, then the flags of the command", () => {
  expect(offered("hol")).toEqual(["holds"]);
  expect(offered("holds", "")).toEqual(["approve", "list", "reject", "show"]);
  expect(offered("holds", "approve", "h1", "--w")).toEqual(["--why"]);
  expect(offered("nonsense", "holds", "x")).toEqual([""]);
});

test("every command can be reached", () => {
  const first = new Set(offered(""));
  for (const { words } of commands) expect(first).toContain(words.split(" ")[0]);
});

test("other shells get a script of their own, and an unknown one is told which there are", async () => {
  expect(await script("zsh")).toContain("bashcompinit");
  expect(await script("fish")).toContain("complete -c rolecall");
  expect(await script("powershell")).toContain("bash, zsh, fish");
});
