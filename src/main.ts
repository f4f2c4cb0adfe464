import { startApp, type App } from "./app.ts";
import { exitCodes, type Terminal } from "./cli/command.ts";
import { environmentWith, readConfig } from "./config/config.ts";
import { brakeText } from "./recovery/find-brake-reasons.ts";
import { systemClock } from "./model/clock.ts";

/**
 * Runs the service until a signal asks it to stop. The first signal stops calmly, a second one at once.
 * @throws InputError with everything that is wrong with the settings
 */
export async function serve(options: {
  readonly sandbox: boolean;
  readonly terminal: Terminal;
}): Promise<void> {
  const config = options.sandbox
    ? readConfig(environmentWith({ ROLECALL_SANDBOX: "1" }))
    : readConfig();
  const stopped = stopSignal();
  const app = await startApp(config);
  options.terminal.err(banner(app, options.terminal.isTty));
  const failure = await Promise.race([stopped, app.failed]);
  if (failure === undefined) {
    options.terminal.err("stopping: requests under way end, what is owed stays in the store\n");
    await app.stop();
    return;
  }
  // What broke may hold the process open: it ends by itself after a calm stop, or without one after a while.
  options.terminal.err(`this process cannot go on (${failure.message}); a new one can\n`);
  systemClock().after(failedStopMs, () => process.exit(exitCodes.failed));
  await app.stop();
  process.exit(exitCodes.failed);
}

const failedStopMs = 30_000;

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = () => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    process.on("SIGINT", stop);
    process.on("SIGTERM", stop);
  });
}

/** What a person sees at a start: which world this is, where it listens, and what to do next. */
export function banner(app: App, isTty: boolean): string {
  const { config, secrets } = app;
  const sandbox = config.world === "sandbox";
  const scim = `${config.publicUrl ?? app.scimUrl ?? ""}/scim/v2`;
  return `${[
    sandbox
      ? `Rolecall ${config.version}  SANDBOX: simulated vendors, nothing real is touched${config.timeScale > 1 ? `; time runs ${String(config.timeScale)} times as fast` : ""}`
      : `Rolecall ${config.version}  LIVE: connections write only where a mapping file says so; the default is report-only`,
    "",
    ...(app.scimUrl === undefined ? [] : [`  for identity providers  ${app.scimUrl}/scim/v2`]),
    `  for you                 ${app.operatorUrl}/console   (npx rolecall console prints a link that signs you in)`,
    `  for programs            ${app.operatorUrl}/api/v1   (npx rolecall status)`,
    `  data                    ${config.dataDir}`,
    ...brakeLines(app),
    ...secretLines(app, isTty),
    ...mappingLines(app),
    "",
    ...(sandbox || app.scimUrl === undefined
      ? []
      : connectLines(scim, config.publicUrl === undefined ? config.port : undefined)),
    ...(secrets.made || sandbox ? [] : [""]),
  ].join("\n")}\n`;
}

function brakeLines({ brake }: App): readonly string[] {
  if (brake === undefined) return [];
  return [
    "",
    "  BRAKED: every connection is report-only, because",
    ...brake.reasons.map((reason) => `    ${brakeText(reason)}`),
    "    npx rolecall recover   says what to do",
    "",
  ];
}

function secretLines({ secrets }: App, isTty: boolean): readonly string[] {
  if (secrets.path === undefined) return ["  tokens                  as given in the environment"];
  if (!secrets.made || !isTty)
    return [`  tokens                  in ${secrets.path} (readable by you alone)`];
  return [
    `  SCIM token              ${secrets.scimToken}`,
    `  operator token          ${secrets.operatorToken}`,
    `                          shown this once; kept in ${secrets.path}, readable by you alone`,
  ];
}

function mappingLines({ mappings }: App): readonly string[] {
  if (mappings.problem !== undefined) {
    return [
      "",
      "  mapping files are NOT loaded, the last good versions stay active:",
      ...mappings.problem.problems.map((line) => `    ${line}`),
    ];
  }
  if (mappings.proposed === "elsewhere")
    return [
      "  mapping files           another process takes its own; these wait until it has gone",
    ];
  return (mappings.proposed ?? []).map(
    (result) =>
      `  mapping ${result.connectionId.padEnd(16)}${result.outcome === "waits" ? `waits for you: ${result.why}` : result.outcome}`,
  );
}

/** @param localPort undefined where the public address is known */
function connectLines(scim: string, localPort: number | undefined): readonly string[] {
  return [
    "Next, in this order:",
    localPort === undefined
      ? `  1. From another network: curl ${scim.replace("/scim/v2", "/healthz")} must answer.`
      : `  1. Make port ${String(localPort)} reachable over public HTTPS and set ROLECALL_URL to that address; Okta and Entra ID call you.`,
    `  2. Okta: Provisioning > Integration: SCIM connector base URL ${scim}, unique field userName, HTTP Header with the SCIM token.`,
    `     Entra ID: Provisioning > Automatic: Tenant URL ${scim}, Secret token the SCIM token; then Test Connection.`,
    "  3. When everybody has arrived: npx rolecall idp loaded <name>. Until then Rolecall grants and never removes.",
    "  4. npx rolecall credential set <name> < key.txt, edit mappings/, npx rolecall mapping apply, npx rolecall plan.",
  ];
}
