import { onTestFinished } from "vitest";
import { startIntercomSimulator } from "../../../../src/sandbox/intercom/intercom-simulator.ts";
import type { IntercomOptions } from "../../../../src/sandbox/intercom/intercom-simulator.ts";
import { fakeClock } from "../../../support/fake-clock.ts";
import { exchange } from "../../../support/http-exchange.ts";

/** A simulator on a clock that the test moves, with one teammate (owner@example.com), and callers with its tokens. */
export async function intercom(options: Partial<IntercomOptions> = {}) {
  const clock = fakeClock();
  const simulator = await startIntercomSimulator({ clock, ...options });
  onTestFinished(() => simulator.close());
  const as = (token: string) => ({ authorization: `Bearer ${token}` });
  const version = (value: string) => ({ "intercom-version": value });
  const call = (method: string, path: string, json?: unknown, headers = {}) =>
    exchange(`${simulator.url}${path}`, {
      method,
      json,
      headers: { ...as(simulator.apiKey), ...version("2.16"), ...headers },
    });
  const scim = (method: string, path: string, json?: unknown, headers = {}) =>
    exchange(`${simulator.url}/scim/v2${path}`, {
      method,
      json,
      headers: { ...as(simulator.scimToken), ...headers },
    });
  return { clock, simulator, call, scim, as, version };
}

export const codeOf = (exchanged: { body: Record<string, unknown> }) =>
  (exchanged.body["errors"] as readonly { code: string }[])[0]?.code;
