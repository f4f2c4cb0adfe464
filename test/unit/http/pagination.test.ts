import { expect, test } from "vitest";
import { walkPages } from "../../../src/http/pagination.ts";
import type { NextPage, VendorRequest } from "../../../src/model/vendor-http.ts";
import { failureOf } from "../../support/vendor-http.ts";

const request = {
  operation: "things.list",
  query: { limit: 2 },
  parse: () => 0,
} satisfies VendorRequest<number>;

/** Walks with answers that are numbered from 0; `next` decides by the number. */
async function walk(next: (page: number) => NextPage) {
  const sent: unknown[] = [];
  const pages: number[] = [];
  const send = (item: VendorRequest<number>) => {
    sent.push(item.body ?? item.query);
    return Promise.resolve({
      status: 200,
      value: sent.length - 1,
      requestId: undefined,
      etag: undefined,
      location: undefined,
      bodyHash: "",
    });
  };
  const done = (async () => {
    for await (const page of walkPages(send, request, next)) pages.push(page.value);
  })();
  return { done, sent, pages };
}

test("every page is asked with the cursor of the one before, and the first query is kept", async () => {
  const { done, sent, pages } = await walk((page) =>
    page === 2 ? "end" : { query: { after: `c${String(page)}` } },
  );
  await done;
  expect(pages).toEqual([0, 1, 2]);
  expect(sent).toEqual([{ limit: 2 }, { limit: 2, after: "c0" }, { limit: 2, after: "c1" }]);
});

test("a cursor that comes back is an incomplete read, not an endless one", async () => {
  const { done, sent } = await walk((page) => ({ query: { after: `c${String(page % 2)}` } }));
  expect(await failureOf(done)).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
  expect(sent).toHaveLength(3);
});

test("a list that never ends is given up", async () => {
  const { done, sent } = await walk((page) => ({ query: { after: `c${String(page)}` } }));
  expect(await failureOf(done)).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
  expect(sent).toHaveLength(10_000);
});

test("a page that promises more without a way to it is not handed on", async () => {
  const { done, pages } = await walk(() => "incomplete");
  expect(await failureOf(done)).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
  expect(pages).toEqual([]);
});

test("a search is asked for its next page by its body", async () => {
  const { done, sent, pages } = await walk((page) =>
    page === 2 ? "end" : { body: { after: `c${String(page)}` } },
  );
  await done;
  expect(pages).toEqual([0, 1, 2]);
  expect(sent).toEqual([{ limit: 2 }, { after: "c0" }, { after: "c1" }]);
});

test("a body that comes back is a list that does not end", async () => {
  const { done } = await walk(() => ({ body: { after: "same" } }));
  expect(await failureOf(done)).toMatchObject({ code: "VENDOR_READ_INCOMPLETE" });
});
