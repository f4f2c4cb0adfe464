import type { VendorFacts } from "../model/vendor-facts.ts";
import { anthropicBaseUrl, anthropicConsole, anthropicHeaders } from "./anthropic/anthropic.ts";
import type { Connector } from "./connector.ts";
import {
  intercom,
  intercomBaseUrl,
  intercomHeaders,
  intercomScim,
  intercomScimHeaders,
} from "./intercom/intercom.ts";
import { instantly, instantlyBaseUrl, instantlyHeaders } from "./instantly/instantly.ts";

/** Every connector of this build, by vendor and profile. */
export const connectors: Readonly<Record<string, Readonly<Record<string, Connector>>>> = {
  anthropic: { console: anthropicConsole },
  instantly: { default: instantly },
  intercom: { default: intercom, scim: intercomScim },
};

/** How a vendor is reached: the client that holds the credential is made from this. */
export interface VendorAccess {
  readonly defaultBaseUrl: string;
  /** Headers of every call, made from the opened credential. */
  readonly authHeaders: (secret: string) => Readonly<Record<string, string>>;
  /** The same for each of the vendor's services. */
  readonly serviceHeaders?: Readonly<
    Record<string, (secret: string) => Readonly<Record<string, string>>>
  >;
}

export const vendorAccess: Readonly<Record<string, VendorAccess>> = {
  anthropic: { defaultBaseUrl: anthropicBaseUrl, authHeaders: anthropicHeaders },
  instantly: { defaultBaseUrl: instantlyBaseUrl, authHeaders: instantlyHeaders },
  intercom: {
    defaultBaseUrl: intercomBaseUrl,
    authHeaders: intercomHeaders,
    serviceHeaders: { scim: intercomScimHeaders },
  },
};

/** The connector of a profile, or undefined where this build has none. */
export function connectorOf(vendor: string, profile: string): Connector | undefined {
  const profiles = Object.hasOwn(connectors, vendor) ? connectors[vendor] : undefined;
  return profiles !== undefined && Object.hasOwn(profiles, profile) ? profiles[profile] : undefined;
}

/** Facts of a profile; a vendor with one profile needs no name for it. Undefined where this build has no such connector. */
export function vendorFactsOf(
  vendor: string,
  profile: string | undefined,
): VendorFacts | undefined {
  if (profile !== undefined) return connectorOf(vendor, profile)?.facts;
  const profiles = Object.hasOwn(connectors, vendor) ? Object.values(connectors[vendor] ?? {}) : [];
  return profiles.length === 1 ? profiles[0]?.facts : undefined;
}
