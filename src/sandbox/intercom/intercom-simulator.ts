import { SimulatedVendor } from "../simulated-vendor.ts";
import { serveSimulator } from "../simulator-server.ts";
import type { SimulatorOptions, VendorSimulator } from "../vendor-simulator.ts";
import { documentedLimit, intercomApi } from "./api.ts";
import { IntercomControl } from "./control.ts";
import { intercomActions } from "./control-actions.ts";
import { firstTruth } from "./truth.ts";
import type { Settings, Truth } from "./truth.ts";
import type { Region } from "./vocabulary.ts";

export interface IntercomOptions extends SimulatorOptions {
  /** The REST token of the first truth, with every scope; absent: a random one, see `IntercomSimulator.apiKey`. */
  readonly apiKey?: string;
  readonly scimToken?: string;
  readonly workspace?: { readonly idCode: string; readonly name: string; readonly region?: Region };
  /** The first teammate, for whom the token acts. */
  readonly admin?: { readonly email: string; readonly name: string };
  readonly settings?: Partial<Settings>;
  /** Absent: what the vendor documents. */
  readonly limit?: { readonly perWindow: number; readonly windowMs: number };
}

export interface IntercomSimulator extends VendorSimulator {
  /** The first token of the REST API. */
  readonly apiKey: string;
  /** The token of `/scim/v2`. */
  readonly scimToken: string;
  /** What people do in the settings; over HTTP `POST /__control/<name-of-it>`. */
  readonly control: IntercomControl;
  /** A copy of everything that the vendor knows, secrets left out. */
  state(): IntercomState;
}

export type IntercomState = Omit<Truth, "tokens" | "scimToken" | "app">;

/**
 * One Intercom workspace: REST by version, SCIM beside it, with the vendor's error forms, windows and quirks in domain time.
 * @throws InputError when `state` holds something else, the socket's error when the port cannot be had.
 */
export async function startIntercomSimulator(options: IntercomOptions): Promise<IntercomSimulator> {
  const { clock } = options;
  const api = intercomApi(clock, options.limit ?? documentedLimit);
  const vendor = new SimulatedVendor(api, clock, options.state, () =>
    firstTruth(clock, {
      workspace: {
        idCode: options.workspace?.idCode ?? "sb1workspace",
        name: options.workspace?.name ?? "Sandbox Workspace",
        region: options.workspace?.region ?? "US",
      },
      admin: options.admin ?? { email: "owner@example.com", name: "Olive Owner" },
      token: options.apiKey,
      scimToken: options.scimToken,
      settings: options.settings,
    }),
  );
  const control = new IntercomControl(vendor);
  const server = await serveSimulator(vendor, intercomActions(control), options);
  return Object.assign(server, {
    apiKey: vendor.truth.tokens[0]?.token ?? "",
    scimToken: vendor.truth.scimToken,
    control,
    state: (): IntercomState => {
      const {
        tokens: _tokens,
        scimToken: _scimToken,
        app: _app,
        ...rest
      } = structuredClone(vendor.truth);
      return rest;
    },
  });
}
