import type { Notice, Topic } from "./notice.ts";

/** A way out to people. */
export interface Channel {
  /** `webhook` or `email`: unique in this installation, stands in the delivery log. */
  readonly name: string;
  readonly topics: readonly Topic[];
  /** Resolves when the other side took it. @throws DeliveryError */
  send(notice: Notice, attempt: Attempt): Promise<void>;
}

export interface Attempt {
  readonly deliveryId: string;
  /** Domain time in milliseconds: part of the signature. */
  readonly now: number;
}

/** A try that did not end with a yes. `text` is for the log: no body, no address with a secret in it. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  /** The other side said no for good: trying again changes nothing. */
  readonly final: boolean;

  constructor(text: string, options: { readonly final?: boolean; readonly cause?: unknown } = {}) {
    super(text, options.cause === undefined ? undefined : { cause: options.cause });
    this.final = options.final ?? false;
  }
}
