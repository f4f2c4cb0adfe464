import type { Clock } from "../model/clock.ts";
import type { JsonObject } from "../model/json.ts";
import { HrSystem } from "../sandbox/hr/hr-system.ts";
import { personNamed, type Company } from "../sandbox/idp/company.ts";
import type { OktaSimulator } from "../sandbox/idp/okta.ts";
import type { Person } from "../sandbox/idp/person.ts";
import type { Operator } from "./operator.ts";
import type { Timeline } from "./timeline.ts";
import type { DemoVendors } from "./vendors.ts";

const hrSource = "people-hub";

interface Parts {
  readonly clock: Clock;
  readonly timeline: Timeline;
  readonly service: { readonly scimUrl: string };
  readonly operator: Operator;
  readonly vendors: DemoVendors;
}

/** The day that these chapters stand in. */
interface Day {
  readonly company: Company;
  readonly until: (what: string, reached: () => Promise<boolean>) => Promise<void>;
  readonly complain: (text: string) => void;
}

/** What HR does in the day: it lets somebody go at an hour of Auckland, and takes her back in Lisbon. */
export class HrChapters {
  readonly #parts: Parts;
  readonly #story: Day;
  readonly #mele: Person;
  #hr: HrSystem | undefined;
  #invitedBefore = 0;

  constructor(parts: Parts, story: Day) {
    this.#parts = parts;
    this.#story = story;
    this.#mele = personNamed(story.company, "mele.tuiasosopo");
  }

  /** How many invitations somebody had got before they came back; 0 for who never left. */
  invitedBefore(email: string): number {
    return email === this.#mele.email ? this.#invitedBefore : 0;
  }

  /** HR says that somebody leaves at an hour of Auckland's clocks; the IdP has not heard of it. */
  async leaver(): Promise<void> {
    const { timeline, operator, service, clock, vendors } = this.#parts;
    const secret = await operator.newHrSecret(hrSource);
    this.#hr = new HrSystem({ baseUrl: service.scimUrl, source: hrSource, secret, clock });
    // Whole minutes, as people write them.
    const leavesAt = Math.ceil(clock.now() / 60_000) * 60_000 + 3 * 60_000;
    const end = momentInWords(leavesAt, "Pacific/Auckland");
    await this.#hr.send({
      ...toldBy("mele-leaves", "leave.planned", this.#mele, "Auckland"),
      end: { date: end.day, time: end.time },
    });
    timeline.tell(
      "HR",
      `Mele's last hour ends at ${end.time} in Auckland; Okta knows nothing of it`,
    );
    const hasAccount = () =>
      vendors
        .truth()
        .some((truth) => truth.accounts.some((account) => account.email === this.#mele.email));
    await this.#story.until("the leaver by HR is out", () => Promise.resolve(!hasAccount()));
    if (clock.now() < leavesAt) this.#story.complain("Mele lost access before her last hour ended");
    timeline.tell("Rolecall", "removed her account at that minute");
  }

  /** The same person comes back to another team: what she gets follows from the mapping, not from what she had. */
  async rehire(okta: OktaSimulator): Promise<void> {
    const { timeline, vendors, clock, operator } = this.#parts;
    this.#invitedBefore = vendors.invitationsOf(this.#mele.email).length;
    await okta.removeFromGroup("Security", this.#mele);
    await okta.addToGroup("Data", this.#mele);
    await this.#hr?.send({
      ...toldBy("mele-returns", "rehire", this.#mele, "Lisbon"),
      start: new Date(clock.now()).toISOString(),
    });
    timeline.tell("HR", "rehired Mele in Lisbon, for the Data team");
    await this.#story.until("the rehired person is invited", () =>
      Promise.resolve(vendors.openInvitations().includes(this.#mele.email)),
    );
    vendors.acceptInvitations((address) => address === this.#mele.email);
    await this.#story.until("the rehired person has what the mapping says", async () => {
      const row = (await operator.targets("anthropic")).find(
        (item) => item.emails[0] === this.#mele.email,
      );
      return row?.state === "idle" && row.lifecycle === "active";
    });
    timeline.tell(
      "Rolecall",
      "invited her anew, with what Data has; nothing came back from before",
    );
  }
}

/** An instant as a person writes it who reads the clocks of that zone: a day and a time to the minute. */
function momentInWords(
  instant: number,
  zone: string,
): { readonly day: string; readonly time: string } {
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "short",
  }).format(instant);
  const [day = "", time = ""] = text.split(" ");
  return { day, time };
}

/** The part of an event that says what it is and whom it is about. */
function toldBy(id: string, type: string, person: Person, location: string): JsonObject {
  return {
    id,
    type,
    person: { id: person.employeeNumber, email: person.email, name: person.displayName, location },
  };
}
