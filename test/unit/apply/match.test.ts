import { describe, expect, test } from "vitest";
import type { Link } from "../../../src/accounts/account-store.ts";
import { matchAccount } from "../../../src/apply/match.ts";
import type { VendorAccount } from "../../../src/model/account.ts";
import type { DesiredState } from "../../../src/model/assignment.ts";
import type { SyncError } from "../../../src/model/errors.ts";
import { asId, type AccountId, type IdentityId } from "../../../src/model/ids.ts";

const ada = asId<IdentityId>("ada");
const account = (accountId: string, more: Partial<VendorAccount> = {}): VendorAccount => ({
  accountId: asId<AccountId>(accountId),
  email: "ada@example.com",
  otherEmails: [],
  state: "active",
  role: "user",
  displayName: undefined,
  createdAt: undefined,
  expiresAt: undefined,
  ...more,
});
const link = (accountId: string): Link => ({
  connectionId: asId("c"),
  identityId: ada,
  accountId: asId(accountId),
  email: "ada@example.com",
  origin: "created",
  since: 0,
});
const desired = (lifecycle: "active" | "departed"): DesiredState => ({
  lifecycle,
  assignments: [],
  conflicts: [],
  unresolved: [],
  keep: [],
  mappingVersion: "v",
  profile: { emails: ["ada@example.com"], displayName: "Ada" },
});
const match = (
  candidates: readonly VendorAccount[],
  more: {
    link?: Link;
    lifecycle?: "active" | "departed";
    owners?: ReadonlyMap<AccountId, IdentityId>;
    removal?: "suspended";
  } = {},
) =>
  matchAccount({
    facts: more.removal === undefined ? {} : { removal: more.removal },
    identityId: ada,
    desired: desired(more.lifecycle ?? "active"),
    link: more.link,
    candidates,
    owners: more.owners ?? new Map(),
  });

describe("somebody active", () => {
  test("is matched by the exact address", () => {
    const found = match([account("a1")]);
    expect(found.account?.accountId).toBe("a1");
    expect(found.relink?.origin).toBe("matched");
  });

  test("is not matched by a look-alike", () => {
    expect(match([account("a1", { email: "ada+x@example.com" })]).account).toBeUndefined();
  });

  test("keeps the linked account whatever else carries the address", () => {
    const found = match([account("a2"), account("a1", { email: "old@example.com" })], {
      link: link("a1"),
    });
    expect(found.account?.accountId).toBe("a1");
    expect(found.relink).toBeUndefined();
  });

  test("is followed from the invitation to the account that it became", () => {
    const found = match([account("user_1"), account("invite_1", { state: "expired" })], {
      link: link("invite_1"),
    });
    expect(found.account?.accountId).toBe("user_1");
    expect(found.relink?.origin).toBe("created");
  });

  test("with an expired invitation alone keeps it in sight", () => {
    expect(
      match([account("invite_1", { state: "expired" })], { link: link("invite_1") }).account?.state,
    ).toBe("expired");
  });

  test("with an account that was switched off keeps it in sight, and takes a living one before it", () => {
    const off = account("a1", { state: "suspended" });
    const kept = match([off], { link: link("a1"), removal: "suspended" });
    expect([kept.account?.accountId, kept.relink]).toEqual(["a1", undefined]);
    const followed = match([off, account("a2")], { link: link("a1"), removal: "suspended" });
    expect(followed.account?.accountId).toBe("a2");
    expect(match([off], { removal: "suspended" }).account).toBeUndefined();
    expect(match([off]).account?.accountId).toBe("a1");
  });

  test("is never given an account that belongs to another identity", () => {
    const owners = new Map([[asId<AccountId>("a1"), asId<IdentityId>("bob")]]);
    expect(() => match([account("a1")], { owners })).toThrow(
      expect.objectContaining({ code: "ACCOUNT_DISPUTED" }) as SyncError,
    );
  });

  test("with two active accounts of the address is nobody's guess", () => {
    expect(() => match([account("a1"), account("a2")])).toThrow(
      expect.objectContaining({ code: "ACCOUNT_AMBIGUOUS" }) as SyncError,
    );
  });
});

describe("a leaver", () => {
  test("gets no new link: an unlinked account of the address is a look-alike", () => {
    const found = match([account("a1")], { lifecycle: "departed" });
    expect(found.account).toBeUndefined();
    expect(found.lookalikes.map((item) => item.accountId)).toEqual(["a1"]);
  });

  test("has no look-alike in an account that is switched off already", () => {
    const off = account("a1", { state: "suspended" });
    const found = match([off], { lifecycle: "departed", removal: "suspended" });
    expect(found.lookalikes).toEqual([]);
  });

  test("is followed when the linked invitation was accepted in between", () => {
    const found = match([account("user_1")], { lifecycle: "departed", link: link("invite_1") });
    expect(found.account?.accountId).toBe("user_1");
  });
});
