import type { AccountStore } from "../../accounts/account-store.ts";
import type { TenantId } from "../../model/ids.ts";
import type { Also } from "../../model/records.ts";

/** The tenant and the value that a method of the port takes, as one plain value that crosses to a thread. */
export interface Asked<Method extends keyof AccountStore> {
  readonly tenantId: TenantId;
  readonly command: Parameters<AccountStore[Method]>[1] & object;
}

/** As `Asked`, with what is written in the same transaction. */
export interface Commanded<Method extends keyof AccountStore> extends Asked<Method> {
  readonly also: Also;
}

/** What a method of the port answers. */
export type Answer<Method extends keyof AccountStore> = Awaited<ReturnType<AccountStore[Method]>>;

/** One target, as a key. */
export interface TargetKey {
  readonly tenantId: TenantId;
  readonly connectionId: string;
  readonly identityId: string;
}

/** A list of ids as the one parameter of `dialect.values`. */
export function listText(values: readonly string[]): string {
  return JSON.stringify(values);
}

export function parsed<T>(text: string): T {
  return JSON.parse(text) as T;
}

export function parsedOrNull<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}
