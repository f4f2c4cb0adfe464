// Goal: a bearer token is known by its hash alone, counts for exactly one caller, and stops at once when it is revoked.
import { describe, expect, test } from "vitest";
import { createTokenCheck, issueToken, tokenHash } from "../../../src/credentials/tokens.ts";
import type { Logger } from "../../../src/model/log.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { addTenant, noAlso, openMemoryStore } from "../../support/store.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

async function scene() {
  const clock = fakeClock();
  const { store, dispose } = await openMemoryStore(clock);
  const { tenantId, idpId } = await addTenant(store, clock.now());
  const issue = (expiresAt?: number) =>
    issueToken(
      { store, clock },
      tenantId,
      { kind: "scim", idpId, label: "test", expiresAt },
      { kind: "system", id: "test" },
    );
  const { check, forget } = createTokenCheck({ store, kind: "scim", clock, logger: silent });
  const operators = createTokenCheck({ store, kind: "operator", clock, logger: silent });
  return { clock, store, dispose, tenantId, idpId, issue, check, forget, operators };
}

describe("a token", () => {
  test("has 256 random bits behind a prefix that scanners of leaked secrets can look for", async () => {
    const { issue, dispose } = await scene();
    const [one, two] = [await issue(), await issue()];
    for (const { token } of [one, two]) expect(token).toMatch(/^rc_scim_[\w-]{43}$/);
    expect(one.token).not.toBe(two.token);
    await dispose();
  });

  test("is in the store as its SHA-256 only, and nowhere in the audit record", async () => {
    const { store, issue, tenantId, dispose } = await scene();
    const { token } = await issue();
    expect((await store.listTokens(tenantId)).map(({ hash }) => hash)).toEqual([tokenHash(token)]);
    const kept = JSON.stringify([
      await store.listTokens(tenantId),
      await store.findRecords(tenantId, { limit: 100 }),
    ]);
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(token.slice("rc_scim_".length, 24));
    await dispose();
  });

  test("is compared by the hash of the whole: one letter off is as wrong as all of them", async () => {
    const { issue, check, operators, idpId, dispose } = await scene();
    const { token } = await issue();
    expect(await check(token)).toMatchObject({ idpId });
    const last = token.endsWith("A") ? "B" : "A";
    for (const wrong of [
      `${token.slice(0, -1)}${last}`,
      token.slice(0, -1),
      `${token}A`,
      token.toLowerCase(),
      ` ${token}`,
      tokenHash(token),
      "",
      "__proto__",
    ])
      expect(await check(wrong), wrong).toBeUndefined();
    expect(await operators.check(token)).toBeUndefined();
    await dispose();
  });

  test("stops at the next request after it is revoked here, and when its time is over", async () => {
    const { store, clock, issue, check, forget, tenantId, dispose } = await scene();
    const revoked = await issue();
    const short = await issue(clock.now() + 60_000);
    expect(await check(revoked.token)).toBeDefined();
    expect(await check(short.token)).toBeDefined();
    await store.revokeToken(tenantId, { tokenId: revoked.tokenId, now: clock.now() }, noAlso);
    forget();
    expect(await check(revoked.token)).toBeUndefined();
    await clock.advance(60_000);
    expect(await check(short.token)).toBeUndefined();
    await dispose();
  });

  test("stops within a second where another process revoked it, and works at once where another made it", async () => {
    const { store, clock, issue, check, tenantId, dispose } = await scene();
    const first = await issue();
    expect(await check(first.token)).toBeDefined();
    await store.revokeToken(tenantId, { tokenId: first.tokenId, now: clock.now() }, noAlso);
    const second = await issue();
    await clock.advance(1_000);
    expect(await check(first.token)).toBeUndefined();
    expect(await check(second.token)).toBeDefined();
    const third = await issue();
    expect(await check(third.token)).toBeDefined();
    await dispose();
  });
});
