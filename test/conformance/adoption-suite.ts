import { expect, it } from "vitest";
import { isAcceptedAt } from "../../src/accounts/adoption-store.ts";
import { asId, type AccountId, type ConnectionId } from "../../src/model/ids.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, tenantForEach } from "./directory-stage.ts";

const connectionId = asId<ConnectionId>("wiki");

/** Decisions about accounts that are nobody's, and sign-offs of what was there at first contact. */
export function adoptionSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const accept = (account: string, owner: string, until: number | null = null) =>
    stage.store.acceptAccount(
      stage.tenantId,
      {
        ...{ connectionId, accountId: asId<AccountId>(account), owner, reason: "billing", until },
        ...{ by: "ida", at: stage.now },
      },
      stage.also("account.accepted"),
    );
  const accepted = () => stage.store.listAccepted(stage.tenantId, connectionId);

  it("an account has one owner, the last one said, until a day or a withdrawal", async () => {
    await accept("b", "ann@example.com");
    await accept("a", "ann@example.com", stage.now + 10);
    await accept("b", "ben@example.com", stage.now + 20);
    expect(await accepted()).toMatchObject([
      { accountId: "a", until: stage.now + 10 },
      { accountId: "b", owner: "ben@example.com", until: stage.now + 20, by: "ida" },
    ]);
    const [first] = await accepted();
    expect([9, 10].map((ms) => isAcceptedAt(first, stage.now + ms))).toEqual([true, false]);
    const withdraw = () =>
      stage.store.withdrawAcceptance(
        stage.tenantId,
        { connectionId, accountId: asId<AccountId>("a") },
        stage.also("account.acceptance_withdrawn"),
      );
    expect([await withdraw(), await withdraw()]).toEqual([true, false]);
    expect((await accepted()).map((item) => item.accountId)).toEqual(["b"]);
    expect(await stage.actions()).toEqual([
      ...Array<string>(3).fill("account.accepted"),
      "account.acceptance_withdrawn",
    ]);
  });

  it("the last sign-off of a connection counts", async () => {
    const sign = (hash: string) =>
      stage.store.signOff(
        stage.tenantId,
        { connectionId, by: "ida", at: stage.now, why: "read", baseline: { accounts: 3 }, hash },
        stage.also("connection.signed_off"),
      );
    expect(await stage.store.getSignOff(stage.tenantId, connectionId)).toBeUndefined();
    await sign("h1");
    await sign("h2");
    expect(await stage.store.getSignOff(stage.tenantId, connectionId)).toEqual({
      ...{ connectionId, by: "ida", at: stage.now, why: "read" },
      ...{ baseline: { accounts: 3 }, hash: "h2" },
    });
  });
}
