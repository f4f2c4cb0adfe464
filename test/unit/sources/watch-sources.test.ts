// Goal: silence that is unusual and tokens that end soon become findings, and stop being some.
// Method: a real store in memory, a clock that the test moves.
import { afterEach, beforeEach, expect, test } from "vitest";
import { rhythmOf } from "../../../src/sources/quiet.ts";
import { watchSources } from "../../../src/sources/watch-sources.ts";
import type { IdpId, TenantId } from "../../../src/model/ids.ts";
import { fakeClock, type FakeClock } from "../../support/fake-clock.ts";
import { addTenant, noAlso, openMemoryStore, type TestStore } from "../../support/store.ts";

const minute = 60_000;
const day = 86_400_000;
let clock: FakeClock;
let opened: TestStore;
let tenantId: TenantId;
let idpId: IdpId;
beforeEach(async () => {
  clock = fakeClock();
  opened = await openMemoryStore(clock);
  ({ tenantId, idpId } = await addTenant(opened.store, clock.now()));
});
afterEach(() => opened.dispose());

const heard = async () => {
  const at = clock.now();
  const counts = { requests: 1, refused: 0, failed: 0, recent: [] };
  await opened.store.noteTraffic(tenantId, { idpId, firstAt: at, lastAt: at, ...counts });
};
const watch = async () => {
  await watchSources({ store: opened.store, clock }, tenantId);
  const open = await opened.store.listFindings(tenantId, { open: true, limit: 100 });
  return open.map(({ key, severity }) => `${severity} ${key}`).toSorted();
};

test("an IdP that came every forty minutes has gone quiet after twice its longest silence, until it comes again", async () => {
  for (let cycle = 0; cycle < 6; cycle += 1) {
    await heard();
    await clock.advance(40 * minute);
  }
  await heard();
  await clock.advance(79 * minute);
  expect(await watch()).toEqual([]);
  await clock.advance(2 * minute);
  expect(await watch()).toEqual(["warning idp_quiet:okta"]);
  const [finding] = await opened.store.listFindings(tenantId, { open: true, limit: 1 });
  expect(finding?.text).toContain("has gone quiet");
  await clock.advance(60 * minute);
  expect(await watch()).toEqual(["warning idp_quiet:okta"]);
  await heard();
  expect(await watch()).toEqual([]);
});

test("silence is not unusual where nothing is known of it: a new IdP, or one that was never heard", async () => {
  await clock.advance(30 * day);
  expect(await watch()).toEqual([]);
  await heard();
  await clock.advance(30 * day);
  expect(await watch()).toEqual([]);
  expect(rhythmOf({ pauses: [minute * 10], lastRequestAt: 0 }).quietFrom).toBeUndefined();
});

test("weekends are usual for an IdP that sends when somebody changes something", () => {
  const weekend = 62 * 60 * minute;
  const { usualPauseMs, quietFrom } = rhythmOf({
    pauses: [...Array.from({ length: 40 }, () => 90 * minute), weekend],
    lastRequestAt: 1_000,
  });
  expect(usualPauseMs).toBe(90 * minute);
  expect(quietFrom).toBe(1_000 + 2 * weekend);
});

test("a token is warned of 30, 14, 3 and 1 days before its end, and no more once it is revoked or over", async () => {
  const token = (tokenId: string, expiresAt: number | undefined) =>
    opened.store.createToken(
      tenantId,
      {
        ...{ tokenId, kind: "scim", idpId, hash: tokenId.padEnd(64, "0"), label: tokenId },
        ...{ createdAt: clock.now(), expiresAt },
      },
      noAlso,
    );
  await token("a1", clock.now() + 31 * day);
  await token("b2", undefined);
  const seen: (readonly string[])[] = [];
  for (const days of [0, 2, 15, 11, 2, 1]) {
    await clock.advance(days * day);
    seen.push(await watch());
  }
  expect(seen).toEqual([
    [],
    ["warning token_expiring:a1:30"],
    ["warning token_expiring:a1:14"],
    ["warning token_expiring:a1:3"],
    ["urgent token_expiring:a1:1"],
    [],
  ]);
  await token("c3", clock.now() + day / 2);
  expect(await watch()).toEqual(["urgent token_expiring:c3:1"]);
  await opened.store.revokeToken(tenantId, { tokenId: "c3", now: clock.now() }, noAlso);
  expect(await watch()).toEqual([]);
});
