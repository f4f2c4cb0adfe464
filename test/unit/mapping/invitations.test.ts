import { describe, expect, test } from "vitest";
import { instantlyFacts } from "../../../src/connectors/instantly/facts.ts";
import { compileMapping } from "../../../src/mapping/compile.ts";
import { connectionPolicy } from "../../../src/mapping/connection-policy.ts";
import { anthropicFacts } from "../../support/vendor-facts.ts";
import { document } from "./scene.ts";

const compileInstantly = (account: object) =>
  compileMapping(document([], { vendor: "instantly", account }), instantlyFacts);

describe("what an invitation carries", () => {
  test("is kept for the roles and words that the vendor knows", () => {
    const { mapping } = compileInstantly({
      permissions: { editor: ["campaigns.view"] },
      nickname: "display-name",
    });
    expect(connectionPolicy(mapping)).toMatchObject({
      permissions: { editor: ["campaigns.view"] },
      nickname: true,
    });
  });

  test("names no role that an invitation cannot give", () => {
    expect(() => compileInstantly({ permissions: { owner: ["campaigns.view"] } })).toThrow(
      'no invitation gives the role "owner"',
    );
  });

  test("names no word that the vendor does not know", () => {
    expect(() => compileInstantly({ permissions: { view: ["campaign.view"] } })).toThrow(
      /has no permission "campaign\.view".*campaigns\.view/,
    );
  });

  test("is refused for a vendor that takes none", () => {
    const compile = (account: object) => compileMapping(document([], { account }), anthropicFacts);
    expect(() => compile({ permissions: { user: ["x"] } })).toThrow(
      "carries no section permissions",
    );
    expect(() => compile({ nickname: "display-name" })).toThrow("carries no nickname");
  });
});
