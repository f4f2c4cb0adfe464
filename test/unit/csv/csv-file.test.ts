import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvRecords, plainField, readCsv, writeCsv } from "../../../src/csv/csv-file.ts";

describe("a CSV", () => {
  test("is read with quotes, line breaks inside them, a byte order mark, blanks and any line end", () => {
    expect(
      readCsv('\uFEFFid;name;end\r\n7;"Ng; ""Ada""\nand";\r\n\r\n8; Bo ;2026-11-30\n', ";"),
    ).toEqual([
      { id: "7", name: 'Ng; "Ada"\nand', end: "" },
      { id: "8", name: "Bo", end: "2026-11-30" },
    ]);
    expect(readCsv("id,end\n7,")).toEqual([{ id: "7", end: "" }]);
    expect(readCsv("id,end\r7,8\r")).toEqual([{ id: "7", end: "8" }]);
  });

  test("is read by the names of its header, however they are spelled", () => {
    expect(csvRecords("E-mail, Workspace ID\nx,y")[0]).toEqual(
      new Map([
        ["e_mail", "x"],
        ["workspace_id", "y"],
      ]),
    );
  });

  test("gives back whatever was written, in a form that no spreadsheet runs", () => {
    expect(writeCsv(["a"], [["=1+1"], ["plain"]])).toBe("a\n'=1+1\nplain\n");
    const field = fc.string().filter((text) => text === text.trim() && !text.startsWith("'"));
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field), { minLength: 1 }), (rows) => {
        const read = readCsv(writeCsv(["a", "b"], rows));
        const plain = read.map((row) => [plainField(row["a"] ?? ""), plainField(row["b"] ?? "")]);
        // A row without any text is an empty line.
        expect(plain).toEqual(rows);
      }),
    );
  });

  test.each([
    ["", /there is no header/],
    ["id,name\n7,a\n8\n", /line 3 has 1 fields, the header 2/],
    ['a,b\n"x,y', /line 2: a quote is never closed: was the file cut/],
    ['a,b\n"x"y,z', /text after a closing quote/],
    ['a,b\nx"y",z', /a quote inside a field/],
    ["a,A\n1,2", /the header names the column "a" twice/],
  ])("%j is refused, without its text", (text, message) => {
    expect(() => csvRecords(text)).toThrow(message);
  });
});
