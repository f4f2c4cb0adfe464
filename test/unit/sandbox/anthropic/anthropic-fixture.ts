import { onTestFinished } from "vitest";
import { startAnthropicSimulator } from "../../../../src/sandbox/anthropic/anthropic-simulator.ts";
import type { AnthropicOptions } from "../../../../src/sandbox/anthropic/anthropic-simulator.ts";
import { fakeClock } from "../../../support/fake-clock.ts";
import { exchange } from "../../../support/http-exchange.ts";

export const organizations = "/v1/organizations";
export const DAY_MS = 86_400_000;

/** A simulator on a clock that the test moves, with one admin (owner@example.com), and a caller with its key. */
export async function anthropic(options: Partial<AnthropicOptions> = {}) {
  const clock = fakeClock();
  const simulator = await startAnthropicSimulator({ clock, ...options });
  onTestFinished(() => simulator.close());
  const call = (method: string, path: string, json?: unknown, headers = {}) =>
    exchange(simulator.url + organizations + path, {
      method,
      json,
      headers: { "x-api-key": simulator.apiKey, "anthropic-version": "2023-06-01", ...headers },
    });
  const control = (method: string, path: string, json?: unknown) =>
    exchange(`${simulator.url}/__control${path}`, { method, json });
  return { clock, simulator, call, control };
}

export const errorOf = (exchanged: { body: Record<string, unknown> }) =>
  exchanged.body["error"] as {
    type: string;
    message: string;
    details?: { error_code: string };
  };

export const rowsOf = (exchanged: { body: Record<string, unknown> }) =>
  exchanged.body["data"] as Record<string, unknown>[];
