import { afterEach } from "vitest";
import type { Call, Connector, VendorAccount } from "../../src/connectors/connector.ts";
import { scimConnector, scimHeaders, scimTargetOf } from "../../src/connectors/scim/scim.ts";
import { isOver } from "../../src/model/account.ts";
import { SyncError } from "../../src/model/errors.ts";
import type { ScimTargetSettings } from "../../src/model/scim-target.ts";
import {
  startScimTargetSimulator,
  type ScimTargetSimulator,
} from "../../src/sandbox/scim-target/scim-target-simulator.ts";
import type { Quirks, User } from "../../src/sandbox/scim-target/truth.ts";
import { fakeClock } from "./fake-clock.ts";
import { failureOf, openVendorHttp } from "./vendor-http.ts";

export const jane = "jane@example.com";
export const anchor = "provisioning@example.com";
/** Our id of jane, as it stands in externalId. */
export const reference = "0198c0de-0000-7000-8000-000000000001";

/** A simulated SCIM server with habits, and a connector whose target knows them. */
export interface ScimStage {
  readonly simulator: ScimTargetSimulator;
  readonly connector: Connector;
  /** `before`: what somebody else does immediately before a call of this operation is sent. */
  call(options?: CallOptions): Call;
  find(email?: string): Promise<readonly VendorAccount[]>;
  /** The one account of an address that somebody can use. */
  one(email?: string): Promise<VendorAccount>;
  create(email?: string, role?: string): ReturnType<Connector["createAccount"]>;
  failure(promise: Promise<unknown>): Promise<SyncError>;
  user(userName?: string): User | undefined;
  members(displayName: string): readonly string[];
  writes(): readonly string[];
}

export interface CallOptions {
  readonly mode?: "write" | "report-only";
  readonly before?: Readonly<Record<string, () => void>>;
  readonly after?: Readonly<Record<string, () => void>>;
}

const closing: (() => Promise<void>)[] = [];

/** Closes what a test opened; to be called once by a file. */
export function closeStages(): void {
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
}

const rolesOfSuite: ScimTargetSettings["roles"] = {
  style: "objects",
  catalogue: {
    viewer: { rank: 10 },
    editor: { rank: 20 },
    admin: { rank: 30, privileged: true, admin: true },
  },
  fallback: "viewer",
};

/** Without roles in `settings`: one of viewer, editor and admin. `settleMs` is 0, so that what is read counts. */
export async function openScimStage(
  quirks: Partial<Quirks> = {},
  settings: ScimTargetSettings = {},
  profile = "standard",
): Promise<ScimStage> {
  const clock = fakeClock();
  const simulator = await startScimTargetSimulator({ clock, quirks, anchor: { userName: anchor } });
  const target = scimTargetOf(profile, {
    settleMs: 0,
    ...settings,
    roles: { ...rolesOfSuite, ...settings.roles },
  });
  if (target === undefined) throw new Error(`there is no SCIM profile ${profile}`);
  const connector = scimConnector(target, profile);
  const { http, pools } = openVendorHttp({
    facts: connector.facts,
    baseUrl: simulator.url,
    clock,
    headers: () => Promise.resolve(scimHeaders(target, simulator.apiKey)),
  });
  closing.push(
    () => pools.close(),
    () => simulator.close(),
  );
  const opened = (mode: "write" | "report-only") =>
    mode === "write"
      ? http
      : openVendorHttp({
          facts: connector.facts,
          baseUrl: simulator.url,
          clock,
          pools,
          mode: () => mode,
          headers: () => Promise.resolve(scimHeaders(target, simulator.apiKey)),
        }).http;
  const stage: ScimStage = {
    simulator,
    connector,
    call: ({ mode = "write", before = {}, after = {} } = {}) => {
      const inner = opened(mode);
      return {
        http: {
          request: async (request) => {
            before[request.operation]?.();
            const answer = await inner.request(request);
            after[request.operation]?.();
            return answer;
          },
          pages: (request, next) => inner.pages(request, next),
        },
        signal: new AbortController().signal,
        now: () => clock.now(),
      };
    },
    find: (email = jane) => connector.findAccounts(stage.call(), { emails: [email], reference }),
    one: async (email = jane) => {
      const living = (await stage.find(email)).filter((item) => !isOver(item, connector.facts));
      const [account] = living;
      if (account === undefined || living.length > 1) {
        throw new Error(`${String(living.length)} accounts of ${email}`);
      }
      return account;
    },
    create: (email = jane, role = "viewer") =>
      connector.createAccount(stage.call(), {
        email,
        role,
        displayName: "Jane Doe",
        givenName: "Jane",
        familyName: "Doe",
        reference,
      }),
    failure: async (promise) => {
      const error = await failureOf(promise);
      if (error instanceof SyncError) return error;
      throw error;
    },
    user: (userName = jane) =>
      simulator.state().users.find((item) => item.userName.toLowerCase() === userName),
    members: (displayName) => {
      const { groups, users } = simulator.state();
      const ids = groups.find((item) => item.displayName === displayName)?.members ?? [];
      return ids.map((id) => users.find((item) => item.id === id)?.userName ?? id);
    },
    writes: () =>
      simulator.requests
        .filter((item) => item.method !== "GET")
        .map((item) => item.operation ?? `${item.method} ${item.path}`),
  };
  return stage;
}
