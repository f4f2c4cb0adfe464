// Goal: what somebody is signed in with cannot sign them in for longer than it lasts itself.
import { describe, expect, test } from "vitest";
import {
  OperationError,
  type ConsoleDeps,
  type OperationContext,
} from "../../../src/console/operation.ts";
import { signInOperations } from "../../../src/console/operations/sign-in.ts";
import { asId, type TenantId } from "../../../src/model/ids.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const hour = 3_600_000;
const clock = fakeClock();
const now = clock.now();
const deps = {
  clock,
  signInLink: () => Promise.resolve({ url: "http://127.0.0.1/console", expiresAt: now }),
  issueToken: (_tenant: TenantId, draft: { readonly expiresAt: number | undefined }) =>
    Promise.resolve({ tokenId: "t", token: `until ${String(draft.expiresAt)}` }),
} as unknown as ConsoleDeps;

function ask(
  name: "signInLink" | "ownToken",
  via: OperationContext["via"],
  input: object = {},
): Promise<unknown> {
  const row = signInOperations.find((item) => item.name === name);
  if (row === undefined) throw new Error(`there is no operation ${name}`);
  const actor = { kind: "operator", id: "ida" } as const;
  return row.run(
    deps,
    { tenantId: asId<TenantId>("acme"), actor, via },
    row.input.parse(input) as never,
  );
}

const session = { purpose: "session", expiresAt: now + 5 * hour } as const;
const refused = async (asked: Promise<unknown>) =>
  asked.then(
    () => undefined,
    (error: unknown) => (error instanceof OperationError ? error.status : error),
  );

describe("a token of one's own", () => {
  test("ends with the session that made it", async () => {
    expect(await ask("ownToken", session)).toMatchObject({
      token: `until ${String(session.expiresAt)}`,
      expiresAt: session.expiresAt,
    });
  });

  test("is made in the console alone, not with another token", async () => {
    expect(await refused(ask("ownToken", { purpose: undefined, expiresAt: undefined }))).toBe(403);
    expect(await refused(ask("ownToken", { purpose: undefined, expiresAt: now + hour }))).toBe(403);
  });
});

describe("a link for oneself", () => {
  test("is not for a session, nor for a token that ends before the new session would", async () => {
    expect(await refused(ask("signInLink", session))).toBe(403);
    expect(
      await refused(ask("signInLink", { purpose: undefined, expiresAt: now + 11 * hour })),
    ).toBe(403);
  });

  test("is for a token that outlasts a session, and an admin makes one for somebody else", async () => {
    const lasting = { purpose: undefined, expiresAt: now + 90 * 24 * hour };
    expect(await refused(ask("signInLink", lasting))).toBeUndefined();
    expect(await refused(ask("signInLink", session, { as: "ben@example.com" }))).toBeUndefined();
  });
});
