import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Found } from "./real-server.ts";

/** PEM texts. */
export interface Certificates {
  readonly ca: string;
  /** An authority that signed nothing of ours. */
  readonly otherCa: string;
  /** Of a server that is called `localhost` and has no address. */
  readonly cert: string;
  readonly key: string;
}

/** An authority and a server's certificate for two days, made by openssl where there is one. */
export function makeCertificates(): Found<Certificates> {
  const folder = mkdtempSync(join(tmpdir(), "rolecall-certificates-"));
  try {
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const make = (name: string, subject: string, ...more: readonly string[]) => {
      const made = spawnSync(
        "openssl",
        [
          ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject],
          ...["-keyout", `${name}.key`, "-out", `${name}.pem`, ...more],
        ],
        { cwd: folder, encoding: "utf8" },
      );
      if (made.status !== 0) throw new Error(made.error?.message ?? made.stderr);
    };
    make("ca", "/CN=Authority of a test");
    make("other", "/CN=Another authority");
    make(
      ...(["server", "/CN=localhost", "-CA", "ca.pem", "-CAkey", "ca.key"] as const),
      ...["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=CA:FALSE"],
    );
    return {
      server: {
        ca: read("ca.pem"),
        otherCa: read("other.pem"),
        cert: read("server.pem"),
        key: read("server.key"),
      },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { missing: `openssl made no certificate: ${why}` };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
