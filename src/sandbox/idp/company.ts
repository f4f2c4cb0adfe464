import { createHash } from "node:crypto";
import { objectIdOf } from "./entra-state.ts";
import type { Person } from "./person.ts";

/** One of the company's two IdPs, each with people and groups of its own. */
export interface CompanyDirectory {
  readonly people: readonly Person[];
  readonly groups: readonly { readonly name: string; readonly members: readonly Person[] }[];
}

export interface Company {
  /** The technical half: Engineering, Platform, Data, Security. */
  readonly okta: CompanyDirectory;
  /** The commercial half: Sales, Sales-Leads (who work the leads), Marketing, Finance. */
  readonly entra: CompanyDirectory;
}

/**
 * A line per person: employee number | given name | family name | login | title | department | user type |
 * the manager's employee number | groups.
 */
const oktaRoster = `
1001 | Ingrid | Solheim | ingrid.solheim | VP Engineering | Engineering | Employee | | Engineering
1002 | Tendai | Moyo | tendai.moyo | Engineering Manager | Engineering | Employee | 1001 | Engineering
1003 | Yuki | Nakagawa | yuki.nakagawa | Platform Lead | Platform | Employee | 1001 | Engineering, Platform
1004 | José | Álvarez Peña | jose.alvarez | Site Reliability Engineer | Platform | Employee | 1003 | Engineering, Platform
1005 | Aigerim | Bekova | aigerim.bekova | Site Reliability Engineer | Platform | Employee | 1003 | Engineering, Platform
1006 | Siobhán | O'Rourke | siobhan.orourke | Platform Engineer | Platform | Employee | 1003 | Engineering, Platform
1007 | Mattias | Lindqvist | mattias.lindqvist | Platform Engineer | Platform | Contractor | 1003 | Engineering, Platform
1008 | Ngozi | Eze | ngozi.eze | Senior Software Engineer | Engineering | Employee | 1002 | Engineering
1009 | Wenjing | Li | wenjing.li | Software Engineer | Engineering | Employee | 1002 | Engineering
1010 | Łukasz | Wójcik | lukasz.wojcik | Software Engineer | Engineering | Employee | 1002 | Engineering
1011 | Farida | Haidari | farida.haidari | Software Engineer | Engineering | Contractor | 1002 | Engineering
1012 | Kalani | Kahale | kalani.kahale | Front-end Engineer | Engineering | Employee | 1002 | Engineering
1013 | Priya | Raghunathan | priya.raghunathan | Data Lead | Data | Employee | 1001 | Data
1014 | Thandiwe | Nkosi | thandiwe.nkosi | Data Engineer | Data | Employee | 1013 | Engineering, Data
1015 | Jean-Baptiste | Moreau | jb.moreau | Data Scientist | Data | Employee | 1013 | Data
1016 | Hana | Dvořáková | hana.dvorakova | Data Analyst | Data | Contractor | 1013 | Data
1017 | Omar | Benjelloun | omar.benjelloun | Security Lead | Security | Employee | 1001 | Security
1018 | Mele | Tuiasosopo | mele.tuiasosopo | Security Engineer | Security | Employee | 1017 | Security
1019 | Katarína | Hudáková | katarina.hudakova | Security Engineer | Security | Employee | 1017 | Engineering, Security
`;

const entraRoster = `
2001 | Gabriela | Monteiro | gabriela.monteiro | VP Sales | Sales | Employee | | Sales
2002 | Kwame | Boateng | kwame.boateng | Sales Manager | Sales | Employee | 2001 | Sales, Sales-Leads
2003 | Sakura | Ishikawa | sakura.ishikawa | Account Executive | Sales | Employee | 2002 | Sales, Sales-Leads
2004 | Björn | Sigurðsson | bjorn.sigurdsson | Account Executive | Sales | Employee | 2002 | Sales, Sales-Leads
2005 | Leilani | Akana | leilani.akana | Account Executive | Sales | Employee | 2002 | Sales, Sales-Leads
2006 | Dmytro | Kovalenko | dmytro.kovalenko | Sales Development | Sales | Employee | 2002 | Sales, Sales-Leads
2007 | Anjali | Deshpande | anjali.deshpande | Sales Development | Sales | Employee | 2002 | Sales, Sales-Leads
2008 | Tomás | Ibáñez | tomas.ibanez | Sales Development | Sales | Contractor | 2002 | Sales, Sales-Leads
2009 | Emeka | Obi | emeka.obi | Sales Development | Sales | Contractor | 2002 | Sales, Sales-Leads
2010 | Charlotte | van der Meer | charlotte.vandermeer | Sales Operations | Sales | Employee | 2001 | Sales
2011 | Thị Mai | Nguyễn | mai.nguyen | Solutions Consultant | Sales | Employee | 2001 | Sales
2012 | Rasheed | Al-Khatib | rasheed.alkhatib | VP Marketing | Marketing | Employee | | Marketing
2013 | Zoë | Papadaki | zoe.papadaki | Content Lead | Marketing | Employee | 2012 | Marketing
2014 | Min-jun | Seo | minjun.seo | Growth Marketer | Marketing | Employee | 2012 | Marketing
2015 | Ayesha | Siddiqui | ayesha.siddiqui | Growth Marketer | Marketing | Employee | 2012 | Marketing
2016 | Henrique | Figueiredo | henrique.figueiredo | Designer | Marketing | Contractor | 2012 | Marketing
2017 | Saoirse | Brennan | saoirse.brennan | Events Manager | Marketing | Employee | 2012 | Marketing
2018 | Wanjiru | Kamau | wanjiru.kamau | Copywriter | Marketing | Employee | 2013 | Marketing
2019 | Matteo | Bellini | matteo.bellini | Copywriter | Marketing | Contractor | 2013 | Marketing
2020 | Noa | Ben-Ami | noa.benami | Marketing Analyst | Marketing | Employee | 2012 | Marketing
2021 | Elżbieta | Nowicka | elzbieta.nowicka | CFO | Finance | Employee | | Finance
2022 | Samuel | Osei-Tutu | samuel.oseitutu | Controller | Finance | Employee | 2021 | Finance
2023 | Maricel | Dela Cruz | maricel.delacruz | Accountant | Finance | Employee | 2022 | Finance
2024 | Aroha | Ngata | aroha.ngata | Financial Analyst | Finance | Employee | 2021 | Finance
`;

/**
 * The invented company of the demo and the tests: 43 people in 8 groups at two IdPs, under example.com. The same data
 * in every call. Marketing has 9 people, so that emptying it trips a removal rail of max(3, 10 %).
 */
export function exampleCompany(): Company {
  return {
    okta: directory(oktaRoster, ["Engineering", "Platform", "Data", "Security"], oktaUserId),
    entra: directory(entraRoster, ["Sales", "Sales-Leads", "Marketing", "Finance"], (number) =>
      objectIdOf(`user ${number}`),
    ),
  };
}

/** Finds someone by the part of the address before the at sign. */
export function personNamed(company: Company, login: string): Person {
  const everyone = [...company.okta.people, ...company.entra.people];
  const person = everyone.find(({ userName }) => userName === `${login}@example.com`);
  if (person === undefined) throw new Error(`The example company has nobody called ${login}`);
  return person;
}

function directory(
  roster: string,
  groupNames: readonly string[],
  idOf: (employeeNumber: string) => string,
): CompanyDirectory {
  const entries = roster
    .trim()
    .split("\n")
    .map((line) => entryOf(line, idOf));
  return {
    people: entries.map(({ person }) => person),
    groups: groupNames.map((name) => ({
      name,
      members: entries.filter((one) => one.groups.includes(name)).map(({ person }) => person),
    })),
  };
}

function entryOf(
  line: string,
  idOf: (employeeNumber: string) => string,
): { readonly person: Person; readonly groups: readonly string[] } {
  const columns = line.split("|").map((column) => column.trim());
  const column = (index: number) => {
    const value = columns[index];
    if (value === undefined)
      throw new Error(`The roster line "${line}" lacks column ${String(index)}`);
    return value;
  };
  const [employeeNumber, givenName, familyName] = [column(0), column(1), column(2)];
  const address = `${column(3)}@example.com`;
  const manager = column(7);
  const person: Person = {
    id: idOf(employeeNumber),
    userName: address,
    givenName,
    familyName,
    displayName: `${givenName} ${familyName}`,
    email: address,
    title: column(4),
    department: column(5),
    userType: column(6),
    employeeNumber,
    managerId: manager === "" ? "" : idOf(manager),
  };
  return { person, groups: column(8).split(", ") };
}

/** Okta's form of a user id: `00u` and 17 more characters. */
function oktaUserId(employeeNumber: string): string {
  const digest = createHash("sha256").update(`user ${employeeNumber}`).digest("hex");
  return `00u${digest.slice(0, 17)}`;
}
