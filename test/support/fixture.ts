import { readFileSync } from "node:fs";

/** A request body of `test/fixtures`, parsed anew each time: `fixture("okta/create-user")`. */
export function fixture(name: string): unknown {
  return JSON.parse(
    readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8"),
  ) as unknown;
}
