import { expect, test } from "vitest";
import { createHealth } from "../../../src/telemetry/health.ts";
import { fakeClock } from "../../support/fake-clock.ts";

test("is ready while every check passes, and says why when one does not", async () => {
  const clock = fakeClock();
  let store: string | undefined;
  const health = createHealth({
    clock,
    checks: {
      store: () => {
        if (store !== undefined) throw new Error(store);
      },
      disk: () => Promise.resolve(),
    },
  });
  expect(await health.ready()).toEqual({ ok: true, checks: { store: "ok", disk: "ok" } });
  store = "disk full";
  await clock.advance(1_000);
  expect(await health.ready()).toEqual({ ok: false, checks: { store: "disk full", disk: "ok" } });
  expect((await health.live()).ok).toBe(true);
});

test("asks once for many probes within a second", async () => {
  const clock = fakeClock();
  let asked = 0;
  const health = createHealth({
    clock,
    checks: {
      store: async () => {
        asked += 1;
        await Promise.resolve();
      },
    },
  });
  await Promise.all([health.ready(), health.ready(), health.ready()]);
  await clock.advance(999);
  await health.ready();
  expect(asked).toBe(1);
  await clock.advance(1);
  await health.ready();
  expect(asked).toBe(2);
});

test("answers for a check that hangs, and does not begin it again before it ends", async () => {
  const clock = fakeClock();
  let begun = 0;
  let end: () => void = () => undefined;
  const health = createHealth({
    clock,
    checks: {
      store: () =>
        new Promise<void>((resolve) => {
          begun += 1;
          end = resolve;
        }),
    },
  });
  for (let round = 0; round < 3; round += 1) {
    const answer = health.ready();
    await clock.advance(2_000);
    expect(await answer).toEqual({ ok: false, checks: { store: "no answer within 2 s" } });
  }
  expect(begun).toBe(1);
  end();
  await clock.advance(0);
  expect((await health.ready()).ok).toBe(true);
});

test("a process that drains is alive and not ready", async () => {
  const health = createHealth({ clock: fakeClock(), checks: {} });
  health.drain();
  expect(await health.ready()).toEqual({ ok: false, checks: { process: "stopping" } });
  expect(await health.live()).toEqual({ ok: true, checks: {} });
});

test("a check of liveness can object", async () => {
  const health = createHealth({
    clock: fakeClock(),
    checks: {},
    liveChecks: { writer: () => "the writer thread died" },
  });
  expect(await health.live()).toEqual({ ok: false, checks: { writer: "the writer thread died" } });
});
