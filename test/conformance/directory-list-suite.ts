import { beforeEach, describe, expect, it } from "vitest";
import type { DirectoryQuery, PageRequest } from "../../src/directory/query.ts";
import type { OpenStore } from "./account-stage.ts";
import {
  type DirectoryStage,
  firstPage,
  refusal,
  tenantForEach,
  where,
} from "./directory-stage.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/** Filters, sorting and paging, which run in the database. */
export function directoryListSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  const sorted = async (query: DirectoryQuery) => [...(await stage.find(query))].sort();

  describe("a bound", () => {
    const title = ["title"] as const;
    const lead = where(title, "eq", "Lead");
    const asked = (query: DirectoryQuery, more: Partial<PageRequest> = {}) =>
      stage.store.listUsers(stage.tenantId, stage.idpId, query, {
        ...firstPage,
        ...{ scanAtMost: 2, ...more },
      });

    it("refuses to read more documents than that, for a condition or an order, and nothing that an index leads to", async () => {
      for (const name of ["ada", "bob"]) await stage.addUser(name, { resource: { title: "Lead" } });
      expect((await asked(lead)).total).toBe(2);
      await stage.addUser("cai", { resource: { title: "Lead" } });
      const refused: unknown = await asked(lead).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "INVALID", field: "scanAtMost" });
      const sort = { field: { resource: title }, descending: false };
      expect(await refusal(asked({ op: "all" }, { sort }))).toBe("INVALID scanAtMost");
      expect(await refusal(asked({ op: "not", of: lead }))).toBe("INVALID scanAtMost");
      const ada = where("userName", "eq", "ada");
      expect((await asked({ op: "and", of: [ada, lead] })).total).toBe(1);
      expect((await asked(where("userName", "co", "a"))).total).toBe(2);
      expect((await asked(lead, { scanAtMost: 3 })).total).toBe(3);
    });
  });

  describe("a filter", () => {
    beforeEach(async () => {
      await stage.addUser("Ada", {
        externalId: "X1",
        displayName: "Ada Lovelace",
        emails: ["Ada@Example.com", "lovelace@example.org"],
        resource: {
          title: "Countess",
          count: 7,
          big: 9_007_199_254_740_991,
          name: { familyName: "Lovelace" },
          emails: [
            { type: "work", value: "Ada@Example.com", primary: true },
            { type: "home", value: "lovelace@example.org" },
          ],
          [enterprise]: { department: "Engines" },
        },
      });
      await stage.clock.advance(1_000);
      await stage.addUser("bob", {
        externalId: "x1",
        active: false,
        emails: ["bob@example.com"],
        resource: {
          title: "",
          count: 70,
          emails: [
            { type: "home", value: "bob@example.com", primary: true },
            { type: "work", value: "bob@example.org" },
          ],
        },
      });
      await stage.clock.advance(1_000);
      await stage.addUser("cy", { resource: { count: 7.5 } });
    });

    it.each<[string, DirectoryQuery, readonly string[]]>([
      ["everything", { op: "all" }, ["Ada", "bob", "cy"]],
      ["userName eq", where("userName", "eq", "ADA"), ["Ada"]],
      ["userName eq, exactly", where("userName", "eq", "ADA", true), []],
      ["userName ne", where("userName", "ne", "ADA"), ["bob", "cy"]],
      ["userName sw", where("userName", "sw", "aD"), ["Ada"]],
      ["userName ew", where("userName", "ew", "OB"), ["bob"]],
      ["userName ew nothing", where("userName", "ew", ""), ["Ada", "bob", "cy"]],
      ["userName gt", where("userName", "gt", "ada"), ["bob", "cy"]],
      ["userName le", where("userName", "le", "bob"), ["Ada", "bob"]],
      ["externalId eq without case", where("externalId", "eq", "x1"), ["Ada", "bob"]],
      ["externalId eq, exactly", where("externalId", "eq", "X1", true), ["Ada"]],
      ["externalId ne: absent is unequal", where("externalId", "ne", "x1"), ["cy"]],
      ["externalId eq null", where("externalId", "eq", null), ["cy"]],
      ["displayName co", where("displayName", "co", "LOVE"), ["Ada"]],
      ["displayName pr", { op: "present", field: { column: "displayName" } }, ["Ada"]],
      ["active", where("active", "eq", false), ["bob"]],
      ["active ne", where("active", "ne", false), ["Ada", "cy"]],
      ["emails eq", where("emails", "eq", "ADA@example.com"), ["Ada"]],
      ["any email", where("emails", "ew", "example.org"), ["Ada"]],
      ["emails pr", { op: "present", field: { column: "emails" } }, ["Ada", "bob"]],
      ["no emails", where("emails", "eq", null), ["cy"]],
      ["title eq", where(["title"], "eq", "COUNTESS"), ["Ada"]],
      ["title pr: empty is absent", { op: "present", field: { resource: ["title"] } }, ["Ada"]],
      ["title ne", where(["title"], "ne", "x"), ["Ada", "bob", "cy"]],
      ["a deep attribute", where(["name", "familyName"], "sw", "love"), ["Ada"]],
      ["an extension", where([enterprise, "department"], "eq", "engines"), ["Ada"]],
      ["a number", where(["count"], "ge", 7.5), ["bob", "cy"]],
      ["a number that is equal", where(["count"], "eq", 7), ["Ada"]],
      ["the greatest whole number", where(["big"], "eq", 9_007_199_254_740_991), ["Ada"]],
      ["text is no number", where(["count"], "eq", "7"), []],
      [
        "one element meets both",
        {
          op: "element",
          field: { resource: ["emails"] },
          of: {
            op: "and",
            of: [where(["type"], "eq", "work"), where(["value"], "ew", "EXAMPLE.org")],
          },
        },
        ["bob"],
      ],
      [
        "absent booleans are false",
        {
          op: "element",
          field: { resource: ["emails"] },
          of: {
            op: "and",
            of: [where(["type"], "eq", "work"), where(["primary"], "eq", false)],
          },
        },
        ["bob"],
      ],
      ["not, of what is absent", { op: "not", of: where("externalId", "eq", "x1") }, ["cy"]],
      [
        "and, or",
        {
          op: "or",
          of: [
            { op: "and", of: [where("userName", "eq", "bob"), where("active", "eq", true)] },
            where("userName", "eq", "cy"),
          ],
        },
        ["cy"],
      ],
      ["nothing of an empty or", { op: "or", of: [] }, []],
      ["everything of an empty and", { op: "and", of: [] }, ["Ada", "bob", "cy"]],
    ])("finds %s", async (_name, query, names) => {
      expect(await sorted(query)).toEqual(names);
    });

    it("compares instants by the millisecond", async () => {
      const [ada] = (
        await stage.store.listUsers(
          stage.tenantId,
          stage.idpId,
          where("userName", "eq", "ada"),
          firstPage,
        )
      ).items;
      const at = new Date(ada?.createdAt ?? 0);
      expect(await sorted(where("createdAt", "eq", at.toISOString()))).toEqual(["Ada"]);
      expect(await sorted(where("createdAt", "gt", at.toISOString()))).toEqual(["bob", "cy"]);
      const later = new Date(at.getTime() + 1).toISOString();
      expect(await sorted(where("updatedAt", "lt", later))).toEqual(["Ada"]);
    });

    it("finds groups by what they hold", async () => {
      const { items } = await stage.store.listUsers(
        stage.tenantId,
        stage.idpId,
        where("userName", "eq", "ada"),
        firstPage,
      );
      const adaId = items[0]?.sourceUserId ?? "";
      await stage.addGroup("Engineering", [adaId]);
      await stage.addGroup("Sales");
      const names = async (query: DirectoryQuery) =>
        (await stage.store.listGroups(stage.tenantId, stage.idpId, query, firstPage)).items.map(
          (group) => group.displayName,
        );
      expect(await names(where("members", "eq", adaId, true))).toEqual(["Engineering"]);
      expect(
        await names({
          op: "element",
          field: { column: "members" },
          of: where(["value"], "eq", adaId, true),
        }),
      ).toEqual(["Engineering"]);
      expect(await names(where("displayName", "eq", "SALES"))).toEqual(["Sales"]);
    });

    it("that cannot be asked is refused with the field", async () => {
      const bad: readonly DirectoryQuery[] = [
        where("active", "co", true),
        where("active", "eq", "yes"),
        where("userName", "gt", null),
        where("createdAt", "eq", "yesterday"),
        where("createdAt", "co", 5),
        where([], "eq", "x"),
        where([`a"b`], "eq", "x"),
        where("members", "eq", "x"),
      ];
      for (const query of bad) expect(await refusal(stage.find(query))).toBe("INVALID filter");
    });

    it("sees its own tenant and IdP connection alone", async () => {
      await (await stage.neighbour()).addUser("ada");
      await (await stage.otherIdp()).addUser("ada");
      expect(await stage.find(where("userName", "eq", "ada"))).toEqual(["Ada"]);
      expect(await stage.find(where(["title"], "eq", "countess"))).toEqual(["Ada"]);
    });
  });

  describe("a page", () => {
    const read = async (page: Partial<PageRequest>, query: DirectoryQuery = { op: "all" }) => {
      const answer = await stage.store.listUsers(stage.tenantId, stage.idpId, query, {
        ...firstPage,
        ...page,
      });
      return { names: answer.items.map((user) => user.userName), total: answer.total };
    };
    const name = { column: "displayName" } as const;

    it("knows the total of all matches, and nothing past the end", async () => {
      for (const one of ["a", "b", "c", "d", "e"]) await stage.addUser(one);
      expect(await read({ startIndex: 2, count: 2 })).toEqual({ names: ["b", "c"], total: 5 });
      expect(await read({ count: 0 })).toEqual({ names: [], total: 5 });
      expect(await read({ startIndex: 9 })).toEqual({ names: [], total: 5 });
      const some = where("userName", "gt", "b");
      expect(await read({ startIndex: 1, count: 2 }, some)).toEqual({
        names: ["c", "d"],
        total: 3,
      });
      expect(await read({ startIndex: 3, count: 2 }, some)).toEqual({ names: ["e"], total: 3 });
      expect(await read({ startIndex: 4, count: 2 }, some)).toEqual({ names: [], total: 3 });
    });

    it("goes on where the last one ended, though many sort alike", async () => {
      for (let n = 0; n < 11; n += 1) {
        await stage.addUser(`u${String(n).padStart(2, "0")}`, {
          displayName: n % 2 === 0 ? "Same" : "same",
        });
      }
      for (const descending of [false, true]) {
        const seen: string[] = [];
        for (let startIndex = 1; startIndex <= 11; startIndex += 3) {
          seen.push(
            ...(await read({ startIndex, count: 3, sort: { field: name, descending } })).names,
          );
        }
        expect(seen).toHaveLength(11);
        expect(new Set(seen).size).toBe(11);
        expect(seen).toEqual(seen.toSorted());
      }
    });

    it("goes on where the last one ended without a sort, though somebody of it was deleted", async () => {
      const people = [];
      for (const one of ["a", "b", "c", "d"]) people.push(await stage.addUser(one));
      expect((await read({ count: 2 })).names).toEqual(["a", "b"]);
      const [first] = people;
      if (first === undefined) throw new Error("nobody was made");
      await stage.deleteUser(first);
      expect((await read({ startIndex: 3, count: 2 })).names).toEqual(["c", "d"]);
    });

    it("sorts by the bytes of the folded text, absent values as the greatest", async () => {
      const names = ["b", "Ä", "a", "Z", "\u{1F3A9}", "\uFF21", "é", "_", "10", "9"];
      for (const one of names) await stage.addUser(one, { displayName: one });
      await stage.addUser("none");
      // U+1F3A9 is four bytes in UTF-8 and sorts behind U+FF41; in UTF-16 units it would stand before it.
      const order = ["10", "9", "_", "a", "b", "Z", "Ä", "é", "\uFF21", "\u{1F3A9}"];
      expect((await read({ sort: { field: name, descending: false } })).names).toEqual([
        ...order,
        "none",
      ]);
      expect((await read({ sort: { field: name, descending: true } })).names).toEqual([
        "none",
        ...order.toReversed(),
      ]);
      expect(await sorted(where("displayName", "gt", "\uFF21"))).toEqual(["\u{1F3A9}"]);
      expect(await sorted(where("displayName", "lt", "a"))).toEqual(["10", "9", "_"]);
    });

    it("sorts by instants, booleans, addresses and attributes of the resource", async () => {
      await stage.addUser("x", {
        active: false,
        emails: ["zoe@example.com", "mia@example.com"],
        resource: { title: "b" },
      });
      await stage.clock.advance(5);
      await stage.addUser("y", { emails: ["nia@example.com"], resource: { title: "A" } });
      await stage.clock.advance(5);
      await stage.addUser("z");
      const by = async (field: NonNullable<PageRequest["sort"]>["field"], descending = false) =>
        (await read({ sort: { field, descending } })).names;
      expect(await by({ column: "createdAt" }, true)).toEqual(["z", "y", "x"]);
      expect(await by({ column: "active" })).toEqual(["x", "y", "z"]);
      expect(await by({ column: "emails" })).toEqual(["x", "y", "z"]);
      expect(await by({ resource: ["title"] })).toEqual(["y", "x", "z"]);
      expect(await by({ resource: ["title"] }, true)).toEqual(["z", "x", "y"]);
    });

    it("refuses what is no page", async () => {
      expect(await refusal(read({ startIndex: 0 }))).toBe("INVALID startIndex");
      expect(await refusal(read({ startIndex: 1.5 }))).toBe("INVALID startIndex");
      expect(await refusal(read({ count: 1_001 }))).toBe("INVALID count");
      expect(await refusal(read({ count: -1 }))).toBe("INVALID count");
    });
  });
}
