import { SimulatedVendor } from "../simulated-vendor.ts";
import { serveSimulator } from "../simulator-server.ts";
import type { SimulatorOptions, VendorSimulator } from "../vendor-simulator.ts";
import { documentedLimits, instantlyApi } from "./api.ts";
import type { RateLimits } from "./api.ts";
import { InstantlyControl } from "./control.ts";
import { instantlyActions } from "./control-actions.ts";
import { emptyTruth, putKey, putWorkspace } from "./truth.ts";
import type { Settings, Truth } from "./truth.ts";

export interface InstantlyOptions extends SimulatorOptions {
  /** The key of the first truth, with every scope; absent: a random one, see `InstantlySimulator.apiKey`. */
  readonly apiKey?: string;
  readonly workspace?: { readonly id?: string; readonly name: string };
  readonly ownerEmail?: string;
  readonly settings?: Partial<Settings>;
  /** Absent: what the vendor documents. */
  readonly limits?: Partial<RateLimits>;
}

export interface InstantlySimulator extends VendorSimulator {
  /** The secret of the first key. */
  readonly apiKey: string;
  /** What the vendor's people and its users can do; over HTTP `POST /__control/<name-of-it>`. */
  readonly control: InstantlyControl;
  /** A copy of everything that the vendor knows, keys left out. */
  state(): InstantlyState;
}

export type InstantlyState = Omit<Truth, "keys">;

/**
 * Instantly workspaces behind API v2, with the vendor's error forms, cursors and limits in domain time.
 * @throws InputError when `state` holds something else, the socket's error when the port cannot be had.
 */
export async function startInstantlySimulator(
  options: InstantlyOptions,
): Promise<InstantlySimulator> {
  const { clock } = options;
  const api = instantlyApi(clock, { ...documentedLimits, ...options.limits });
  const vendor = new SimulatedVendor(api, clock, options.state, () => firstTruth(options));
  const control = new InstantlyControl(vendor);
  const server = await serveSimulator(vendor, instantlyActions(control), options);
  return Object.assign(server, {
    apiKey: vendor.truth.keys[0]?.secret ?? "",
    control,
    state: (): InstantlyState => {
      const { keys: _keys, ...rest } = structuredClone(vendor.truth);
      return rest;
    },
  });
}

function firstTruth(options: InstantlyOptions): Truth {
  const { clock } = options;
  const truth = emptyTruth(options.settings ?? {});
  const workspace = putWorkspace(truth, clock, {
    name: "Sandbox Workspace",
    ...options.workspace,
    ownerEmail: options.ownerEmail ?? "owner@example.com",
  });
  const scopes = ["all:all"];
  const workspaceId = workspace.id;
  putKey(truth, clock, { workspaceId, name: "sandbox", scopes, secret: options.apiKey });
  return truth;
}
