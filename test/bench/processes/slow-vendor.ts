/**
 * A vendor with many organisations, one for each first part of the path, that thinks for a while before each answer. Where it has a limit it
 * keeps a token bucket for each, as vendors do, and refuses what exceeds it: how often is what a measure wants to know.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serveParent, startArgument } from "./serve-parent.ts";

export interface SlowVendorStart {
  readonly delayMs: number;
  /** Undefined: none. */
  readonly limit?: { readonly capacity: number; readonly perMs: number };
}

export interface VendorCounts {
  readonly answered: number;
  readonly refused: number;
  /** Between the first and the last call. */
  readonly spanMs: number;
}

const { delayMs, limit } = startArgument<SlowVendorStart>();

class Organization {
  /** Role by address. */
  readonly members = new Map<string, string>();
  #tokens = limit?.capacity ?? 0;
  #at = performance.now();

  /** Answers whether the call is inside the limit. */
  take(): boolean {
    if (limit === undefined) return true;
    const now = performance.now();
    const refilled = this.#tokens + ((now - this.#at) * limit.capacity) / limit.perMs;
    this.#tokens = Math.min(limit.capacity, refilled);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

const organizations = new Map<string, Organization>();
let answered = 0;
let refused = 0;
let firstAt: number | undefined;
let lastAt = 0;

function organizationOf(name: string): Organization {
  const known = organizations.get(name) ?? new Organization();
  organizations.set(name, known);
  return known;
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://vendor.invalid");
  const [, name = "", what = ""] = url.pathname.split("/");
  const organization = organizationOf(name);
  lastAt = performance.now();
  firstAt ??= lastAt;
  const within = organization.take();
  if (within) answered += 1;
  else refused += 1;
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const text = Buffer.concat(chunks).toString("utf8");
    setTimeout(() => {
      response.writeHead(within ? 200 : 429, { "content-type": "application/json" });
      response.end(JSON.stringify(within ? answer(organization, name, what, url, text) : {}));
    }, delayMs);
  });
});

function answer(
  { members }: Organization,
  name: string,
  what: string,
  url: URL,
  text: string,
): unknown {
  switch (what) {
    case "organization":
      return { id: name, name };
    case "find":
      return url.searchParams.getAll("email").flatMap((email) => {
        const role = members.get(email);
        return role === undefined ? [] : [{ email, role }];
      });
    case "set": {
      const { email, role } = JSON.parse(text) as { email: string; role: string };
      const changed = members.get(email) !== role;
      members.set(email, role);
      return { changed };
    }
    default:
      throw new Error(`this vendor knows no ${what}`);
  }
}

await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

serveParent(
  {
    url: () => `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    counts: (): VendorCounts => ({
      answered,
      refused,
      spanMs: firstAt === undefined ? 0 : lastAt - firstAt,
    }),
  },
  async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  },
);
