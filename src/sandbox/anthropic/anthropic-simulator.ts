import { prefixedId, uuid } from "../simulated-id.ts";
import { SimulatedVendor } from "../simulated-vendor.ts";
import { serveSimulator } from "../simulator-server.ts";
import type { SimulatorOptions, VendorSimulator } from "../vendor-simulator.ts";
import { anthropicApi, documentedLimits } from "./api.ts";
import type { RateLimits } from "./api.ts";
import { AnthropicControl } from "./control.ts";
import { anthropicActions } from "./control-actions.ts";
import { keyClasses } from "./key-class.ts";
import { emptyTruth, putUser } from "./truth.ts";
import type { Settings, Truth } from "./truth.ts";

export interface AnthropicOptions extends SimulatorOptions {
  /** The admin key of the first truth; absent: a random one, see `AnthropicSimulator.apiKey`. */
  readonly apiKey?: string;
  readonly organization?: { readonly id: string; readonly name: string };
  /** Who founded the organisation and is its first admin. */
  readonly admin?: { readonly email: string; readonly name: string };
  readonly settings?: Partial<Settings>;
  /** Absent: what the vendor documents. */
  readonly limits?: Partial<RateLimits>;
}

export interface AnthropicSimulator extends VendorSimulator {
  /** The secret of the first admin key. */
  readonly apiKey: string;
  /** What the vendor's people and its users can do; over HTTP `POST /__control/<name-of-it>`. */
  readonly control: AnthropicControl;
  /** A copy of everything that the vendor knows, credentials left out. */
  state(): AnthropicState;
}

export type AnthropicState = Omit<Truth, "credentials">;

/**
 * A Claude Console organisation behind its Admin API, with the vendor's ids, rules, limits and delays in domain time.
 * @throws InputError when `state` holds something else, the socket's error when the port cannot be had.
 */
export async function startAnthropicSimulator(
  options: AnthropicOptions,
): Promise<AnthropicSimulator> {
  const { clock } = options;
  const api = anthropicApi(clock, { ...documentedLimits, ...options.limits });
  const vendor = new SimulatedVendor(api, clock, options.state, () => firstTruth(options));
  const control = new AnthropicControl(vendor);
  const server = await serveSimulator(vendor, anthropicActions(control), options);
  return Object.assign(server, {
    apiKey: vendor.truth.credentials[0]?.secret ?? "",
    control,
    state: (): AnthropicState => {
      const { credentials: _credentials, ...rest } = structuredClone(vendor.truth);
      return rest;
    },
  });
}

/** What an Enterprise key has to have ticked for everything that is done here. */
const enterpriseScopes = [
  "read:members",
  "write:members",
  "read:rbac_groups",
  "write:rbac_groups",
] as const;

function firstTruth(options: AnthropicOptions): Truth {
  const { clock } = options;
  const organization = options.organization ?? { id: uuid(clock), name: "Sandbox Organization" };
  const truth = emptyTruth(clock, organization, options.settings ?? {});
  const enterprise = truth.settings.enterprise === true;
  const keyClass = enterprise ? "scoped" : "console-admin";
  const { prefix } = keyClasses[keyClass];
  const scopes = enterprise ? enterpriseScopes : keyClasses[keyClass].scopes;
  truth.credentials.push({
    id: prefixedId(clock, "adminkey"),
    secret: options.apiKey ?? prefix + prefixedId(clock, "sandbox"),
    keyClass,
    scopes: [...(scopes ?? [])],
    revokedAt: null,
    expiresAt: null,
  });
  const admin = options.admin ?? { email: "owner@example.com", name: "Olivia Owner" };
  putUser(truth, clock, { ...admin, role: enterprise ? "primary_owner" : "admin" });
  return truth;
}
