import type { z } from "zod";
import type { SimulatedCall, SimulatedRoute, World } from "../simulated-api.ts";
import { refuse } from "./refusal.ts";
import type { Admin, Truth } from "./truth.ts";

/** Whoever calls: a token of the REST API and the version that it asks for, the identity provider's SCIM token, or an app with a code. */
export type Caller =
  | { readonly via: "rest"; readonly adminId: string; readonly version: Version }
  | { readonly via: "scim" | "app" };

/** `preview` is newer than every number. */
export type Version = number | "preview";

export type IntercomRoute = SimulatedRoute<Truth, Caller>;
export type IntercomWorld = World<Truth, Caller>;

export function atLeast(world: IntercomWorld, version: number): boolean {
  const { caller } = world;
  if (caller.via !== "rest") return false;
  return caller.version === "preview" || caller.version >= version;
}

/** For what a version does not have yet. @throws Refusal 400 */
export function needVersion(world: IntercomWorld, version: number): void {
  if (atLeast(world, version)) return;
  throw refuse(
    400,
    "intercom_version_invalid",
    "Requested resource is not available in current API version.",
  );
}

/** The teammate whom the token acts for; in another customer's truth, theirs. */
export function actorOf({ truth, caller }: IntercomWorld): Admin {
  const wanted = caller.via === "rest" ? caller.adminId : undefined;
  const admin = truth.admins.find((each) => each.id === wanted) ?? truth.admins[0];
  if (admin === undefined) throw new Error("The simulated workspace has no teammate");
  return admin;
}

/** @throws Refusal 400 in the vendor's form */
export function readBody<T>(schema: z.ZodType<T>, call: SimulatedCall): T {
  const parsed = schema.safeParse(call.json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const path = issue?.path.map(String).join(".") ?? "";
  throw refuse(400, "parameter_invalid", path === "" ? "Invalid parameters" : `${path} is invalid`);
}

/** The vendor's times are seconds. */
export function seconds(instant: number): number {
  return Math.floor(instant / 1000);
}
