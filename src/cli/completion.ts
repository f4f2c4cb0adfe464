import { CommandError, exitCodes, type Command } from "./command.ts";

const shells = ["bash", "zsh", "fish"] as const;

/** The command that prints what a shell needs to complete the others. */
export function completionCommand(others: () => readonly Command[]): Command {
  return {
    words: "completion",
    usage: `completion ${shells.join("|")}`,
    summary: "print the completion of commands and flags for a shell",
    offline: true,
    flags: {},
    run: (invocation) => {
      const [shell] = invocation.positionals;
      const known = shells.find((item) => item === shell);
      if (known === undefined)
        throw new CommandError(exitCodes.usage, `say which shell: ${shells.join(", ")}`);
      invocation.terminal.out(scripts[known](treeOf(others())));
      return Promise.resolve(exitCodes.ok);
    },
  };
}

/** What may follow each beginning of a line, by its words. */
type Tree = ReadonlyMap<string, readonly string[]>;

function treeOf(commands: readonly Command[]): Tree {
  const tree = new Map<string, Set<string>>();
  const add = (before: string, word: string) => {
    const words = tree.get(before) ?? new Set<string>();
    tree.set(before, words.add(word));
  };
  for (const { words, flags } of commands) {
    const parts = words.split(" ");
    parts.forEach((part, at) => {
      add(parts.slice(0, at).join(" "), part);
    });
    for (const name of [...Object.keys(flags), "json", "tenant", "url", "help"])
      add(words, `--${name}`);
  }
  return new Map([...tree].map(([before, words]) => [before, [...words].toSorted()]));
}

const scripts: Readonly<Record<(typeof shells)[number], (tree: Tree) => string>> = {
  bash: bashScript,
  zsh: (tree) => `autoload -U +X bashcompinit && bashcompinit\n${bashScript(tree)}`,
  fish: fishScript,
};

/** Goes from the whole line back to its first words until something is known. */
function bashScript(tree: Tree): string {
  const cases = [...tree]
    .map(([before, words]) => `      "${before}") words="${words.join(" ")}"; break ;;`)
    .join("\n");
  return `_rolecall() {
  local line="\${COMP_WORDS[*]:1:COMP_CWORD-1}" current="\${COMP_WORDS[COMP_CWORD]}" words=""
  while :; do
    case "$line" in
${cases}
    esac
    case "$line" in
      *" "*) line="\${line% *}" ;;
      *) break ;;
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _rolecall rolecall
`;
}

function fishScript(tree: Tree): string {
  const lines = [...tree].flatMap(([before, words]) =>
    words.map((word) =>
      word.startsWith("--")
        ? `complete -c rolecall -f -n "__rolecall_after ${before}" -l ${word.slice(2)}`
        : `complete -c rolecall -f -n "__rolecall_is ${before}" -a ${word}`,
    ),
  );
  return `function __rolecall_is
    set -l words (commandline -opc)[2..]
    test "$words" = "$argv"
end
function __rolecall_after
    set -l words (commandline -opc)[2..]
    string match -q -- "$argv*" "$words"
end
${lines.join("\n")}
`;
}
