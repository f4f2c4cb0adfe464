import type { VendorAccount } from "../../model/account.ts";
import type { Applied, Call, CheckReport, Whom } from "../connector.ts";
import { asId, type AccountId } from "../../model/ids.ts";
import { refusals, saysNotFound } from "./refusals.ts";
import { accountOf, adminWire, adminsWire, meWire, type AdminWire } from "./wire.ts";

/** Every teammate: one answer, without pages. */
export async function listAdmins(call: Call): Promise<readonly AdminWire[]> {
  const answer = await call.http.request({
    operation: "admins.list",
    parse: (body) => adminsWire.parse(body),
    refusals,
  });
  return answer.value.admins;
}

/** One teammate, or undefined: somebody who was removed is simply absent. */
export async function readAdmin(call: Call, adminId: string): Promise<AdminWire | undefined> {
  try {
    const answer = await call.http.request({
      operation: "admins.read",
      path: { adminId },
      parse: (body) => adminWire.parse(body),
      refusals,
    });
    return answer.value;
  } catch (error) {
    if (saysNotFound(error)) return undefined;
    throw error;
  }
}

/** The whole list is one call, and it alone proves that somebody is not there. */
export async function findAdmins(call: Call, who: Whom): Promise<readonly VendorAccount[]> {
  return (await listAdmins(call))
    .map(accountOf)
    .filter((item) => item.accountId === who.accountId || who.emails.includes(item.email));
}

export async function whoAmI(call: Call): Promise<{
  readonly accountId: AccountId;
  readonly organization: CheckReport["organization"];
  readonly region: string;
}> {
  const { value } = await call.http.request({
    operation: "me.read",
    parse: (body) => meWire.parse(body),
    refusals,
  });
  return {
    accountId: asId<AccountId>(value.id),
    organization: { id: value.app.id_code, name: value.app.name },
    region: value.app.region ?? "unknown",
  };
}

/** Away with reassignment: nothing new reaches the teammate, and what customers answer goes to the default inbox. */
export async function sendAway(call: Call, account: VendorAccount): Promise<Applied> {
  const before = await readAdmin(call, account.accountId);
  if (before === undefined) return { outcome: "unchanged", requestIds: [] };
  if (before.away_mode_enabled === true && before.away_mode_reassign === true) {
    return { outcome: "unchanged", requestIds: [] };
  }
  await call.http.request({
    operation: "admins.away",
    path: { adminId: account.accountId },
    body: { away_mode_enabled: true, away_mode_reassign: true },
    parse: (body) => adminWire.parse(body),
    refusals,
  });
  return { outcome: "changed", requestIds: [] };
}
