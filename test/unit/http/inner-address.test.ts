// Goal: a base URL that somebody wrote into a mapping file never leads into this network, by address or by name, unless an operator says so.
import type { lookup } from "node:dns";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { exchange, ExchangeError } from "../../../src/http/exchange.ts";
import { createHttpPools, type HttpPools } from "../../../src/http/http-pools.ts";
import { guardedLookup, isInnerAddress, mayReach } from "../../../src/http/inner-address.ts";

describe("an address", () => {
  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::10.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
  ])("%s lies inside", (address) => {
    expect(isInnerAddress(address)).toBe(true);
  });

  test.each([
    "1.1.1.1",
    "9.255.255.255",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "not an address",
  ])("%s does not", (address) => {
    expect(isInnerAddress(address)).toBe(false);
  });
});

describe("a host of a base URL", () => {
  // The URL parser turns every way to write an address into one before it is looked at.
  test.each([
    "https://2130706434",
    "https://0x7f.2",
    "https://0251.0376.0251.0376",
    "https://169.254.169.254.",
    "https://[::ffff:169.254.169.254]",
    "https://①②⑦.⓪.⓪.②",
  ])("%s is seen for the address that it is", (url) => {
    expect(mayReach(new URL(url).hostname, [])).toBe(false);
  });

  test("is free as this machine by its own names, and where an operator lists it", () => {
    for (const host of ["127.0.0.1", "[::1]", "localhost", "api.example.com"])
      expect(mayReach(host, [])).toBe(true);
    expect(mayReach("10.1.2.3", ["10.1.2.3"])).toBe(true);
    expect(mayReach("10.1.2.4", ["10.1.2.3"])).toBe(false);
    expect(mayReach("10.1.2.4", "any")).toBe(true);
  });
});

describe("a name that leads inside", () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  /** Knows one name, which leads to this machine beside an address outside. */
  const resolve = ((_name: string, _options: object, callback: (...args: unknown[]) => void) => {
    callback(null, [
      { address: "127.0.0.1", family: 4 },
      { address: "192.0.2.1", family: 4 },
    ]);
  }) as typeof lookup;

  /** A server on this machine that is asked for by that name. */
  async function insideServer() {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    cleanups.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as AddressInfo;
    return { url: new URL(`http://vendor.example.com:${String(port)}/`), asked: () => asked };
  }

  const get = (pools: HttpPools, url: URL) =>
    exchange(pools, { method: "GET", url, headers: {}, totalMs: 5_000, bodyMaxBytes: 1_000 });

  function pools(innerHosts: readonly string[]): HttpPools {
    const made = createHttpPools({ innerHosts, resolve });
    cleanups.push(() => made.close());
    return made;
  }

  test("is refused when it is looked up, before a connection is made", async () => {
    const { url, asked } = await insideServer();
    const failure: unknown = await get(pools([]), url).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ExchangeError);
    expect(failure).toMatchObject({
      failure: "no_connection",
      sent: false,
      reason: "EINNERADDRESS",
    });
    expect(asked()).toBe(0);
  });

  test("is called where an operator lists it", async () => {
    const { url, asked } = await insideServer();
    expect((await get(pools(["vendor.example.com"]), url)).status).toBe(200);
    expect(asked()).toBe(1);
  });

  test("is refused in each form in which a socket asks", async () => {
    const look = guardedLookup("vendor.example.com", [], resolve);
    for (const all of [true, false]) {
      const error = await new Promise((resolve) => {
        look("vendor.example.com", { all }, resolve);
      });
      expect(error).toMatchObject({ code: "EINNERADDRESS" });
    }
  });
});
