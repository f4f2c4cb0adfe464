/** Rolecall as `npm start` runs it, in a process that ends with the bench. Settings come by the environment. */
import { serve } from "../../../src/main.ts";
import { serveParent } from "./serve-parent.ts";

const served = serve({
  sandbox: false,
  terminal: {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTty: false,
    columns: 80,
    readStdin: () => Promise.resolve(""),
  },
});
served.catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
});

serveParent({}, async () => {
  process.kill(process.pid, "SIGTERM");
  await served;
});
