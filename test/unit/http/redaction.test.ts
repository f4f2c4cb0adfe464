import { expect, test } from "vitest";
import { createRedactor } from "../../../src/http/redaction.ts";

const redact = createRedactor(["Bearer opaque+token/value==", "2023-06-01"]);

test("the credential is cut out, with and without its scheme", () => {
  expect(redact("got Bearer opaque+token/value== and opaque+token/value==.")).toBe(
    "got [secret] and [secret].",
  );
});

test("addresses of people are cut out", () => {
  expect(redact("User 'jane.doe+x@example.com' is a member; also <bo@example.com>")).toBe(
    "User '[address]' is a member; also <[address]>",
  );
});

test("anything that looks like a key is cut out", () => {
  const text = redact(`sk-ant-admin01-abcdefgh and ${"a1".repeat(24)}`);
  expect(text).toBe("[secret] and [secret]");
});

test("a vendor's words become one short line", () => {
  expect(redact("one\r\n\ttwo\u0007three")).toBe("one two three");
  expect(redact("x ".repeat(500))).toHaveLength(200);
});

test("half a secret at the place where a long text is cut does not stay", () => {
  const secret = "opaque+token/value==";
  for (let at = 960; at <= 1_000; at++) {
    // Addresses shrink when they are redacted, which brings the cut near the front.
    const text = `${"x".repeat(100)}@mail.example.com `.repeat(40).slice(0, at - 1);
    expect(redact(`${text} ${secret}`)).not.toContain("opaque");
  }
});

test("a hostile text of megabytes costs no time", () => {
  const startedAt = performance.now();
  redact("a".repeat(8_000_000));
  redact(`${"@".repeat(4_000_000)} ${"a@".repeat(4_000_000)}`);
  expect(performance.now() - startedAt).toBeLessThan(200);
});
