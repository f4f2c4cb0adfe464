import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  operationNames,
  operationTable,
  operationWays,
} from "../../../src/connectors/operations.ts";
import type { ThingKind } from "../../../src/model/declared.ts";
import { connectors } from "../../../src/connectors/registry.ts";

const all = Object.entries(connectors).flatMap(([vendor, profiles]) =>
  Object.entries(profiles).map(([profile, connector]) => ({
    name: `${vendor}/${profile}`,
    connector,
  })),
);

test("every profile has a column, in the order of their names, and no column is of nobody", () => {
  expect(Object.keys(operationWays)).toEqual(all.map(({ name }) => name).toSorted());
});

test("README.md shows the table", () => {
  const readme = readFileSync(
    new URL("../../../src/connectors/README.md", import.meta.url),
    "utf8",
  );
  const cells = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").map((cell) => cell.trim().replace(/^-+$/, "---")));
  expect(cells(readme)).toEqual(cells(operationTable()));
});

describe.each(all)("the column of $name", ({ name, connector }) => {
  const ways = operationWays[name];
  const wayOf = (operation: (typeof operationNames)[number]) => ways?.[operation].way;
  const { facts } = connector;

  test("has a way and a source for every operation", () => {
    for (const operation of operationNames) {
      expect([operation, ways?.[operation].source]).toEqual([
        operation,
        expect.stringMatching(/.{10}/),
      ]);
    }
  });

  test("says by hand exactly where no call makes and ends accounts, and roster where they are read from one", () => {
    const account = Object.values(facts.kinds).find((kind) => kind.account);
    const manual = account?.byHand?.always === true;
    expect([
      wayOf("invite or create a member") === "manual",
      wayOf("remove a member") === "manual",
    ]).toEqual([manual, manual]);
    expect(wayOf("read members and their roles") === "roster").toBe(facts.roster !== undefined);
  });

  test("says API for keys, work and log exactly where the connector has the ability", () => {
    expect(wayOf("switch off a leaver's API keys") === "API").toBe(connector.keys !== undefined);
    expect(wayOf("hand over a leaver's open work") === "API").toBe(connector.work !== undefined);
    expect(wayOf("keep new work from a leaver") === "API").toBe(
      connector.containment !== undefined,
    );
    expect(wayOf("read the vendor's log") === "API").toBe(connector.activity !== undefined);
  });

  test("says API for declared things exactly where the connector makes or lists them", () => {
    const does = (kind: ThingKind, call: "list" | "create" | "adjust") =>
      facts.things?.[kind]?.api.includes(call) === true;
    const ways = [
      wayOf("make API keys, and end them") === "API",
      wayOf("list API keys against their register") === "API",
      wayOf("mark work by team") === "API",
      wayOf("group workspaces of an agency") === "API",
      wayOf("set limits of a workspace") === "API",
    ];
    expect(ways).toEqual([
      does("api_key", "create"),
      does("api_key", "list"),
      does("tag", "adjust"),
      does("sub_workspace", "create"),
      does("workspace", "adjust"),
    ]);
  });
});
