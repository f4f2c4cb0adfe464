import { describe } from "vitest";
import type { OpenStore } from "./account-stage.ts";
import { accessSuite } from "./access-suite.ts";
import { accountStoreSuite } from "./account-store-suite.ts";
import { adoptionSuite } from "./adoption-suite.ts";
import { auditSuite } from "./audit-suite.ts";
import { concurrencySuite } from "./concurrency-suite.ts";
import { credentialSuite } from "./credential-suite.ts";
import { deadLetterSuite } from "./dead-letter-suite.ts";
import { deliverySuite } from "./delivery-suite.ts";
import { directoryGroupSuite } from "./directory-group-suite.ts";
import { directoryIdentitySuite } from "./directory-identity-suite.ts";
import { directoryListSuite } from "./directory-list-suite.ts";
import { directoryUserSuite } from "./directory-user-suite.ts";
import { hrSuite } from "./hr-suite.ts";
import { mappingVersionSuite } from "./mapping-version-suite.ts";
import { pulseSuite } from "./pulse-suite.ts";
import { recomputeSuite } from "./recompute-suite.ts";
import { storeLifeSuite } from "./store-life-suite.ts";
import { reviewSuite } from "./review-suite.ts";
import { rosterSuite } from "./roster-suite.ts";
import { taskSuite } from "./task-suite.ts";
import { trafficSuite } from "./traffic-suite.ts";
import { thingSuite } from "./thing-suite.ts";
import { storeTextSuite } from "./store-text-suite.ts";

/** What every store has to do, port by port; `open` gives an empty one each time, `openNew` one that is opened and closed for the test. */
export function storeSuite(name: string, open: OpenStore, openNew = open): void {
  describe(`store: ${name}`, () => {
    describe("life", () => {
      storeLifeSuite(openNew);
    });
    const suites: Readonly<Record<string, (open: OpenStore) => void>> = {
      "text and numbers": storeTextSuite,
      people: directoryUserSuite,
      groups: directoryGroupSuite,
      lists: directoryListSuite,
      identities: directoryIdentitySuite,
      "HR records": hrSuite,
      "requests of IdPs": trafficSuite,
      recompute: recomputeSuite,
      "mapping versions": mappingVersionSuite,
      credentials: credentialSuite,
      "decisions for applications": accessSuite,
      audit: auditSuite,
      "dead letters": deadLetterSuite,
      deliveries: deliverySuite,
      tasks: taskSuite,
      rosters: rosterSuite,
      reviews: reviewSuite,
      adoption: adoptionSuite,
      pulse: pulseSuite,
      "declared things": thingSuite,
    };
    for (const [port, suite] of Object.entries(suites)) {
      describe(port, () => {
        suite(open);
      });
    }
  });
  accountStoreSuite(name, open);
  describe(`commands at once: ${name}`, () => {
    concurrencySuite(open);
  });
}
