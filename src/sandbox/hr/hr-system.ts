import { createHmac } from "node:crypto";
import type { Clock } from "../../model/clock.ts";
import type { JsonObject } from "../../model/json.ts";
import { roundTrip, type Answer } from "../idp/scim-transport.ts";

export interface HrSystemOptions {
  /** Base URL of the service: `http://127.0.0.1:8080`. */
  readonly baseUrl: string;
  /** As in `Rolecall-Source`. */
  readonly source: string;
  readonly secret: string;
  readonly clock: Clock;
  /** Domain time between two tries while nobody answers. */
  readonly retryWaitMs?: number;
}

const answerTimeoutMs = 30_000;
const triesMax = 60;

/** An HR system that pushes signed events, in the words of src/hr/README.md; it knows of the service only what that page says. */
export class HrSystem {
  readonly #options: HrSystemOptions;

  constructor(options: HrSystemOptions) {
    this.#options = options;
  }

  /**
   * Sends one event until it is answered, signed anew for each try, as a sender with a queue does.
   * @throws Error with the answer when it is refused
   */
  async send(event: JsonObject): Promise<Answer> {
    const { clock, retryWaitMs = 5_000 } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#post(event).catch((error: unknown) => {
        if (tries === triesMax) throw error;
        return undefined;
      });
      if (answer !== undefined && answer.status < 300) return answer;
      if (answer !== undefined && answer.status < 500)
        throw new Error(
          `HR event refused: ${String(answer.status)} ${JSON.stringify(answer.body)}`,
        );
      if (tries === triesMax) throw new Error(`HR event not answered: ${String(answer?.status)}`);
      await clock.sleep(retryWaitMs);
    }
  }

  #post(event: JsonObject): Promise<Answer> {
    const { baseUrl, source, secret, clock } = this.#options;
    const body = Buffer.from(JSON.stringify(event), "utf8");
    const timestamp = String(Math.floor(clock.now() / 1_000));
    const signature = createHmac("sha256", secret)
      .update(`${timestamp}.`, "utf8")
      .update(body)
      .digest("hex");
    return roundTrip({
      method: "POST",
      url: new URL("/hr/v1/events", baseUrl),
      headers: {
        "content-type": "application/json",
        "content-length": body.length,
        "rolecall-source": source,
        "rolecall-timestamp": timestamp,
        "rolecall-signature": `v1=${signature}`,
      },
      body,
      timeoutMs: answerTimeoutMs,
      signal: undefined,
    });
  }
}
