// Goal: the seal key changes without a moment in which a secret cannot be opened, and what was signed before goes on to verify.
import { describe, expect, test } from "vitest";
import { noteSigner, noteVerifier } from "../../../src/audit/signed-note.ts";
import { sealBytes, unsealBytes } from "../../../src/credentials/seal-bytes.ts";
import { findSealKey, sealedWith } from "../../../src/credentials/seal.ts";
import { createSecretVault } from "../../../src/credentials/secret-vault.ts";
import type { Actor } from "../../../src/model/records.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { addTenant, openMemoryStore } from "../../support/store.ts";

const ann: Actor = { kind: "operator", id: "ann" };
const [old, next, stranger] = ["ab", "cd", "ef"].map((byte) => byte.repeat(32));

async function keyOf(value: string | undefined, former?: readonly string[]) {
  const key = await findSealKey({ value, former, path: "/nowhere/seal.key" });
  if (key === undefined) throw new Error("no key");
  return key;
}

async function open() {
  const clock = fakeClock();
  const { store, dispose } = await openMemoryStore(clock);
  const { tenantId } = await addTenant(store, clock.now());
  const vault = async (value: string | undefined, former?: readonly string[]) =>
    createSecretVault({
      ...{ store, clock, key: await keyOf(value, former) },
      readEnv: () => undefined,
      readFile: () => Promise.reject(new Error("no file")),
    });
  return { clock, store, tenantId, vault, dispose };
}

describe("a former seal key", () => {
  test("opens what it sealed, beside the new one, until all is sealed anew", async () => {
    const { store, tenantId, vault, dispose } = await open();
    const before = await vault(old);
    await before.put(tenantId, "anthropic", "sk-one-two-three", ann);
    const kept = await store.getSecret(tenantId, "anthropic");
    const both = await vault(next, [old ?? ""]);
    expect((await both.open(tenantId, "sealed:anthropic")).secret).toBe("sk-one-two-three");
    await both.put(tenantId, "clay", "fresh-and-new", ann);
    expect(await both.reseal(tenantId, ann)).toEqual({ resealed: ["anthropic"], unreadable: [] });
    expect(await both.reseal(tenantId, ann)).toEqual({ resealed: [], unreadable: [] });
    const anew = await store.getSecret(tenantId, "anthropic");
    expect(sealedWith(anew?.sealed ?? "")).toBe((await keyOf(next)).id);
    expect([anew?.fingerprint, anew?.updatedAt]).toEqual([kept?.fingerprint, kept?.updatedAt]);
    const after = await vault(next);
    expect((await after.open(tenantId, "sealed:anthropic")).secret).toBe("sk-one-two-three");
    await expect(before.open(tenantId, "sealed:anthropic")).rejects.toThrow(/sealed with key/);
    const records = await store.findRecords(tenantId, { action: "credential.resealed", limit: 5 });
    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain("sk-one");
    await dispose();
  });

  test("that nobody has leaves the secret as it is, by name", async () => {
    const { tenantId, vault, dispose } = await open();
    await (await vault(stranger)).put(tenantId, "lost", "nobody-opens-it", ann);
    const both = await vault(next, [old ?? ""]);
    expect(await both.reseal(tenantId, ann)).toEqual({ resealed: [], unreadable: ["lost"] });
    await dispose();
  });

  test("opens sealed bodies, too", async () => {
    const context = { tenantId: "acme", name: "body" };
    const body = sealBytes(await keyOf(old), context, Buffer.from("hired"), fakeClock());
    const opened = unsealBytes(await keyOf(next, [old ?? ""]), context, body);
    expect(Buffer.from(opened).toString()).toBe("hired");
    expect(() => unsealBytes(fakeKey, context, body)).toThrow(/this process has key/);
  });

  test("still says which checkpoints it signed", async () => {
    const name = "rolecall/instance/acme";
    const text = `${name}\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n`;
    const signature = noteSigner(name, (await keyOf(old)).bytes)
      .sign(text)
      .trim();
    const present = await keyOf(next, [old ?? ""]);
    const accepts = (bytes: Uint8Array) =>
      noteVerifier(noteSigner(name, bytes).verifierKey).accepts(text, [signature]);
    expect(accepts(present.bytes)).toBe(false);
    expect((present.former ?? []).map((key) => accepts(key.bytes))).toEqual([true]);
  });
});

const fakeKey = { id: "00000000", bytes: new Uint8Array(32) };
