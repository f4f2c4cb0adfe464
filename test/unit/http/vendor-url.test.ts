import { describe, expect, test } from "vitest";
import { callUrl, parseBaseUrl } from "../../../src/http/vendor-url.ts";
import { InputError } from "../../../src/model/errors.ts";

describe("a base URL", () => {
  test.each(["http://api.example.com", "http://10.0.0.7:8080"])(
    "%s is refused: the credential would travel in clear text",
    (url) => {
      expect(() => parseBaseUrl(url)).toThrow(/clear text: use https/);
      expect(parseBaseUrl(url, { clearText: true }).protocol).toBe("http:");
    },
  );
  test.each([
    "https://api.example.com",
    "http://127.0.0.1:9",
    "http://[::1]:9",
    "http://localhost:9",
  ])("%s is taken", (url) => {
    expect(parseBaseUrl(url).origin).toBe(url);
  });
  test.each([
    "api.example.com",
    "ftp://example.com",
    "https://user:pass@example.com",
    "https://example.com/?a=b",
  ])("%s is refused with a reason", (url) => {
    expect(() => parseBaseUrl(url)).toThrow(InputError);
  });
});

describe("the address of a call", () => {
  const endpoint = {
    operation: "things.read",
    method: "GET",
    path: "/v1/things/{thingId}/parts/{partId}",
    access: "read",
    bucket: "b",
  } as const;
  const base = parseBaseUrl("https://api.example.com/root/");

  test("keeps the base path, encodes values and repeats arrays", () => {
    const url = callUrl(base, endpoint, {
      path: { thingId: "a/b ?#%", partId: "é" },
      query: { limit: 5, "statuses[]": ["x", "y"], none: undefined, yes: true },
    });
    expect(url.href).toBe(
      "https://api.example.com/root/v1/things/a%2Fb%20%3F%23%25/parts/%C3%A9?limit=5&statuses%5B%5D=x&statuses%5B%5D=y&yes=true",
    );
  });

  test("writes a blank of the query as %20, which every server undoes, and a plus sign as %2B", () => {
    const url = callUrl(base, endpoint, {
      path: { thingId: "a", partId: "b" },
      query: { filter: 'userName eq "a+b@example.com"' },
    });
    expect(url.search).toBe("?filter=userName%20eq%20%22a%2Bb%40example.com%22");
    expect(url.searchParams.get("filter")).toBe('userName eq "a+b@example.com"');
  });

  test.each([".", "..", "", undefined])("never lets %j choose another path", (partId) => {
    const path = partId === undefined ? { thingId: "a" } : { thingId: "a", partId };
    expect(() => callUrl(base, endpoint, { path })).toThrow(/no usable value for \{partId\}/);
  });
});
