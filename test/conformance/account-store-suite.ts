import { describe } from "vitest";
import { accountBrakeSuite } from "./account-brake-suite.ts";
import { accountGateSuite } from "./account-gate-suite.ts";
import { accountLaneSuite } from "./account-lane-suite.ts";
import { accountObservationSuite } from "./account-observation-suite.ts";
import { accountRailSuite } from "./account-rail-suite.ts";
import type { OpenStore } from "./account-stage.ts";
import { accountTargetSuite } from "./account-target-suite.ts";
import { leaverCaseSuite } from "./leaver-case-suite.ts";

/** What every implementation of the account port has to do; `open` gives a fresh, empty store. */
export function accountStoreSuite(name: string, open: OpenStore): void {
  describe(`account store: ${name}`, () => {
    describe("targets", () => {
      accountTargetSuite(open);
    });
    describe("gate", () => {
      accountGateSuite(open);
    });
    describe("brake", () => {
      accountBrakeSuite(open);
    });
    describe("rails", () => {
      accountRailSuite(open);
    });
    describe("observations", () => {
      accountObservationSuite(open);
    });
    describe("leaver cases", () => {
      leaverCaseSuite(open);
    });
    describe("lanes", () => {
      accountLaneSuite(open);
    });
  });
}
