import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvRecords, parseCsv } from "../../../src/tasks/csv.ts";

describe("a CSV", () => {
  test("may quote commas, quotes and line breaks, and begin with a byte order mark", () => {
    expect(parseCsv('\uFEFFa,b\r\n"x, y","say ""hi""\nthere"\r\n\r\n')).toEqual([
      ["a", "b"],
      ["x, y", 'say "hi"\nthere'],
    ]);
  });

  test("gives back whatever was written", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string(), { minLength: 2, maxLength: 2 }), { minLength: 1 }),
        (rows) => {
          const text = rows
            .map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(","))
            .join("\n");
          expect(parseCsv(text)).toEqual(rows);
        },
      ),
    );
  });

  test.each([
    ['a,b\n"x,y', /not closed: the file was cut/],
    ["a,b\nx", /row 2 has 1 fields where the header has 2/],
    ['a,b\n"x"y,z', /text after a closing quote/],
    ["a,A\n1,2", /the column a is there twice/],
  ])("%j is refused", (text, message) => {
    expect(() => csvRecords(text)).toThrow(message);
  });

  test("is read by the names of its header, however they are spelled", () => {
    expect(csvRecords("E-mail, Workspace ID\nx,y")[0]).toEqual(
      new Map([
        ["e_mail", "x"],
        ["workspace_id", "y"],
      ]),
    );
  });
});
