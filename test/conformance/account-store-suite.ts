import { describe } from "vitest";
import type { OpenStore } from "./account-stage.ts";
import { accountTargetSuite } from "./account-target-suite.ts";

/** What every implementation of the account port has to do; `open` gives a fresh, empty store. */
export function accountStoreSuite(name: string, open: OpenStore): void {
  describe(`account store: ${name}`, () => {
    describe("targets", () => {
      accountTargetSuite(open);
    });
  });
}
