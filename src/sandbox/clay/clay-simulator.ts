import { z } from "zod";
import { controlAction, type ControlAction } from "../control-surface.ts";
import { withoutUndefined } from "../simulated-api.ts";
import { SimulatedVendor } from "../simulated-vendor.ts";
import { serveSimulator } from "../simulator-server.ts";
import type { SimulatorOptions, VendorSimulator } from "../vendor-simulator.ts";
import { clayApi } from "./api.ts";
import { ClayControl } from "./control.ts";
import { clayRoles, firstTruth, type Truth } from "./truth.ts";

export interface ClayOptions extends SimulatorOptions {
  /** The key of the service user, who is the first admin; absent: a random one. */
  readonly apiKey?: string;
  readonly workspace?: { readonly id?: string; readonly name?: string };
  readonly plan?: Truth["workspace"]["plan"];
  readonly adminEmail?: string;
}

export interface ClaySimulator extends VendorSimulator {
  readonly apiKey: string;
  /** What people do on the product's pages; over HTTP `POST /__control/<name-of-it>`. */
  readonly control: ClayControl;
  /** A copy of everything that the vendor knows, keys left out. */
  state(): Omit<Truth, "keys">;
}

/**
 * A Clay workspace: pages for people, and an API that says whose key it is. There is no list of members to be found in it.
 * @throws InputError when `state` holds something else, the socket's error when the port cannot be had
 */
export async function startClaySimulator(options: ClayOptions): Promise<ClaySimulator> {
  const { clock } = options;
  const vendor = new SimulatedVendor(clayApi(clock), clock, options.state, () =>
    firstTruth(clock, options),
  );
  const control = new ClayControl(vendor);
  const server = await serveSimulator(vendor, actions(control), options);
  return Object.assign(server, {
    apiKey: vendor.truth.keys[0]?.secret ?? "",
    control,
    state: () => {
      const { keys: _keys, ...rest } = structuredClone(vendor.truth);
      return rest;
    },
  });
}

const email = z.email();
const role = z.enum(clayRoles);

function actions(control: ClayControl): Record<string, ControlAction> {
  return {
    invite: controlAction(z.strictObject({ email, role }), (input) => control.invite(input)),
    accept: controlAction(z.strictObject({ email }), (input) => {
      control.accept(input);
    }),
    "set-role": controlAction(z.strictObject({ email, role }), (input) => {
      control.setRole(input);
    }),
    remove: controlAction(z.strictObject({ email }), (input) => {
      control.remove(input);
    }),
    "add-group": controlAction(z.strictObject({ name: z.string() }), ({ name }) => {
      control.addGroup(name);
    }),
    "set-group": controlAction(
      z.strictObject({ email, group: z.string(), member: z.boolean() }),
      (input) => {
        control.setGroup(input);
      },
    ),
    "add-key": controlAction(z.strictObject({ email, name: z.string() }), (input) => ({
      secret: control.addKey(input),
    })),
    "add-webhook": controlAction(
      z.strictObject({ table: z.string(), token: z.string().optional() }),
      (input) => control.addWebhook(withoutUndefined(input)),
    ),
    settle: controlAction(
      z.strictObject({
        plan: z.enum(["free", "launch", "growth", "enterprise"]).optional(),
        labels: z.enum(["team", "members"]).optional(),
        retryAfter: z.boolean().optional(),
      }),
      (input) => {
        control.settle(withoutUndefined(input));
      },
    ),
    roster: controlAction(z.strictObject({}), () => ({ csv: control.roster() })),
  };
}
