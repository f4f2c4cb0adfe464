import { SyncError } from "../model/errors.ts";
import type { NextPage, VendorAnswer, VendorRequest } from "../model/vendor-http.ts";

/** A list longer than this is a list that does not end: 10,000 pages of 100 are a million people. */
const pagesMax = 10_000;

/** Walks a cursor list with `send`; see `VendorHttp.pages`. */
export async function* walkPages<T>(
  send: (request: VendorRequest<T>) => Promise<VendorAnswer<T>>,
  request: VendorRequest<T>,
  next: (value: T) => NextPage,
): AsyncGenerator<VendorAnswer<T>> {
  const seen = new Set<string>();
  let current = request;
  for (let page = 0; page < pagesMax; page++) {
    const answer = await send(current);
    const step = next(answer.value);
    if (step === "incomplete") {
      throw incomplete(request.operation, "promised more and gave no way to it");
    }
    yield answer;
    if (step === "end") return;
    const cursor = JSON.stringify(step);
    if (seen.has(cursor)) throw incomplete(request.operation, "gave the same cursor twice");
    seen.add(cursor);
    current =
      "body" in step
        ? { ...request, body: step.body }
        : { ...request, query: { ...request.query, ...step.query } };
  }
  throw incomplete(request.operation, `did not end after ${String(pagesMax)} pages`);
}

function incomplete(operation: string, what: string): SyncError {
  return new SyncError("VENDOR_READ_INCOMPLETE", `${operation}: the list ${what}`, {
    facts: { operation },
  });
}
