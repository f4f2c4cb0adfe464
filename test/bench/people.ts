import { enterprise } from "../support/scim-client.ts";
import type { JsonObject } from "../../src/model/json.ts";

/** A person as an IdP sends them, about 900 bytes; different for each number. */
export function personBody(at: number): JsonObject {
  const serial = String(at).padStart(7, "0");
  const userName = userNameOf(at);
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", enterprise],
    userName,
    externalId: `00u${serial}`,
    name: { givenName: `Given${serial}`, familyName: `Family${serial}` },
    displayName: `Given${serial} Family${serial}`,
    emails: [{ value: userName, type: "work", primary: true }],
    phoneNumbers: [{ value: `+44 20 ${serial}`, type: "work" }],
    title: at % 9 === 0 ? "Lead" : "Engineer",
    userType: at % 9 === 0 ? "Lead" : "Employee",
    locale: "en-GB",
    active: true,
    [enterprise]: {
      employeeNumber: serial,
      department: `Department ${String(at % 40)}`,
      costCenter: `CC-${String(at % 25)}`,
      division: "Product",
      organization: "Example",
    },
  };
}

export function userNameOf(at: number): string {
  return `person${String(at).padStart(7, "0")}@example.com`;
}
