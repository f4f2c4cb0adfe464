import type { z } from "zod";
import type { VendorAccount } from "../../model/account.ts";
import type { Applied, Call, EndOfList, VendorKey } from "../connector.ts";
import { requestIds } from "./members.ts";
import { refusals } from "./refusals.ts";
import { keyOf, keyWire, nextPage, pageLimit, pageWire } from "./wire.ts";

const keysPage = pageWire(keyWire);

/** All keys, or those that one account made. Keys that it made stay alive when the account goes. */
export async function* listKeys(
  call: Call,
  account?: VendorAccount,
): AsyncGenerator<VendorKey | EndOfList> {
  let count = 0;
  for await (const key of listRawKeys(call, account)) {
    count += 1;
    yield keyOf(key);
  }
  yield { complete: true, count };
}

/** The same as the vendor writes them, without an end marker: it ends, or throws. */
export async function* listRawKeys(
  call: Call,
  account?: VendorAccount,
): AsyncGenerator<z.infer<typeof keyWire>> {
  const pages = call.http.pages(
    {
      operation: "api_keys.list",
      query: { limit: pageLimit, created_by_user_id: account?.accountId },
      parse: (body) => keysPage.parse(body),
      refusals,
    },
    nextPage,
  );
  for await (const page of pages) yield* page.value.data;
}

/** Switches a key off; it can be switched on again in the Console. */
export async function deactivateKey(call: Call, keyId: string): Promise<Applied> {
  const current = await call.http.request({
    operation: "api_keys.read",
    path: { keyId },
    parse: (body) => keyWire.parse(body),
    refusals,
  });
  if (current.value.status !== "active") return { outcome: "unchanged", requestIds: [] };
  const answer = await call.http.request({
    operation: "api_keys.update",
    path: { keyId },
    body: { status: "inactive" },
    parse: (body) => keyWire.parse(body),
    refusals,
  });
  return { outcome: "changed", requestIds: requestIds(answer) };
}
