import SCIMMY from "scimmy";
import { describe, expect, it } from "vitest";

import { ScimError } from "../../../src/scim/scim-error.ts";

describe("ScimError", () => {
  it("makes the body of RFC 7644 section 3.12, as the library makes it", () => {
    const error = new ScimError(409, "uniqueness", "userName is taken");
    expect(error.toBody()).toEqual({
      schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
      status: "409",
      scimType: "uniqueness",
      detail: "userName is taken",
    });
    const theirs = new SCIMMY.Messages.ErrorResponse(
      new SCIMMY.Types.Error(409, "uniqueness", "userName is taken"),
    );
    expect(JSON.parse(JSON.stringify(theirs))).toEqual(error.toBody());
  });

  it.each([405, 415, 422, 429, 503])(
    "takes the status %i, with headers and without a scimType",
    (status) => {
      const error = new ScimError(status, undefined, "later", { "retry-after": "5" });
      expect(error.toBody()).toEqual({
        schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
        status: String(status),
        detail: "later",
      });
      expect(error.headers).toEqual({ "retry-after": "5" });
    },
  );

  it("keeps everything when it is told where it happened", () => {
    const error = new ScimError(429, "tooMany", "slow down", { "retry-after": "5" }).within(
      "Operations[2]",
    );
    expect(error).toMatchObject({
      status: 429,
      scimType: "tooMany",
      detail: "Operations[2]: slow down",
      headers: { "retry-after": "5" },
    });
  });
});
