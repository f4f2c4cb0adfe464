import { describe, expect, it } from "vitest";
import { fold } from "../../src/model/fold.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach, where } from "./directory-stage.ts";

/**
 * Pairs that are one word when folded by the project (NFC, then full lower case), and that databases tell apart or confuse when
 * they fold by themselves: composed and decomposed, dotted capital I, final sigma, letters outside ASCII.
 */
const same: readonly (readonly [string, string, string])[] = [
  ["composed and decomposed letters", "Zo\u00EB", "ZOE\u0308"],
  ["Greek with a final sigma", "ΟΔΟΣ", "οδος"],
  ["the Turkish dotted capital I", "\u0130stanbul", "i\u0307stanbul"],
  ["Cyrillic", "ЖАННА", "жанна"],
  ["letters beyond the basic plane", "\u{10400}", "\u{10428}"],
];

/** Pairs that stay apart, though some databases or collations make them equal. */
const different: readonly (readonly [string, string, string])[] = [
  ["sharp s and ss", "stra\u00DFe", "strasse"],
  ["with and without an accent", "zoe", "zo\u00EB"],
  ["full width and half width", "\uFF41da", "ada"],
  ["with and without a space at the end", "ada", "ada "],
  ["dotless i and i", "\u0131da", "ida"],
];

/** Where two databases differ silently: text, numbers, absent values. */
export function storeTextSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  describe("text", () => {
    it.each(same)("folds %s to one word", async (_what, one, other) => {
      await stage.addUser(one, { displayName: one, resource: { title: one } });
      expect(await refusal(stage.addUser(other))).toBe("ALREADY_EXISTS userName");
      await stage.addGroup(one);
      expect(await refusal(stage.addGroup(other))).toBe("ALREADY_EXISTS displayName");
      const questions = [
        where("userName", "eq", other),
        where("displayName", "sw", other),
        where("displayName", "co", other),
        // There is no folded column for an attribute of the document: the database has to fold it the same way.
        where(["title"], "eq", other),
        where(["title"], "ew", other),
      ];
      for (const question of questions) expect(await stage.find(question)).toEqual([one]);
    });

    it.each(different)("keeps %s apart", async (_what, one, other) => {
      await stage.addUser(one, { displayName: one, resource: { title: one } });
      await stage.addUser(other, { displayName: other, resource: { title: other } });
      expect(await stage.find(where("userName", "eq", one))).toEqual([one]);
      expect(await stage.find(where("displayName", "eq", other))).toEqual([other]);
      expect(await stage.find(where(["title"], "eq", one))).toEqual([one]);
    });

    it.each(["50%", "a_b", "back\\slash", "100%_\\%", "[a-z]", "it's", `say "hi"`, "*?"])(
      "means itself when a part is looked for: %s",
      async (part) => {
        const text = `<${part}>`;
        // What each wild card would match, were it one.
        const decoys = ["<50x>", "<axb>", "<backslash>", "<100xx\\x>", "<m>", "<its>", "<say hi>"];
        await stage.addUser("it", { displayName: text, resource: { title: text } });
        for (const decoy of decoys) {
          await stage.addUser(decoy, { displayName: decoy, resource: { title: decoy } });
        }
        for (const field of ["displayName", ["title"]] as const) {
          expect(await stage.find(where(field, "co", part))).toEqual(["it"]);
          expect(await stage.find(where(field, "sw", `<${part}`))).toEqual(["it"]);
          expect(await stage.find(where(field, "ew", `${part}>`))).toEqual(["it"]);
        }
      },
    );

    it("counts characters, not units, at its ends", async () => {
      await stage.addUser("hat", { displayName: "\u{1F3A9}\u{1F3A9}x\u{1F3A9}" });
      for (const test of ["sw", "ew"] as const) {
        expect(await stage.find(where("displayName", test, "\u{1F3A9}"))).toEqual(["hat"]);
        expect(await stage.find(where("displayName", test, "x"))).toEqual([]);
      }
    });

    it("with a NUL is refused wherever it stands, and nothing is stored", async () => {
      const nul = "a\u0000b";
      expect(await refusal(stage.addUser(nul))).toMatch(/^INVALID/);
      expect(await refusal(stage.addUser("a", { resource: { title: nul } }))).toMatch(/^INVALID/);
      expect(await refusal(stage.addUser("a", { resource: { [nul]: 1 } }))).toMatch(/^INVALID/);
      expect(await refusal(stage.addUser("a", { emails: [nul] }))).toMatch(/^INVALID/);
      expect(await refusal(stage.addGroup(nul))).toMatch(/^INVALID/);
      expect(await refusal(stage.addGroup("g", [nul]))).toMatch(/^INVALID/);
      expect(await refusal(stage.find(where("userName", "eq", nul)))).toMatch(/^INVALID/);
      expect(await stage.find({ op: "all" })).toEqual([]);
      expect(await stage.store.countIdentities(stage.tenantId)).toEqual({ active: 0, total: 0 });
    });

    it("with half of a surrogate pair is refused, a whole one is kept", async () => {
      expect(await refusal(stage.addUser("a\uD83C"))).toMatch(/^INVALID/);
      expect(await refusal(stage.addUser("a", { resource: { x: "\uDFA9" } }))).toMatch(/^INVALID/);
      const hat = await stage.addUser("\u{1F3A9}", { resource: { x: "\u{1F3A9}" } });
      expect(await stage.getUser(hat)).toEqual(hat);
    });

    it("that only looks like a NUL is kept: a backslash, u and four digits", async () => {
      const resource = { title: "\\u0000", path: "C:\\\\u0000" };
      const ada = await stage.addUser("ada", { resource });
      expect((await stage.getUser(ada))?.resource).toEqual(resource);
    });

    it("may be long", async () => {
      const long = "x".repeat(20_000);
      const ada = await stage.addUser(long.slice(0, 1_000), { resource: { note: long } });
      expect((await stage.getUser(ada))?.resource).toEqual({ note: long });
      expect(fold(long)).toHaveLength(20_000);
      const { group } = await stage.addGroup(long.slice(0, 2_000));
      expect((await stage.getGroup(group.groupId))?.displayName).toHaveLength(2_000);
    });
  });

  describe("numbers", () => {
    it("are whole milliseconds below 2^53, and come back as numbers", async () => {
      const greatest = Number.MAX_SAFE_INTEGER;
      const loaded = (loadedAt: number) =>
        stage.store.setIdpLoaded(
          stage.tenantId,
          { idpId: stage.idpId, loadedAt },
          { records: [], recompute: [] },
        );
      await loaded(greatest);
      expect((await stage.store.listIdps(stage.tenantId))[0]?.loadedAt).toBe(greatest);
      for (const bad of [greatest + 1, -greatest - 1, Number.NaN, Number.POSITIVE_INFINITY]) {
        expect(await refusal(loaded(bad))).toMatch(/^INVALID/);
      }
      expect((await stage.store.listIdps(stage.tenantId))[0]?.loadedAt).toBe(greatest);
    });

    it("keep the last millisecond of an instant", async () => {
      await stage.clock.advance(123);
      const ada = await stage.addUser("ada");
      expect((await stage.getUser(ada))?.createdAt).toBe(stage.now);
      expect(stage.now % 1_000).toBe(123);
    });
  });

  it("absent, empty and false are three things", async () => {
    const none = await stage.addUser("none");
    const empty = await stage.addUser("empty", { externalId: "", displayName: "" });
    expect((await stage.getUser(none))?.externalId).toBeUndefined();
    expect((await stage.getUser(empty))?.externalId).toBe("");
    const resource = { none: null, empty: "", no: false, zero: 0, list: [], object: {} };
    const kept = await stage.addUser("kept", { resource });
    expect((await stage.getUser(kept))?.resource).toEqual(resource);
  });
}
