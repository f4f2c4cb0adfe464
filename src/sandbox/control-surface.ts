import { json, Router } from "express";
import type { NextFunction, Request, Response } from "express";
import { z } from "zod";
import { InputError } from "../model/errors.ts";
import type { Fault } from "./fault-schedule.ts";
import type { RequestLog } from "./request-log.ts";
import type { SimulatedVendor } from "./simulated-vendor.ts";

/** What the vendor's own people can do: a name in the URL, a checked body, an effect. */
export interface ControlAction {
  readonly input: z.ZodType;
  /** Gets what `input` let pass. @throws InputError */
  run(input: unknown): unknown;
}

/** Ties an action's body schema to the type of its effect. */
export function controlAction<Input>(
  input: z.ZodType<Input>,
  run: (input: Input) => unknown,
): ControlAction {
  return { input, run: (value) => run(input.parse(value)) };
}

const faultsSchema = z.union([
  z.array(z.record(z.string(), z.unknown())),
  z.record(z.string(), z.unknown()),
]);

/**
 * `/__control`: drives a simulator from another process. No credential is asked for: listen on a loopback address.
 * GET state, requests, attempts, faults · POST faults (one or a list) · DELETE faults, faults/:id · POST one of `actions`.
 * Errors: 400 or 404 with `{error}` that says what to fix.
 */
export function controlSurface<Truth, Caller>(
  vendor: SimulatedVendor<Truth, Caller>,
  requests: RequestLog,
  actions: Readonly<Record<string, ControlAction>>,
): Router {
  const router = Router();
  router.use(json({ limit: "10mb", strict: false, type: () => true }));
  router.get("/state", (_request, response) => {
    response.json(vendor.api.view(vendor.truth, vendor.clock.now()));
  });
  router.get("/requests", (_request, response) => {
    response.json(requests.entries());
  });
  router.get("/attempts", (_request, response) => {
    response.json(vendor.allAttempts());
  });
  router.get("/faults", (_request, response) => {
    response.json(vendor.faults.list());
  });
  router.post("/faults", (request, response) => {
    const input = faultsSchema.parse(request.body);
    // `add` checks each of them whole; here only the outer form is known.
    const added = (Array.isArray(input) ? input : [input]) as readonly unknown[];
    response.json({ ids: added.map((fault) => vendor.faults.add(fault as Fault)) });
  });
  router.delete("/faults", (_request, response) => {
    vendor.faults.clear();
    response.json({ removed: true });
  });
  router.delete("/faults/:id", (request, response) => {
    response.json({ removed: vendor.faults.remove(request.params.id) });
  });
  router.post("/:action", (request, response, next) => {
    const name = request.params.action;
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (action === undefined) {
      next();
      return;
    }
    response.json(action.run(request.body ?? {}) ?? {});
  });
  router.use((request, response) => {
    response.status(404).json({
      error: `There is no control ${request.method} ${request.path}. Actions (POST): ${Object.keys(actions).join(", ")}; GET: state, requests, attempts, faults; POST and DELETE: faults`,
    });
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (error instanceof InputError) {
      response.status(400).json({ error: error.message });
    } else if (error instanceof z.ZodError) {
      response.status(400).json({ error: z.prettifyError(error) });
    } else {
      next(error);
    }
  });
  return router;
}
