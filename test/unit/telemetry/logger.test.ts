import { describe, expect, test } from "vitest";
import { StoreError, SyncError } from "../../../src/model/errors.ts";
import type { Logger } from "../../../src/model/log.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { fakeClock } from "../../support/fake-clock.ts";

interface Heard {
  readonly logger: Logger;
  readonly lines: readonly Record<string, unknown>[];
  readonly text: () => string;
}

function listening(options: Partial<Parameters<typeof createLogger>[0]> = {}): Heard {
  const written: string[] = [];
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "debug",
    clock: fakeClock({ start: Date.UTC(2026, 0, 5, 9) }),
    write: (line) => {
      written.push(line);
      lines.push(JSON.parse(line) as Record<string, unknown>);
    },
    ...options,
  });
  return { logger, lines, text: () => written.join("") };
}

describe("a line", () => {
  test("is JSON with level, domain time, message, bound and given facts", () => {
    const { logger, lines } = listening({ base: { version: "1.2.3" } });
    logger
      .child({ tenantId: "acme" })
      .child({ room: "apply" })
      .warn({ laneState: "paused" }, "lane paused");
    expect(lines).toEqual([
      {
        level: "warn",
        time: "2026-01-05T09:00:00.000Z",
        version: "1.2.3",
        tenantId: "acme",
        room: "apply",
        laneState: "paused",
        message: "lane paused",
      },
    ]);
  });

  test("below the level is not written", () => {
    const { logger, lines } = listening({ level: "warn" });
    logger.info({}, "quiet");
    logger.error({}, "loud");
    expect(lines.map((line) => line.message)).toEqual(["loud"]);
  });
});

describe("what must not be seen", () => {
  const canary = "canary-5c1f";

  test.each([
    "authorization",
    "token",
    "scimToken",
    "client_secret",
    "credential",
    "password",
    "apiKey",
    "X-Api-Key",
    "Set-Cookie",
    "email",
    "emails",
    "userName",
    "displayName",
  ])("is redacted under %s at each of four levels", (name) => {
    const { logger, lines, text } = listening();
    logger.info(
      { [name]: canary, a: { [name]: [canary], b: [{ [name]: { x: canary } }] } },
      "facts",
    );
    logger.child({ [name]: canary }).info({}, "bound");
    expect(text()).not.toContain(canary);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ [name]: "[redacted]" });
  });

  test("does not come through below the fourth level either", () => {
    const { logger, text } = listening();
    logger.info({ a: { b: { c: { d: { e: { token: canary } } } } } }, "deep");
    expect(text()).not.toContain(canary);
  });

  test("does not come through an error's message, stack, cause or facts", () => {
    const { logger, lines, text } = listening();
    const cause = new Error(`refused: Authorization: Bearer ${canary}-abcdef`);
    const err = new SyncError("CREDENTIAL_REFUSED", `key sk-${canary} is not accepted`, {
      cause,
      facts: { status: 401, apiKey: canary },
    });
    logger.error({ err, more: { again: err } }, "call failed");
    expect(text()).not.toContain(canary);
    expect(lines[0]).toMatchObject({
      err: {
        type: "SyncError",
        code: "CREDENTIAL_REFUSED",
        facts: { status: 401 },
        cause: { type: "Error" },
      },
    });
  });

  test("leaves fingerprints, ids and numbers readable", () => {
    const { logger, lines } = listening();
    const facts = { credentialFingerprint: "ab12", tokenId: "t1", attempts: 3, at: null };
    logger.info(facts, "facts");
    expect(lines[0]).toMatchObject(facts);
  });

  test("can be added to, and a name that cannot match throws at the start", () => {
    const { logger, text } = listening({ redact: ["badgeNumber"] });
    logger.info({ badge_number: canary }, "facts");
    expect(text()).not.toContain(canary);
    expect(() => listening({ redact: ["a..b"] })).toThrow(/no name/);
    expect(() => listening({ redact: ["emails[*].value"] })).toThrow(/no name/);
    expect(() => listening({ redact: [""] })).toThrow(/no name/);
  });
});

describe("an error", () => {
  test("keeps its code and its frames", () => {
    const { logger, lines } = listening();
    logger.error({ err: new StoreError("UNAVAILABLE", "disk full", { field: "x" }) }, "not stored");
    const err = lines[0]?.err as Record<string, string>;
    expect(err).toMatchObject({ type: "StoreError", code: "UNAVAILABLE", field: "x" });
    expect(err.stack).toContain("logger.test.ts");
  });

  test("with a long message is cut", () => {
    const { logger, text } = listening();
    logger.error({ err: new Error("x".repeat(100_000)) }, "failed");
    expect(text().length).toBeLessThan(3_000);
  });

  test("that causes itself ends", () => {
    const { logger, lines } = listening();
    const err = new Error("round");
    err.cause = err;
    logger.error({ err }, "failed");
    expect(lines).toHaveLength(1);
  });
});

test("facts that refer to themselves end, and big numbers are texts", () => {
  const { logger, lines } = listening();
  const facts: Record<string, unknown> = { big: 1n };
  facts.self = facts;
  logger.info(facts, "facts");
  expect(lines[0]).toMatchObject({ big: "1" });
});
