// Goal: who may look cannot change, who keeps things running cannot decide, and only an admin lets somebody in.
import { describe, expect, test } from "vitest";
import { allOperations } from "../../../src/console/operations/all.ts";
import { duties, dutyFor, reaches, refusalText, roleOf } from "../../../src/console/role.ts";
import type { Actor } from "../../../src/model/records.ts";

const as = (role: Actor["role"]): Actor => ({
  kind: "operator",
  id: "somebody",
  ...(role === undefined ? {} : { role }),
});
const needing = (duty: string) =>
  allOperations.filter((row) => dutyFor(row) === duty).map((row) => row.name);

describe("roles", () => {
  test("a token without a role, and one of HR, may do everything; each other what its duty is", () => {
    const reach = (role: Actor["role"]) => duties.filter((duty) => reaches(as(role), duty));
    expect(reach("read")).toEqual(["viewer"]);
    expect(reach("operator")).toEqual(["viewer", "operator"]);
    expect(reach("approver")).toEqual(["viewer", "operator", "approver"]);
    expect(reach("hr")).toEqual([...duties]);
    expect(reach(undefined)).toEqual([...duties]);
    for (const duty of duties) expect(reaches(as(roleOf(duty)), duty)).toBe(true);
  });

  test("what changes nothing asks for a viewer, and what changes something for more", () => {
    for (const row of allOperations) {
      const reads = row.method === "GET" || row.reads === true;
      // A link or token of one's own changes nothing for others.
      const own = ["signInLink", "ownToken"].includes(row.name);
      expect([row.name, dutyFor(row) === "viewer"]).toEqual([row.name, reads || own]);
    }
  });

  test("who lets people, systems and keys in is an admin", () => {
    expect(needing("admin")).toEqual(
      expect.arrayContaining([
        "createToken",
        "putCredential",
        "addIdp",
        "setIdpSigner",
        "addTenant",
      ]),
    );
  });

  test("who decides is an approver", () => {
    expect(needing("approver")).toEqual(
      expect.arrayContaining([
        ...["decideHold", "approveMapping", "start", "orderLeave", "revokeKey"],
        // What HR says gives and ends access: who says it for HR decides.
        ...["importHrFile", "replayHr", "dismissHr"],
      ]),
    );
  });

  test("a refusal says what is needed and what one has", () => {
    expect(refusalText(as("read"), "operator")).toContain("only reads");
    expect(refusalText(as("operator"), "approver")).toBe(
      "this needs the role approver, and yours is operator",
    );
  });
});
