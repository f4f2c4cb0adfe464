import type { UploadAnswer } from "../../src/hr/accept.ts";
import type { IdentityProvider, IdpUser } from "./identity-provider.ts";
import type { Life, Scheduler } from "./scheduler.ts";

/** What HR may say of somebody: in its own words, as `POST /hr/v1/events` takes them. */
export type HrWord = "leave.now" | "leave.planned" | "leave.withdrawn" | "rehire";

/** One event; undefined: nobody answered, and nobody knows whether it was heard. */
export type Say = (key: string, event: object) => Promise<UploadAnswer | undefined>;

const minute = 60_000;

/**
 * The HR system of one tenant: says who leaves when, takes it back, and hires again, until it is heard. Its word stands beside that of the
 * identity provider, whoever of both speaks first.
 */
export class HumanResources {
  readonly #scheduler: Scheduler;
  readonly #life: Life;
  readonly #idp: IdentityProvider;
  readonly #say: Say;
  #serial = 0;

  constructor(scheduler: Scheduler, life: Life, idp: IdentityProvider, say: Say) {
    this.#scheduler = scheduler;
    this.#life = life;
    this.#idp = idp;
    this.#say = say;
  }

  says(said: HrWord, who: IdpUser, inMs: number): void {
    // Who has not left cannot be hired again: then the plan is taken back.
    const left = who.hrLeavesAt !== undefined && who.hrLeavesAt <= this.#scheduler.now;
    const word = said === "rehire" && !left ? "leave.withdrawn" : said;
    const end = Math.ceil((this.#scheduler.now + inMs) / minute) * minute;
    this.#serial += 1;
    const id = `hr${String(this.#serial)}`;
    const event = {
      id,
      type: word,
      person: { id: who.key, email: who.userName },
      ...(word === "leave.planned" ? { end: dateOf(end) } : {}),
    };
    who.knownToHr = true;
    this.#idp.push(`HR: ${word} of ${who.userName}`, async () => {
      const answer = await this.#say(id, event);
      if (answer === undefined) return false;
      const [receipt] = answer.receipts;
      // What HR said out of turn, by a clock that was set back, counts for nothing: then the one before stands.
      if (receipt?.state !== "parked") this.#heard(word, who, end);
      return true;
    });
  }

  #heard(word: HrWord, who: IdpUser, end: number): void {
    if (word === "leave.withdrawn" || word === "rehire") {
      who.hrLeavesAt = undefined;
      if (who.active) who.leftAt = undefined;
      return;
    }
    const at = word === "leave.now" ? this.#scheduler.now : end;
    who.hrLeavesAt = at;
    // Who had left already is back until then.
    if (at > this.#scheduler.now && who.active) who.leftAt = undefined;
    this.#scheduler.after(this.#life, at - this.#scheduler.now, () => {
      if (who.hrLeavesAt === at) who.leftAt ??= this.#scheduler.monotonic;
    });
  }
}

function dateOf(at: number): object {
  const text = new Date(at).toISOString();
  return { date: text.slice(0, 10), time: text.slice(11, 16), zone: "UTC" };
}
