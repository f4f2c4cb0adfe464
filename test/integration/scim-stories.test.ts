// Goal: what each identity provider sends from its first test of the connection to the last deletion is answered as it needs.
// Method: the requests of test/fixtures/*/*.story.json, in their order, over a real socket on a store in memory that is away at times.
import { describe, expect, it } from "vitest";
import { startScimService } from "../support/scim-service.ts";
import { awayStore, chapters, scimStories, tell } from "../support/scim-story.ts";

const stories = scimStories();

describe("the story of", () => {
  it.each([...stories])("%s is told to its end", async (_, story) => {
    const store = awayStore();
    const service = await startScimService({ around: store.around });
    try {
      await tell(story, service, store);
    } finally {
      await service.close();
    }
  });
});

describe("the stories", () => {
  it("are of every identity provider that is known, Okta and Entra ID in both of their forms", () => {
    expect([...stories.keys()]).toEqual([
      "entra/default",
      "entra/with-flag",
      "google/provisioning",
      "jumpcloud/provisioning",
      "okta/catalogue",
      "okta/wizard",
      "onelogin/provisioning",
      "ping/provisioning",
      "rippling/provisioning",
    ]);
  });

  it("have every chapter, or say why their client has none", () => {
    for (const [name, story] of stories) {
      const told = new Set(story.steps.map((step) => step.chapter));
      const never = Object.keys(story.neverSends ?? {});
      expect(
        never.filter((chapter) => told.has(chapter)),
        name,
      ).toEqual([]);
      const missing = chapters.filter((chapter) => !told.has(chapter) && !never.includes(chapter));
      expect(missing, name).toEqual([]);
      expect([...told].filter((chapter) => !chapters.some((known) => known === chapter))).toEqual(
        [],
      );
    }
  });
});
