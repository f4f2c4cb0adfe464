import type { Admin, Kafka } from "kafkajs";

/**
 * One admin connection for whoever needs one now and then: opened at the first use, one use after the other, forgotten after a failure so
 * that the next use begins anew.
 */
export class SharedAdmin {
  readonly #kafka: Kafka;
  #admin: Admin | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  use<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const result = this.#last.then(() => this.#use(work));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** After the uses that were asked for. */
  async close(): Promise<void> {
    await this.#last;
    await this.#admin?.disconnect();
    this.#admin = undefined;
  }

  async #use<Result>(work: (admin: Admin) => Promise<Result>): Promise<Result> {
    const admin = this.#admin ?? this.#kafka.admin();
    try {
      if (this.#admin === undefined) await admin.connect();
      this.#admin = admin;
      return await work(admin);
    } catch (error) {
      this.#admin = undefined;
      await admin.disconnect();
      throw error;
    }
  }
}
