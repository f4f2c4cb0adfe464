import { onTestFinished } from "vitest";
import { startInstantlySimulator } from "../../../../src/sandbox/instantly/instantly-simulator.ts";
import type { InstantlyOptions } from "../../../../src/sandbox/instantly/instantly-simulator.ts";
import { fakeClock } from "../../../support/fake-clock.ts";
import { exchange } from "../../../support/http-exchange.ts";

/** A simulator on a clock that the test moves, with one owner (owner@example.com), and a caller with its key. */
export async function instantly(options: Partial<InstantlyOptions> = {}) {
  const clock = fakeClock();
  const simulator = await startInstantlySimulator({ clock, ...options });
  onTestFinished(() => simulator.close());
  const call = (method: string, path: string, json?: unknown, headers = {}) =>
    exchange(`${simulator.url}/api/v2${path}`, {
      method,
      json,
      headers: { authorization: `Bearer ${simulator.apiKey}`, ...headers },
    });
  const as = (secret: string) => ({ authorization: `Bearer ${secret}` });
  return { clock, simulator, call, as };
}

export const itemsOf = (exchanged: { body: Record<string, unknown> }) =>
  exchanged.body["items"] as Record<string, unknown>[];
