// Goal: PostgreSQL over TLS works as `sslmode` says, and where it does not, a start and the doctor say what to mend.
// Method: a real server with a certificate of the test's own authority, which lets nobody but us in without TLS and a password.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeServer } from "../../src/adapters/postgres/describe-server.ts";
import { openPostgresStore } from "../../src/adapters/postgres/postgres-store.ts";
import { systemClock } from "../../src/model/clock.ts";
import { makeCertificates } from "../support/certificates.ts";
import type { PostgresServer } from "../support/postgres/postgres-server.ts";
import { ownPostgres, sharedPostgres } from "../support/postgres/real-postgres.ts";
import { bothFound, describeReal } from "../support/real-server.ts";
import { addTenant } from "../support/store.ts";

const found = bothFound(bothFound(await ownPostgres(), makeCertificates()), await sharedPostgres());

describeReal("PostgreSQL over TLS", found, ({ first: { first: start, second }, second: plain }) => {
  const certificates = second;
  let server: PostgresServer;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rolecall-tls-"));
    await writeFile(join(folder, "ca.pem"), certificates.ca);
    await writeFile(join(folder, "other.pem"), certificates.otherCa);
    server = await start(certificates);
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    await client.query("CREATE ROLE rolecall LOGIN PASSWORD 'right'");
    await client.query("CREATE DATABASE rolecall OWNER rolecall");
    await client.end();
  }, 240_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  }, 120_000);

  const url = (query: string, { host = "localhost", password = "right" } = {}) =>
    `postgres://rolecall:${password}@${host}:${String(server.port)}/rolecall${query}`;
  const ca = (name: string) => `&sslrootcert=${encodeURIComponent(join(folder, `${name}.pem`))}`;

  test("that is verified in full keeps the store, and the doctor says that it is TLS", async () => {
    const verified = url(`?sslmode=verify-full${ca("ca")}`);
    const clock = systemClock();
    const store = await openPostgresStore({
      ...{ url: verified, connectionsMax: 2, world: "test", clock },
    });
    await addTenant(store, clock.now());
    await store.close();
    expect(await describeServer(verified)).toMatch(/, over TLS, (\d+) of \1 migrations done$/);
  });

  test.each([
    ["an authority that did not sign it", `?sslmode=verify-full`, "other", "localhost"],
    ["a name that is not in it", "?sslmode=verify-full", "ca", "127.0.0.1"],
  ])("is refused for %s, with the settings to look at", async (_what, query, authority, host) => {
    await expect(describeServer(url(`${query}${ca(authority)}`, { host }))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/certificate is not trusted \(\w+\).*sslrootcert/) as string,
    });
  });

  test("is asked for by the server, and the server's words are passed on", async () => {
    await expect(describeServer(url("?sslmode=disable"))).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("no encryption") as string,
    });
    const wrong = url(`?sslmode=verify-full${ca("ca")}`, { password: "wrong" });
    await expect(describeServer(wrong)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("password authentication failed") as string,
    });
  });

  test("is missed where the server has none", async () => {
    await expect(describeServer(`${plain.url}?sslmode=require`)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringMatching(/does not speak TLS.*sslmode/) as string,
    });
  });
});
