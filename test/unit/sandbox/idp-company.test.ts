import { describe, expect, it } from "vitest";
import { exampleCompany, personNamed } from "../../../src/sandbox/idp/company.ts";
import { personSchema } from "../../../src/sandbox/idp/person.ts";

const company = exampleCompany();
const everyone = [...company.okta.people, ...company.entra.people];

describe("the example company", () => {
  it("has more than 30 people with unique ids, numbers and example.com addresses", () => {
    expect(everyone.length).toBeGreaterThan(30);
    for (const key of ["id", "userName", "employeeNumber"] as const) {
      expect(new Set(everyone.map((person) => person[key])).size).toBe(everyone.length);
    }
    for (const person of everyone) {
      expect(personSchema.parse(person)).toEqual(person);
      expect(person.email).toMatch(/^[a-z.]+@example\.com$/);
    }
  });

  it("is the same in every call", () => {
    expect(exampleCompany()).toEqual(company);
  });

  it("has eight groups, each of its own IdP's people", () => {
    const names = [...company.okta.groups, ...company.entra.groups].map(({ name }) => name);
    expect(names).toEqual([
      "Engineering",
      "Platform",
      "Data",
      "Security",
      "Sales",
      "Sales-Leads",
      "Marketing",
      "Finance",
    ]);
    for (const { people, groups } of [company.okta, company.entra]) {
      for (const { members } of groups)
        expect(people).toEqual(expect.arrayContaining([...members]));
      const grouped = new Set(groups.flatMap(({ members }) => members));
      expect(grouped.size).toBe(people.length);
    }
  });

  it("trips a rail of max(3, 10 %) when Marketing or Sales-Leads is emptied", () => {
    const rail = Math.max(3, Math.ceil(company.entra.people.length / 10));
    const size = (name: string) =>
      company.entra.groups.find((group) => group.name === name)?.members.length;
    expect(size("Marketing")).toBe(9);
    expect(size("Sales-Leads")).toBe(8);
    expect(rail).toBeLessThan(8);
  });

  it("has managers of the same directory and both employees and contractors", () => {
    for (const { people } of [company.okta, company.entra]) {
      const ids = new Set(people.map(({ id }) => id));
      const managed = people.filter(({ managerId }) => managerId !== "");
      expect(managed.length).toBeGreaterThan(people.length / 2);
      for (const { id, managerId } of managed) {
        expect(ids).toContain(managerId);
        expect(managerId).not.toBe(id);
      }
      expect(new Set(people.map(({ userType }) => userType))).toEqual(
        new Set(["Employee", "Contractor"]),
      );
    }
  });

  it("finds a person by login, and says so when there is none", () => {
    expect(personNamed(company, "mai.nguyen").displayName).toBe("Thị Mai Nguyễn");
    expect(() => personNamed(company, "nobody")).toThrow("nobody called nobody");
  });
});
