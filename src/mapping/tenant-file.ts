import { z } from "zod";
import { foldEmail } from "../model/fold.ts";
import { asId, type IdpId } from "../model/ids.ts";
import { isZone } from "../model/zoned-time.ts";
import { domain } from "./schema.ts";
import { connectionName, strictObject } from "./strict-object.ts";

/** `tenant.yaml`: what counts for all connections of a tenant. */
export const tenantFile = strictObject({
  version: z.literal(1),
  idps: z
    .record(connectionName(), strictObject({ kind: z.enum(["okta", "entra", "generic"]) }))
    .optional()
    .describe("The identity providers that push to us, by the name that rules may use in `idp:`"),
  domains: z.array(domain).max(1_000).optional(),
  approvals: z.enum(["auto", "required"]).optional(),
  zone: z
    .string()
    .max(64)
    .refine(isZone, "write an IANA time zone, as in Europe/Berlin")
    .optional(),
});

export interface TenantSettings {
  readonly idps: readonly { readonly idpId: IdpId; readonly kind: "okta" | "entra" | "generic" }[];
  /** Folded; count for connections that list none. */
  readonly domains: readonly string[];
  readonly approvals: "auto" | "required";
  /** IANA name; days without a zone (`until: 2027-01-31`) end there. */
  readonly zone: string;
  /** Whether the file says the zone: only then may the dates of people be read by it. */
  readonly zoneGiven: boolean;
}

/** The settings of a tenant, defaults filled in; undefined: there is no `tenant.yaml`. */
export function tenantSettings(file: z.infer<typeof tenantFile> | undefined): TenantSettings {
  return {
    idps: Object.entries(file?.idps ?? {}).map(([name, { kind }]) => ({
      idpId: asId<IdpId>(name),
      kind,
    })),
    domains: [...new Set((file?.domains ?? []).map(foldEmail))],
    approvals: file?.approvals ?? "auto",
    zone: file?.zone ?? "UTC",
    zoneGiven: file?.zone !== undefined,
  };
}
