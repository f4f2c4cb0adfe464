import { createHttpPools, type HttpPools } from "../../src/http/http-pools.ts";
import { createVendorHttp, type VendorHttpOptions } from "../../src/http/vendor-client.ts";
import type { LogFacts, Logger } from "../../src/model/log.ts";
import type { CallReport, VendorHttp } from "../../src/model/vendor-http.ts";
import { fakeClock } from "./fake-clock.ts";

/** A logger that keeps every line as one JSON text, for tests that look for what must not be in it. */
export function recordingLogger(): Logger & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const write = (facts: LogFacts, message: string) => {
    lines.push(JSON.stringify({ ...facts, message }));
  };
  const logger = {
    lines,
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: () => logger,
  };
  return logger;
}

/** A vendor client whose governor lets everything through, with everything that a test may want to see. */
export function openVendorHttp(
  options: Pick<VendorHttpOptions, "facts" | "baseUrl"> & Partial<VendorHttpOptions>,
) {
  const pools: HttpPools = options.pools ?? createHttpPools();
  const logger = recordingLogger();
  const reports: CallReport[] = [];
  const admitted: string[] = [];
  const abort = new AbortController();
  const http: VendorHttp = createVendorHttp({
    headers: () => Promise.resolve({ authorization: "Bearer key-that-nobody-may-see-1" }),
    mode: () => "write",
    governor: {
      admit: (bucket) => {
        admitted.push(bucket);
        return Promise.resolve();
      },
      settled: (report) => {
        reports.push(report);
      },
    },
    clock: fakeClock(),
    logger,
    pools,
    signal: abort.signal,
    ...options,
  });
  return { http, pools, logger, reports, admitted, abort };
}

/** The error of a promise that must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("it was expected to fail, and did not");
}
