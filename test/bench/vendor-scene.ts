import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/model/clock.ts";
import {
  startInstantlySimulator,
  type InstantlySimulator,
} from "../../src/sandbox/instantly/instantly-simulator.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { patchOf, ScimClient } from "../support/scim-client.ts";
import type { Stage } from "./measure.ts";
import { personBody } from "./people.ts";
import { startService, type Service } from "./service.ts";

/** When the vendor saw what an event led to, in milliseconds after the 2xx that the IdP got. */
export interface Latency {
  readonly firstCall: number;
  readonly write: number;
}

/** The whole service before a simulated vendor, with some people whose only group gives a role there. */
export interface VendorScene {
  readonly service: Service;
  readonly people: readonly string[];
  /** Puts a person into the group: an invitation follows. */
  join(person: string): Promise<Latency>;
  /** Deactivates a person: a removal follows. */
  leave(person: string): Promise<Latency>;
  /** Until the vendor was left alone for a moment, of a different length each time: nothing may fall into step with us. */
  quiet(): Promise<void>;
}

const waitMs = 60_000;
const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

export async function startVendorScene(stage: Stage, count: number): Promise<VendorScene> {
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
  for (let at = 0; at < count; at++) people.push(await client.create("/Users", personBody(at)));
  const group = await client.create("/Groups", { schemas: [groupSchema], displayName: "Sales" });
  await service.operator("POST", "/idps/okta/loaded", { loaded: true });
  const patch = (path: string, operation: JsonObject) => async () => {
    const reply = await client.patch(path, patchOf(operation));
    if (reply.status >= 300)
      throw new Error(`PATCH ${path}: ${String(reply.status)} ${reply.text}`);
  };
  const scene: VendorScene = {
    service,
    people,
    join: (person) =>
      latencyOf(
        stage,
        vendor,
        "POST",
        patch(`/Groups/${group}`, { op: "add", path: "members", value: [{ value: person }] }),
      ),
    leave: (person) =>
      latencyOf(
        stage,
        vendor,
        "DELETE",
        patch(`/Users/${person}`, { op: "replace", value: { active: false } }),
      ),
    quiet: () => quiet(vendor, stage.signal),
  };
  await scene.quiet();
  return scene;
}

async function latencyOf(
  stage: Stage,
  vendor: InstantlySimulator,
  write: "POST" | "DELETE",
  event: () => Promise<void>,
): Promise<Latency> {
  const before = vendor.requests.at(-1)?.seq ?? 0;
  await event();
  const acceptedAt = Date.now();
  const find = () =>
    vendor.requests.find((request) => request.seq > before && request.method === write);
  let written = find();
  for (const until = performance.now() + waitMs; written === undefined; written = find()) {
    if (performance.now() > until) throw new Error(`no ${write} in ${String(waitMs / 1_000)} s`);
    await sleep(5, undefined, { signal: stage.signal });
  }
  const first = vendor.requests.find((request) => request.seq > before) ?? written;
  // One clock for both; a call may be there before the client has read its 2xx.
  const after = (at: number) => Math.max(0, at - acceptedAt);
  return { firstCall: after(first.at), write: after(written.at) };
}

async function quiet(vendor: InstantlySimulator, signal: AbortSignal): Promise<void> {
  let seen = -1;
  while (seen !== (vendor.requests.at(-1)?.seq ?? 0)) {
    seen = vendor.requests.at(-1)?.seq ?? 0;
    await sleep(150 + Math.random() * 250, undefined, { signal });
  }
}

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
  // As many leavers one after the other are more than the rails let through by default.
  rails: {
    leavers: { floor: 1_000, fraction: 1 },
    grants: { one_cause: { floor: 1_000, fraction: 1 }, privileged: 1 },
  },
};
