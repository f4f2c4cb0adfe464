import { describe, test } from "vitest";

/** A real server, or one sentence that says why this machine has none. */
export type Found<Server> = { readonly server: Server } | { readonly missing: string };

/** Both, or what is missing of the first that is. */
export function bothFound<A, B>(
  first: Found<A>,
  second: Found<B>,
): Found<{ readonly first: A; readonly second: B }> {
  if ("missing" in first) return first;
  if ("missing" in second) return second;
  return { server: { first: first.server, second: second.server } };
}

/** Set where every real server must be there (continuous integration): a suite without its server then fails. */
export const realIsRequired = process.env["ROLECALL_REQUIRE_REAL"] === "1";

/**
 * A suite on a real server. Without the server it is skipped and says so on standard error, in words that name the suite and what is
 * missing; with `ROLECALL_REQUIRE_REAL=1` it fails instead. `found` comes from a top-level `await` of the test file.
 */
export function describeReal<Server>(
  name: string,
  found: Found<Server>,
  body: (server: Server) => void,
): void {
  if ("server" in found) {
    const { server } = found;
    describe(name, () => {
      body(server);
    });
    return;
  }
  if (realIsRequired) {
    test(name, () => {
      throw new Error(`${found.missing} (ROLECALL_REQUIRE_REAL=1 wants it)`);
    });
    return;
  }
  process.stderr.write(`\nSKIPPED, needs a real server: ${name}: ${found.missing}\n`);
  test.skip(`${name} (skipped: ${found.missing})`, () => undefined);
}
