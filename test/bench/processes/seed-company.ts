import { systemClock } from "../../../src/model/clock.ts";
import { fillCompany, openTenant } from "./company.ts";
import { serveParent } from "./serve-parent.ts";

serveParent(
  {
    fill: async ({ folder, people }: { readonly folder: string; readonly people: number }) => {
      const clock = systemClock();
      const store = await openTenant(folder, clock);
      try {
        await fillCompany(store, clock, people);
      } finally {
        await store.close();
      }
    },
  },
  () => undefined,
);
