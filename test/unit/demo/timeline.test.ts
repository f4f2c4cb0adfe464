import { describe, expect, test } from "vitest";
import { Timeline } from "../../../src/demo/timeline.ts";
import { fakeClock } from "../../support/fake-clock.ts";

const erased = "\r\u001b[2K";

function told(live: boolean, columns = 80) {
  const clock = fakeClock();
  const written: string[] = [];
  const timeline = new Timeline({ clock, write: (text) => written.push(text), live, columns });
  return { clock, written, timeline };
}

describe("the story of the demo", () => {
  test("is plain lines with story time where nobody watches, and has no moving line", async () => {
    const { clock, written, timeline } = told(false);
    await clock.advance(3_723_000);
    timeline.tell("IdP", "thirty joiners");
    timeline.status("12 wait");
    timeline.end();
    expect(written).toEqual(["+01:02:03  IdP       thirty joiners\n"]);
  });

  test("keeps its moving line below what is told on a terminal, and takes it away at the end", () => {
    const { written, timeline } = told(true);
    timeline.status("12 wait");
    timeline.status("12 wait");
    timeline.say("a line");
    timeline.end();
    const moving = `${erased}\u001b[2m+00:00:00  12 wait\u001b[0m`;
    expect(written).toEqual([moving, erased, "a line\n", moving, erased]);
  });

  test("cuts its moving line to the width of the terminal: a wrapped one would leave its beginning behind", () => {
    const { written, timeline } = told(true, 24);
    timeline.status("a line that is far too long for this terminal");
    expect(written.join("")).toBe(`${erased}\u001b[2m+00:00:00  a line that \u001b[0m`);
  });
});
