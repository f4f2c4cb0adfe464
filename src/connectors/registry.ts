import { InputError } from "../model/errors.ts";
import type { ScimTargetSettings } from "../model/scim-target.ts";
import type { VendorFacts } from "../model/vendor-facts.ts";
import { clayBaseUrl, clayEnterprise, clayHeaders, clayWorkspace } from "./clay/clay.ts";
import {
  anthropicBaseUrl,
  anthropicConsole,
  anthropicEnterprise,
  anthropicHeaders,
} from "./anthropic/anthropic.ts";
import type { Connector } from "./connector.ts";
import {
  intercom,
  intercomBaseUrl,
  intercomHeaders,
  intercomScim,
  intercomScimHeaders,
} from "./intercom/intercom.ts";
import type { VendorApp } from "../model/vendor-app.ts";
import { intercomApp } from "./intercom/app.ts";
import { instantly, instantlyBaseUrl, instantlyHeaders } from "./instantly/instantly.ts";
import { scimProfiles } from "./scim/profiles.ts";
import { scimConnector, scimHeaders, scimTargetOf } from "./scim/scim.ts";

/** The vendor that is whatever its target says. */
const scim = "scim";

/** Every connector of this build, by vendor and profile. */
export const connectors: Readonly<Record<string, Readonly<Record<string, Connector>>>> = {
  anthropic: { console: anthropicConsole, enterprise: anthropicEnterprise },
  clay: { default: clayWorkspace, enterprise: clayEnterprise },
  instantly: { default: instantly },
  intercom: { default: intercom, scim: intercomScim },
  [scim]: Object.fromEntries(
    Object.entries(scimProfiles).map(([name, target]) => [name, scimConnector(target, name)]),
  ),
};

/** How a vendor is reached: the client that holds the credential is made from this. */
export interface VendorAccess {
  /** Undefined: every customer has another. */
  readonly defaultBaseUrl: string | undefined;
  /** Headers of every call, made from the opened credential, or from the token that it is exchanged for. */
  readonly authHeaders: (secret: string) => Readonly<Record<string, string>>;
  /** The same for each of the vendor's services. */
  readonly serviceHeaders?: Readonly<
    Record<string, (secret: string) => Readonly<Record<string, string>>>
  >;
  /** Where the credential is exchanged for a bearer token first (RFC 6749 §4.4). */
  readonly token?: { readonly url: string; readonly scope: string | null };
}

export const vendorAccess: Readonly<Record<string, VendorAccess>> = {
  anthropic: { defaultBaseUrl: anthropicBaseUrl, authHeaders: anthropicHeaders },
  clay: { defaultBaseUrl: clayBaseUrl, authHeaders: clayHeaders },
  instantly: { defaultBaseUrl: instantlyBaseUrl, authHeaders: instantlyHeaders },
  intercom: {
    defaultBaseUrl: intercomBaseUrl,
    authHeaders: intercomHeaders,
    serviceHeaders: { scim: intercomScimHeaders },
  },
};

/** Vendors whose app is installed by a browser, and that call back. */
export const vendorApps: Readonly<Record<string, VendorApp>> = { intercom: intercomApp };

/** How a connection is reached, or undefined where this build has no connector for it. */
export function vendorAccessOf(
  vendor: string,
  profile: string,
  settings?: ScimTargetSettings,
): VendorAccess | undefined {
  if (vendor === scim) {
    const target = scimTargetOf(profile, settings);
    if (target === undefined) return undefined;
    const { scheme, tokenUrl, scope } = target.auth;
    return {
      defaultBaseUrl: undefined,
      authHeaders: (secret) => scimHeaders(target, secret),
      ...(scheme === "oauth2" && tokenUrl !== null ? { token: { url: tokenUrl, scope } } : {}),
    };
  }
  return Object.hasOwn(vendorAccess, vendor) ? vendorAccess[vendor] : undefined;
}

/** Connectors of targets that differ from a shipped profile, by what they differ in. */
const differing = new Map<string, Connector>();
const differingMax = 256;

/**
 * The connector of a profile, or undefined where this build has none.
 * @throws InputError for a target that contradicts itself, or for a vendor that takes none
 */
export function connectorOf(
  vendor: string,
  profile: string,
  settings?: ScimTargetSettings,
): Connector | undefined {
  const profiles = Object.hasOwn(connectors, vendor) ? connectors[vendor] : undefined;
  const shipped =
    profiles !== undefined && Object.hasOwn(profiles, profile) ? profiles[profile] : undefined;
  if (settings === undefined || shipped === undefined) return shipped;
  if (vendor !== scim) {
    throw new InputError("the mapping describes a target", [
      `${vendor} is what it is: \`target:\` is for the vendor scim`,
    ]);
  }
  const key = JSON.stringify([profile, settings]);
  const kept = differing.get(key);
  if (kept !== undefined) return kept;
  const target = scimTargetOf(profile, settings);
  if (target === undefined) return undefined;
  const made = scimConnector(target, profile);
  if (differing.size >= differingMax) differing.clear();
  differing.set(key, made);
  return made;
}

/** What a file without a profile means at a vendor that had one profile when it was written. */
const unnamed: Readonly<Record<string, string>> = { anthropic: "console" };

/** Facts of a profile; a vendor with one profile needs no name for it. Undefined where this build has no such connector. */
export function vendorFactsOf(
  vendor: string,
  profile: string | undefined,
  settings?: ScimTargetSettings,
): VendorFacts | undefined {
  const profiles = Object.hasOwn(connectors, vendor) ? Object.keys(connectors[vendor] ?? {}) : [];
  const only = profiles.length === 1 ? profiles[0] : undefined;
  const name = profile ?? only ?? unnamed[vendor];
  return name === undefined ? undefined : connectorOf(vendor, name, settings)?.facts;
}
