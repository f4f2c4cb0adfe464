import type { Router } from "express";
import { DecisionPoint } from "./access/decision-point.ts";
import { Matrices } from "./access/matrices.ts";
import { createAccessRouter, createMetadataRouter, type AccessDeps } from "./access/router.ts";
import type { Store } from "./adapters/store.ts";
import { vendorFactsOf } from "./connectors/registry.ts";
import { accessMatrix } from "./mapping/access.ts";
import { targetSettingsOf } from "./model/scim-target.ts";

/** Decisions for applications, wired: what they ask, and where they look up how. */
export function createAccessRoom(parts: Omit<AccessDeps, "point"> & { readonly store: Store }): {
  readonly questions: Router;
  readonly metadata: Router;
} {
  const { store, clock, metrics, publicUrl } = parts;
  const matrices = new Matrices({
    store,
    matrixOf: ({ vendor, profile, document }) => {
      const facts = vendorFactsOf(vendor, profile, targetSettingsOf(document));
      return facts === undefined ? undefined : accessMatrix(document, facts);
    },
  });
  const point = new DecisionPoint({ store, matrices, clock, metrics });
  return {
    questions: createAccessRouter({
      ...parts,
      point,
      logger: parts.logger.child({ room: "access" }),
    }),
    metadata: createMetadataRouter(publicUrl),
  };
}
