import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { leafBytes, leafHash } from "../../../src/audit/leaf.ts";
import { commitment, commitmentsOf } from "../../../src/model/commitment.ts";
import type { AuditRecord } from "../../../src/model/records.ts";

const salt = "000102030405060708090a0b0c0d0e0f";
const record: AuditRecord = {
  recordId: "r1",
  at: 5,
  actor: { kind: "idp", id: "okta" },
  action: "user.created",
  subject: { type: "source_user", id: "u1" },
  facts: { z: 1, a: [true] },
  personal: { email: { value: "ada@example.com", salt } },
};

describe("the leaf of a record", () => {
  it("commits to a personal value as SHA-256 of salt, 0, field, 0, value", () => {
    const bytes = Buffer.concat([
      Buffer.from(salt, "hex"),
      Buffer.from("\0email\0ada@example.com", "utf8"),
    ]);
    expect(commitment("email", { value: "ada@example.com", salt })).toBe(
      createHash("sha256").update(bytes).digest("hex"),
    );
  });

  it("holds commitments in place of personal values", () => {
    const committed = commitment("email", { value: "ada@example.com", salt });
    expect(leafBytes(record, commitmentsOf(record.personal)).toString()).toBe(
      `{"action":"user.created","actor":{"id":"okta","kind":"idp"},"at":5,"facts":{"a":[true],"z":1},"personal":{"email":"${committed}"},"recordId":"r1","subject":{"id":"u1","type":"source_user"}}`,
    );
  });

  it("stays the same when the personal values are erased", () => {
    const { personal, ...erased } = record;
    const commitments = commitmentsOf(personal);
    expect(leafBytes(erased, commitments)).toEqual(leafBytes(record, commitments));
  });

  it("has no personal member where the record has no personal value", () => {
    const { personal: _, ...plain } = record;
    expect(leafBytes(plain, {}).toString()).not.toContain("personal");
  });

  it("hashes with the leaf prefix of RFC 6962, which for no bytes gives its published hash", () => {
    expect(leafHash(Buffer.alloc(0))).toBe(
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    );
  });
});
