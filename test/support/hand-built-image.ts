import { spawn } from "node:child_process";
import { chmod, chown, cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { Copy, DockerfileParser, type Instruction } from "dockerfile-ast";

/** What a build by hand left: a folder that stands for the root of the last stage, and what the image says about its process. */
export interface HandBuiltImage {
  readonly root: string;
  readonly workFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number };
  /** Entry point and command. */
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  readonly volumes: readonly string[];
}

interface Stage {
  readonly root: string;
  readonly environment: Record<string, string>;
  workFolder: string;
  user: string;
  entrypoint: readonly string[];
  command: readonly string[];
  healthcheck: readonly string[];
  volumes: readonly string[];
}

/**
 * Does what the Dockerfile says, without a container engine: copies exactly what it copies, runs `npm ci` as it runs it. The base
 * image is taken as given; a step of any other kind is an error, so that none is left out silently.
 */
export async function buildByHand(context: string, into: string): Promise<HandBuiltImage> {
  const text = await readFile(join(context, "Dockerfile"), "utf8");
  const allowed = dockerContext(await readFile(join(context, ".dockerignore"), "utf8"));
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const step of DockerfileParser.parse(text).getInstructions()) {
    if (step.getKeyword() === "ARG") continue;
    if (step.getKeyword() === "FROM") {
      const name = step.getArguments()[2]?.getValue() ?? String(stages.size);
      stage = {
        root: join(into, name),
        environment: {},
        workFolder: "/",
        user: "0:0",
        entrypoint: [],
        command: [],
        healthcheck: [],
        volumes: [],
      };
      stages.set(name, stage);
      await mkdir(stage.root, { recursive: true });
      continue;
    }
    if (stage === undefined) throw new Error("a step before the first FROM");
    await runStep(step, stage, { context, allowed, stages });
  }
  if (stage === undefined) throw new Error("no stage");
  const [uid, gid] = stage.user.split(":").map(Number);
  return {
    root: stage.root,
    workFolder: join(stage.root, stage.workFolder),
    environment: stage.environment,
    user: { uid: uid ?? 0, gid: gid ?? 0 },
    command: [...stage.entrypoint, ...stage.command],
    healthcheck: stage.healthcheck,
    volumes: stage.volumes,
  };
}

async function runStep(
  step: Instruction,
  stage: Stage,
  build: {
    readonly context: string;
    readonly allowed: (path: string) => boolean;
    readonly stages: ReadonlyMap<string, Stage>;
  },
): Promise<void> {
  const content = step.getArgumentsContent() ?? "";
  const list = () => JSON.parse(content.slice(content.indexOf("["))) as readonly string[];
  switch (step.getKeyword()) {
    case "WORKDIR":
      stage.workFolder = posix.resolve(stage.workFolder, content);
      await mkdir(join(stage.root, stage.workFolder), { recursive: true });
      return;
    case "ENV":
      for (const argument of step.getArguments()) {
        const [name = "", value = ""] = argument.getValue().split(/=(.*)/s);
        stage.environment[name] = value;
      }
      return;
    case "COPY":
      await copyStep(step, stage, build);
      return;
    case "RUN":
      await runCommand(content, stage);
      return;
    case "USER":
      stage.user = content;
      return;
    case "VOLUME":
      stage.volumes = list();
      return;
    case "ENTRYPOINT":
      stage.entrypoint = list();
      return;
    case "CMD":
      stage.command = list();
      return;
    case "HEALTHCHECK":
      stage.healthcheck = list();
      return;
    case "EXPOSE":
      return;
    default:
      throw new Error(`no way to do by hand: ${step.getKeyword()} ${content}`);
  }
}

async function copyStep(
  step: Instruction,
  stage: Stage,
  build: {
    readonly context: string;
    readonly allowed: (path: string) => boolean;
    readonly stages: ReadonlyMap<string, Stage>;
  },
): Promise<void> {
  const flags = step instanceof Copy ? step.getFlags() : [];
  const other = flags.find((flag) => flag.getName() !== "from");
  if (other !== undefined) throw new Error(`no way to copy by hand with ${other.toString()}`);
  const from = flags[0]?.getValue() ?? undefined;
  const paths = step.getArguments().map((argument) => argument.getValue());
  const target = paths.at(-1) ?? "";
  const source = from === undefined ? build.context : build.stages.get(from)?.root;
  if (source === undefined) throw new Error(`no stage ${String(from)}`);
  for (const path of paths.slice(0, -1)) {
    const base = target.endsWith("/") ? posix.join(target, posix.basename(path)) : target;
    const to = join(stage.root, posix.resolve(stage.workFolder, base));
    await mkdir(dirname(to), { recursive: true });
    await cp(join(source, path), to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: async (file) =>
        from !== undefined ||
        (await stat(file)).isDirectory() ||
        build.allowed(file.slice(build.context.length + 1).replaceAll("\\", "/")),
    });
  }
}

async function runCommand(command: string, stage: Stage): Promise<void> {
  const folder = /^install -d -m (\d{4}) -o (\d+) -g (\d+) (\/[\w/-]+)$/.exec(command);
  if (folder !== null) {
    const [, mode = "", uid = "", gid = "", path = ""] = folder;
    await mkdir(join(stage.root, path), { recursive: true });
    await chmod(join(stage.root, path), parseInt(mode, 8));
    if (process.getuid?.() === 0) await chown(join(stage.root, path), Number(uid), Number(gid));
    return;
  }
  const [program = "", ...args] = command.split(" ");
  const known =
    program === "npm"
      ? args[0] === "ci"
      : program === "find" && args[0]?.startsWith("node_modules/");
  if (known !== true) throw new Error(`no way to do by hand: ${command}`);
  // What was downloaded for this checkout is used again; the lockfile's hashes are checked all the same.
  const child = spawn(program, args, {
    cwd: join(stage.root, stage.workFolder),
    env: { ...process.env, npm_config_prefer_offline: "true" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}:\n${said}`);
}

/** Whether a path of the build context reaches the engine: the last pattern that fits it or a folder above it decides. */
export function dockerContext(ignoreFile: string): (path: string) => boolean {
  const patterns = ignoreFile
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const again = line.startsWith("!");
      const source = (again ? line.slice(1) : line)
        .replace(/[.+^${}()|[\]\\?]/g, "\\$&")
        .replace(/\*\*\/|\*\*|\*/g, (glob) =>
          glob === "**/" ? "(?:.*/)?" : glob === "**" ? ".*" : "[^/]*",
        );
      return { again, expression: new RegExp(`^${source}$`) };
    });
  return (path) => {
    const parts = path.split("/");
    const prefixes = parts.map((_part, at) => parts.slice(0, at + 1).join("/"));
    let kept = true;
    for (const { again, expression } of patterns) {
      if (prefixes.some((prefix) => expression.test(prefix))) kept = again;
    }
    return kept;
  };
}

/** Every file below a folder with its size and time of change, to see whether anything was written. */
export async function footprint(folder: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const pairs = await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const { size, mtimeMs } = await stat(path);
      return [path.slice(folder.length + 1), `${String(size)} ${String(mtimeMs)}`] as const;
    }),
  );
  return new Map(pairs);
}
