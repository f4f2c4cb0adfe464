import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { IdpSigner, SealedSecret, Token } from "../../src/credentials/credential-store.ts";
import { asId, type IdpId } from "../../src/model/ids.ts";
import type { OpenStore } from "./account-stage.ts";
import { DirectoryStage, refusal } from "./directory-stage.ts";

/** Sealed secrets and hashed tokens. */
export function credentialSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  beforeEach(async () => {
    stage = await DirectoryStage.open(open);
  });
  afterEach(() => stage.dispose());

  describe("a secret", () => {
    const secret = (change: Partial<SealedSecret> = {}): SealedSecret => ({
      name: "anthropic-admin",
      sealed: "v1.key.nonce.text",
      fingerprint: "0123456789ab",
      updatedAt: stage.now,
      ...change,
    });
    const put = (one: SealedSecret, on = stage) =>
      on.store.putSecret(on.tenantId, one, on.also("credential.set"));

    it("is put, put anew, listed by name and removed once", async () => {
      await put(secret());
      await put(secret({ name: "a-first" }));
      await put(secret({ sealed: "v1.new", fingerprint: "ba9876543210" }));
      const { store, tenantId } = stage;
      expect(await store.getSecret(tenantId, "anthropic-admin")).toEqual(
        secret({ sealed: "v1.new", fingerprint: "ba9876543210" }),
      );
      expect((await store.listSecrets(tenantId)).map((one) => one.name)).toEqual([
        "a-first",
        "anthropic-admin",
      ]);
      const remove = () =>
        store.removeSecret(tenantId, "anthropic-admin", stage.also("credential.removed"));
      await remove();
      expect(await store.getSecret(tenantId, "anthropic-admin")).toBeUndefined();
      expect(await refusal(remove())).toBe("NOT_FOUND");
      expect(await stage.actions()).toHaveLength(4);
    });

    it("is its tenant's alone", async () => {
      const neighbour = await stage.neighbour();
      await put(secret());
      expect(await stage.store.getSecret(neighbour.tenantId, "anthropic-admin")).toBeUndefined();
      await put(secret({ sealed: "theirs" }), neighbour);
      expect((await stage.store.getSecret(stage.tenantId, "anthropic-admin"))?.sealed).toBe(
        "v1.key.nonce.text",
      );
    });
  });

  describe("a signer", () => {
    const set = (change: Partial<IdpSigner> = {}, on = stage) =>
      on.store.setIdpSigner(
        on.tenantId,
        {
          ...{ idpId: on.idpId, issuer: "https://i.example.com", audience: "api://rolecall" },
          ...{ client: "c1", keysUrl: "https://i.example.com/keys", createdAt: stage.now },
          ...change,
        },
        on.also("idp.signer_set"),
      );

    it("is set, set anew and removed, each with its record and a new epoch", async () => {
      const epochs = [await stage.store.tokenEpoch()];
      await set();
      epochs.push(await stage.store.tokenEpoch());
      await set({ client: "c2" });
      const { tenantId, idpId } = stage;
      expect(await stage.store.listIdpSigners()).toMatchObject([{ tenantId, idpId, client: "c2" }]);
      const remove = () =>
        stage.store.removeIdpSigner(tenantId, idpId, stage.also("idp.signer_removed"));
      await remove();
      epochs.push(await stage.store.tokenEpoch());
      expect(await stage.store.listIdpSigners()).toEqual([]);
      expect(await refusal(remove())).toBe("NOT_FOUND");
      expect(new Set(epochs).size).toBe(3);
      expect(await stage.actions()).toEqual([
        "idp.signer_set",
        "idp.signer_set",
        "idp.signer_removed",
      ]);
    });

    it("belongs to one connection of all tenants, and to one that is there", async () => {
      const neighbour = await stage.neighbour();
      await set();
      expect(await refusal(set({}, neighbour))).toBe("ALREADY_EXISTS client");
      await set({ client: "theirs" }, neighbour);
      expect(await refusal(set({}, neighbour))).toBe("ALREADY_EXISTS client");
      expect(await refusal(set({ idpId: asId<IdpId>("nowhere"), client: "x" }))).toBe("NOT_FOUND");
      expect((await stage.store.listIdpSigners()).map((one) => one.client).toSorted()).toEqual([
        "c1",
        "theirs",
      ]);
    });
  });

  describe("a token", () => {
    const token = (
      tokenId: string,
      change: Partial<Token> = {},
    ): Omit<Token, "tenantId" | "revokedAt" | "lastUsedAt"> => ({
      tokenId,
      kind: "scim",
      idpId: stage.idpId,
      hash: `hash-${tokenId}`,
      label: tokenId,
      createdAt: stage.now,
      expiresAt: undefined,
      ...change,
    });
    const create = (tokenId: string, change: Partial<Token> = {}, on = stage) =>
      on.store.createToken(on.tenantId, token(tokenId, change), on.also("token.created"));
    const revoke = (tokenId: string) =>
      stage.store.revokeToken(
        stage.tenantId,
        { tokenId, now: stage.now },
        stage.also("token.revoked"),
      );
    const live = async (kind: Token["kind"] = "scim") =>
      (await stage.store.listLiveTokens(kind, stage.now)).map(
        (one) => `${one.tenantId} ${one.tokenId}`,
      );

    it("is kept as its hash, and comes back as it was made", async () => {
      await create("t1", { expiresAt: stage.now + 1_000 });
      await create("t2", { kind: "operator", idpId: undefined });
      expect(await stage.store.listTokens(stage.tenantId)).toEqual([
        {
          ...token("t1", { expiresAt: stage.now + 1_000 }),
          tenantId: stage.tenantId,
          revokedAt: undefined,
          lastUsedAt: undefined,
        },
        {
          ...token("t2", { kind: "operator", idpId: undefined }),
          tenantId: stage.tenantId,
          revokedAt: undefined,
          lastUsedAt: undefined,
        },
      ]);
    });

    it("keeps its role and its purpose, and of two who revoke it one is told so", async () => {
      const drafts = [
        { role: "read" },
        { role: "operator" },
        { role: "approver", purpose: "session" },
        { role: "hr", purpose: "link" },
        {},
      ] as const;
      for (const [at, draft] of drafts.entries())
        await create(`t${String(at)}`, { kind: "operator", idpId: undefined, ...draft });
      expect(
        (await stage.store.listTokens(stage.tenantId)).map(({ role, purpose }) => ({
          ...(role === undefined ? {} : { role }),
          ...(purpose === undefined ? {} : { purpose }),
        })),
      ).toEqual(drafts);
      expect((await Promise.all([revoke("t3"), revoke("t3")])).toSorted()).toEqual([false, true]);
    });

    it("lives until it is revoked or expires, among those of its kind and of all tenants", async () => {
      const neighbour = await stage.neighbour();
      await create("t1");
      await create("t2", { expiresAt: stage.now + 1_000 });
      await create("t3", { kind: "operator", idpId: undefined });
      await create("t4", {}, neighbour);
      expect(await live()).toEqual(["acme t1", "acme t2", "acme-next t4"]);
      expect(await live("operator")).toEqual(["acme t3"]);
      await stage.clock.advance(1_000);
      await revoke("t1");
      expect(await live()).toEqual(["acme-next t4"]);
      const [first] = await stage.store.listTokens(stage.tenantId);
      expect(first?.revokedAt).toBe(stage.now);
    });

    it("is revoked once: again changes nothing, an unknown one is not found", async () => {
      await create("t1");
      const revokedAt = stage.now;
      await revoke("t1");
      await stage.clock.advance(1_000);
      await revoke("t1");
      expect((await stage.store.listTokens(stage.tenantId))[0]?.revokedAt).toBe(revokedAt);
      expect(await stage.actions()).toEqual(["token.created", "token.revoked"]);
      expect(await refusal(revoke("t9"))).toBe("NOT_FOUND");
    });

    it("speaks for one tenant: the same hash is refused for every other, two of one id too", async () => {
      const neighbour = await stage.neighbour();
      await create("t1");
      expect(await refusal(create("t2", { hash: "hash-t1" }, neighbour))).toBe(
        "ALREADY_EXISTS hash",
      );
      expect(await refusal(create("t1", { hash: "other" }))).toMatch(/^ALREADY_EXISTS/);
      await create("t1", { hash: "theirs" }, neighbour);
      expect(await refusal(create("t3", { idpId: asId<IdpId>("nowhere") }))).toBe("NOT_FOUND");
    });

    it("moves the epoch when it is made or revoked, not when it is used", async () => {
      const epochs = [await stage.store.tokenEpoch()];
      await create("t1");
      epochs.push(await stage.store.tokenEpoch());
      await stage.store.touchToken(stage.tenantId, { tokenId: "t1", at: stage.now + 9 });
      await stage.store.touchToken(stage.tenantId, { tokenId: "t1", at: stage.now + 3 });
      expect(await stage.store.tokenEpoch()).toBe(epochs[1]);
      expect((await stage.store.listTokens(stage.tenantId))[0]?.lastUsedAt).toBe(stage.now + 9);
      await revoke("t1");
      epochs.push(await stage.store.tokenEpoch());
      expect(epochs).toEqual([...new Set(epochs)].toSorted((a, b) => a - b));
    });
  });
}
