import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP } from "node:net";

/**
 * Addresses that lead nowhere on the internet (IANA special-purpose registries, RFC 6890): this host, private networks, the link with
 * its metadata services, multicast. A base URL that somebody wrote into a mapping file must not lead there.
 */
const inner = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const)
  inner.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of [
  ["::", 127],
  ["64:ff9b:1::", 48],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  inner.addSubnet(network, prefix, "ipv6");
/** IPv6 addresses with an IPv4 address in their last 32 bits: NAT64 (RFC 6052), IPv4-compatible. */
const carriers = new BlockList();
carriers.addSubnet("64:ff9b::", 96, "ipv6");
carriers.addSubnet("::", 96, "ipv6");

/** Names of this host that a person writes on purpose: simulators, a tunnel's end. */
const ownNames: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];

export function isInnerAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return inner.check(address, "ipv4");
  if (family !== 6) return false;
  // BlockList looks into IPv4-mapped addresses itself.
  if (inner.check(address, "ipv6")) return true;
  return carriers.check(address, "ipv6") && inner.check(carried(address), "ipv4");
}

/** The last 32 bits as an IPv4 address. */
function carried(address: string): string {
  // The URL parser writes every IPv6 address in one form, with hexadecimal groups only.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(":").slice(-2);
  const bits = groups.map((group) => parseInt(group === "" ? "0" : group, 16));
  return bits.flatMap((bit) => [bit >> 8, bit & 255]).join(".");
}

/** Hosts with inner addresses that calls may go to, as they stand in URLs; `any`: no guard. */
export type InnerHosts = readonly string[] | "any";

/** Whether calls to a host (as `URL.hostname` has it) may leave, as far as its name alone tells. */
export function mayReach(host: string, allowed: InnerHosts): boolean {
  if (allowed === "any" || ownNames.includes(host) || allowed.includes(host)) return true;
  return !isInnerAddress(host.replace(/^\[|\]$/g, ""));
}

/** A name that leads inside; `code` is what logs show as the reason of the failed call. */
export class InnerAddressError extends Error {
  override readonly name = "InnerAddressError";
  readonly code = "EINNERADDRESS";

  constructor(host: string) {
    super(`${host} has an address inside this network`);
  }
}

type Callback = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * The look-up of names for one host: refuses a name that leads inside. It looks at the very addresses that the socket then connects to,
 * so that a name cannot be changed between a check and the call.
 */
export function guardedLookup(
  host: string,
  allowed: InnerHosts,
  resolve: typeof lookup = lookup,
): typeof lookup {
  const free = allowed === "any" || ownNames.includes(host) || allowed.includes(host);
  const guarded = (name: string, options: LookupOptions, callback: Callback): void => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error !== null) callback(error, []);
      else if (!free && addresses.some(({ address }) => isInnerAddress(address)))
        callback(new InnerAddressError(name), []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, addresses[0]?.address ?? "", addresses[0]?.family);
    });
  };
  return guarded as typeof lookup;
}
