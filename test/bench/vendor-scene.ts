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
  /** Creates that many further people and puts all of them into the group: their invitations stand in line. */
  crowd(count: number): Promise<void>;
  /** Deactivates a person; answers when nothing of theirs works any more, in seconds from the accepted signal. */
  contain(person: string): Promise<number>;
  /** Until the vendor was left alone for a moment, of a different length each time: nothing may fall into step with us. */
  quiet(): Promise<void>;
}

const waitMs = 60_000;
const groupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";

export async function startVendorScene(
  stage: Stage,
  count: number,
  /** How long the vendor takes to answer; absent: as long as it needs. */
  delayMs?: number,
): Promise<VendorScene> {
  const vendor = await startInstantlySimulator({ clock: systemClock() });
  if (delayMs !== undefined) {
    const always: [number, number] = [0, Number.MAX_SAFE_INTEGER];
    vendor.faults.add({ operation: "*", kind: "slow", delayMs, between: always });
  }
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
    crowd: (more) => crowd(client, group, count, more),
    contain: async (person) => {
      await patch(`/Users/${person}`, { op: "replace", value: { active: false } })();
      return containedAfter(stage, service, person);
    },
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

const connections = 16;
const membersPerPatch = 1_000;

async function crowd(
  client: ScimClient,
  group: string,
  from: number,
  count: number,
): Promise<void> {
  const members: { readonly value: string }[] = [];
  let next = from;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < from + count)
        members.push({ value: await client.create("/Users", personBody(next++)) });
    }),
  );
  for (let at = 0; at < members.length; at += membersPerPatch) {
    const value = members.slice(at, at + membersPerPatch).map((member) => ({ ...member }));
    const reply = await client.patch(
      `/Groups/${group}`,
      patchOf({ op: "add", path: "members", value }),
    );
    if (reply.status >= 300) throw new Error(`PATCH members: ${String(reply.status)}`);
  }
}

interface CaseAnswer {
  readonly connections: readonly { readonly contained?: { readonly fromSignal: number } }[];
}

/** As the case itself tells it, so that how often we ask does not count. */
async function containedAfter(stage: Stage, service: Service, person: string): Promise<number> {
  for (const until = performance.now() + waitMs; ;) {
    await sleep(100, undefined, { signal: stage.signal });
    const found = await service
      .operator<CaseAnswer>("GET", `/cases/${person}`)
      .catch((error: unknown) => {
        // Nobody has looked at the person yet.
        if (String(error).includes("has no leaver case")) return undefined;
        throw error;
      });
    const times = found?.connections.map((story) => story.contained?.fromSignal) ?? [];
    const known = times.filter((time) => time !== undefined);
    if (known.length > 0 && known.length === times.length) return Math.max(...known);
    if (performance.now() > until)
      throw new Error(`a leaver is not contained in ${String(waitMs / 1_000)} s`);
  }
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
    grants: { one_cause: { floor: 1_000_000, fraction: 1 }, privileged: 1 },
  },
};
