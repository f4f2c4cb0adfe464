import { prefixedId } from "../simulated-id.ts";
import { SimulatedVendor } from "../simulated-vendor.ts";
import { serveSimulator } from "../simulator-server.ts";
import type { SimulatorOptions, VendorSimulator } from "../vendor-simulator.ts";
import { scimTargetApi } from "./api.ts";
import { ScimTargetControl, scimTargetActions } from "./control.ts";
import { emptyTruth, putUser } from "./truth.ts";
import type { Quirks, Truth } from "./truth.ts";

export interface ScimTargetOptions extends SimulatorOptions {
  /** The token of the first truth; absent: a random one, see `ScimTargetSimulator.apiKey`. */
  readonly apiKey?: string;
  readonly quirks?: Partial<Quirks>;
  /** The account that is always there. */
  readonly anchor?: { readonly id?: string; readonly userName: string };
}

export interface ScimTargetSimulator extends VendorSimulator {
  readonly apiKey: string;
  /** What the server's own people do; over HTTP `POST /__control/<name-of-it>`. */
  readonly control: ScimTargetControl;
  /** A copy of everything that the server knows, keys left out. */
  state(): ScimTargetState;
}

export type ScimTargetState = Omit<Truth, "keys">;

/**
 * A SCIM 2.0 server to provision into, its base URL the simulator's own. Quirks make it any of those that are out there.
 * @throws InputError when `state` holds something else, the socket's error when the port cannot be had.
 */
export async function startScimTargetSimulator(
  options: ScimTargetOptions,
): Promise<ScimTargetSimulator> {
  const { clock } = options;
  const anchor = options.anchor ?? { userName: "provisioning@example.com" };
  const vendor = new SimulatedVendor(
    scimTargetApi(clock, anchor.userName),
    clock,
    options.state,
    () => {
      const truth = emptyTruth(options.quirks ?? {});
      putUser(truth, clock, anchor);
      const secret = options.apiKey ?? prefixedId(clock, "scim");
      truth.keys.push({ secret, scopes: ["users", "groups"], revoked: false });
      return truth;
    },
  );
  const control = new ScimTargetControl(vendor);
  const server = await serveSimulator(vendor, scimTargetActions(control), options);
  return Object.assign(server, {
    apiKey: vendor.truth.keys[0]?.secret ?? "",
    control,
    state: (): ScimTargetState => {
      const { keys: _keys, ...rest } = structuredClone(vendor.truth);
      return rest;
    },
  });
}
