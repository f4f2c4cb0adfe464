import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/model/clock.ts";
import {
  startInstantlySimulator,
  type InstantlySimulator,
} from "../../../src/sandbox/instantly/instantly-simulator.ts";
import { patchOf, ScimClient } from "../../support/scim-client.ts";
import type { Findings, Measure, Row, Stage } from "../measure.ts";
import { personBody, userNameOf } from "../people.ts";
import { startService } from "../service.ts";
import { median, quantile } from "../statistics.ts";

export const firstCall: Measure = {
  name: "first-call",
  title: "Accepted event to first vendor call, idle",
  method:
    "`rolecall serve` in a process of its own, a simulated Instantly in another. One event at a time: a person enters the group that gives " +
    "the role, or is deactivated. Measured from the 2xx that the IdP sees to the first request that the vendor sees, and to the write itself. " +
    "Between events the service rests for a moment that differs each time.",
  timeoutMs: 400_000,
  run: measureFirstCall,
};

interface Latencies {
  readonly call: number[];
  readonly write: number[];
}

async function measureFirstCall(stage: Stage): Promise<Findings> {
  const samples = stage.size === "smoke" ? 2 : 60;
  const vendor = await startInstantlySimulator({ clock: systemClock() });
  stage.cleanUp(() => vendor.close());
  const service = await startService(stage, {
    mappings: {
      "tenant.yaml": { version: 1, idps: { okta: { kind: "okta" } } },
      "instantly.yaml": mapping,
    },
    environment: {
      ROLECALL_SANDBOX: "1",
      ROLECALL_SANDBOX_VENDORS: `instantly=${vendor.url}`,
      BENCH_VENDOR_KEY: vendor.apiKey,
    },
  });
  const client = new ScimClient(service.scim.url, service.scim.token);
  const people: string[] = [];
  for (let at = 0; at < samples; at++) people.push(await client.create("/Users", personBody(at)));
  const group = await client.create("/Groups", { schemas: [groupSchema], displayName: "Sales" });
  await service.operator("POST", "/idps/okta/loaded", { loaded: true });
  const grants: Latencies = { call: [], write: [] };
  const leavers: Latencies = { call: [], write: [] };
  const scene = { stage, vendor, rest: async () => quiet(vendor, stage.signal) };
  await scene.rest();
  for (const [at, person] of people.entries()) {
    const add = patchOf({ op: "add", path: "members", value: [{ value: person }] });
    await sample(scene, grants, at, "POST", () => client.patch(`/Groups/${group}`, add));
  }
  for (const [at, person] of people.entries()) {
    const off = patchOf({ op: "replace", value: { active: false } });
    await sample(scene, leavers, at, "DELETE", () => client.patch(`/Users/${person}`, off));
  }
  return {
    rows: [...rows("a grant", grants), ...rows("a leaver", leavers)],
    notes: [`${String(samples)} events of each kind.`],
  };
}

function rows(what: string, { call, write }: Latencies): readonly Row[] {
  return [
    {
      measure: `accepted event → first vendor call, ${what}, p95`,
      ours: { value: quantile(call, 0.95), unit: "ms" },
      goal: { kind: "at-most", value: 250 },
    },
    {
      measure: `accepted event → first vendor call, ${what}, median`,
      ours: { value: median(call), unit: "ms" },
    },
    {
      measure: `accepted event → the vendor write, ${what}, median`,
      ours: { value: median(write), unit: "ms" },
    },
  ];
}

interface Scene {
  readonly stage: Stage;
  readonly vendor: InstantlySimulator;
  readonly rest: () => Promise<void>;
}

/** One event, and when the vendor saw the first request and the write after it. */
async function sample(
  { stage, vendor, rest }: Scene,
  into: Latencies,
  at: number,
  write: "POST" | "DELETE",
  event: () => Promise<{ readonly status: number; readonly text: string }>,
): Promise<void> {
  const before = vendor.requests.at(-1)?.seq ?? 0;
  const { status, text } = await event();
  const acceptedAt = Date.now();
  if (status >= 300) throw new Error(`the event was refused: ${String(status)} ${text}`);
  const find = () =>
    vendor.requests.find((request) => request.seq > before && request.method === write);
  let written = find();
  for (const until = performance.now() + 30_000; written === undefined; written = find()) {
    if (performance.now() > until) throw new Error(`no ${write} for ${userNameOf(at)} in 30 s`);
    await sleep(5, undefined, { signal: stage.signal });
  }
  const first = vendor.requests.find((request) => request.seq > before);
  // The two clocks are one; a call may be there before the client has read its 2xx.
  into.call.push(Math.max(0, (first?.at ?? written.at) - acceptedAt));
  into.write.push(Math.max(0, written.at - acceptedAt));
  await rest();
}

/** Until the vendor was left alone for a moment, of a different length each time: pollers must not fall into step with us. */
async function quiet(vendor: InstantlySimulator, signal: AbortSignal): Promise<void> {
  let seen = -1;
  while (seen !== (vendor.requests.at(-1)?.seq ?? 0)) {
    seen = vendor.requests.at(-1)?.seq ?? 0;
    await sleep(150 + Math.random() * 250, undefined, { signal });
  }
}

const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

const mapping = {
  version: 1,
  vendor: "instantly",
  connection: { credential: "env:BENCH_VENDOR_KEY" },
  mode: "additive",
  account: { match: "email", domains: ["example.com"], leaver: "remove", create: "invite" },
  timing: { debounce: "90s", grace: "0s", verify: ["0s"] },
  rules: [
    {
      id: "sales-views-campaigns",
      when: { group: "Sales" },
      grant: [{ kind: "workspace_role", role: "view" }],
    },
  ],
  // Sixty leavers one after the other are more than a day's rail lets through by default.
  rails: {
    leavers: { floor: 1_000, fraction: 1 },
    grants: { one_cause: { floor: 1_000, fraction: 1 }, privileged: 1 },
  },
};
