// Goal: the record says who had what at an instant, and how well it is known. Method: records by hand, replayed.
import { describe, expect, test } from "vitest";
import { whoHadWhat } from "../../../src/audit/who-had-what.ts";
import { asId, type ConnectionId, type IdentityId } from "../../../src/model/ids.ts";
import type { JsonObject } from "../../../src/model/json.ts";
import type { AuditRecord } from "../../../src/model/records.ts";

const ada = asId<IdentityId>("ada");
let made = 0;
const record = (action: string, facts: JsonObject, connection = "console"): AuditRecord => {
  made += 1;
  return {
    ...{ recordId: `r${String(made)}`, at: made, action, facts },
    actor: { kind: "worker", id: "w" },
    subject: { type: "identity", id: ada },
    connectionId: asId<ConnectionId>(connection),
  };
};
const wished = (...roles: readonly (readonly [string, string, string])[]) =>
  record("target.wished", {
    assignments: roles.map(([kind, objectId, role]) => ({ kind, objectId, role, because: ["r"] })),
  });
const wrote = (action: string, kind: string, objectId: string, roleTo: string | null, more = {}) =>
  record(action, { kind, objectId, roleTo, outcome: "done", because: ["w"], ...more });
const reached = (trust = "verified") => record("target.reached", { generation: 1, trust });
const told = (...records: readonly AuditRecord[]) =>
  whoHadWhat(ada, records).lines.map(
    ({ kind, objectId, role, trust, wished: still }) =>
      `${kind}${objectId === "" ? "" : ` ${objectId}`} ${role}: ${trust}${still ? "" : ", not wished"}`,
  );

describe("what somebody had", () => {
  test("is desired, then written, then verified", () => {
    const story = [wished(["org_role", "", "user"])];
    expect(told(...story)).toEqual(["org_role user: desired"]);
    story.push(wrote("account.invited", "org_role", "", "user"));
    expect(told(...story)).toEqual(["org_role user: written"]);
    story.push(reached());
    expect(told(...story)).toEqual(["org_role user: verified"]);
  });

  test("is not what was refused or never sent", () => {
    const story = [wished(["org_role", "", "user"])];
    for (const outcome of ["refused", "not_done"])
      story.push(wrote("account.invited", "org_role", "", "user", { outcome }));
    expect(told(...story)).toEqual(["org_role user: desired"]);
  });

  test("goes on until the write that takes it, beside what is wished instead", () => {
    const story = [wished(["org_role", "", "user"], ["workspace", "1", "dev"]), reached()];
    story.push(wished(["org_role", "", "admin"]));
    expect(told(...story)).toEqual([
      "org_role admin: desired",
      "org_role user: verified, not wished",
      "workspace 1 dev: verified, not wished",
    ]);
    story.push(wrote("grant.revoked", "workspace", "1", null));
    story.push(wrote("account.role_set", "org_role", "", "admin"));
    expect(told(...story)).toEqual(["org_role admin: written"]);
  });

  test("is as good as a roster or a person's word, where nothing else shows it", () => {
    const task = (action: string, trust: string, key = "hand:console:ada") =>
      record(action, { key, identityId: ada, trust });
    const wish = wished(["org_role", "", "user"]);
    expect(told(wish, task("task.submitted", "attested"))).toEqual(["org_role user: attested"]);
    expect(told(wish, task("task.done", "observed"))).toEqual(["org_role user: observed"]);
    expect(told(wish, reached("observed"))).toEqual(["org_role user: observed"]);
    expect(told(wish, task("task.done", "attested", "case:1:sessions"))).toEqual([
      "org_role user: desired",
    ]);
    expect(told(wish, reached(), task("task.done", "attested"))).toEqual([
      "org_role user: verified",
    ]);
  });

  test("is nothing after an account went, and the absence is told where it was proven", () => {
    const story = [wished(["org_role", "", "user"]), reached(), wished()];
    expect(told(...story)).toEqual(["org_role user: verified, not wished"]);
    story.push(wrote("account.removed", "org_role", "", null));
    expect(told(...story)).toEqual([]);
    expect(whoHadWhat(ada, story).absences).toEqual([]);
    const proven = record("leaver.verified", {});
    story.push(proven);
    expect(whoHadWhat(ada, story)).toEqual({
      lines: [],
      absences: [{ connectionId: "console", since: proven.at, recordId: proven.recordId }],
    });
    story.push(wished(["org_role", "", "user"]));
    expect(whoHadWhat(ada, story).absences).toEqual([]);
  });

  test("is told for each connection, with rule, time and record", () => {
    const wish = wished(["org_role", "", "user"]);
    const other = record(
      "grant.set",
      { kind: "team", objectId: "7", roleTo: "member", outcome: "unchanged", because: ["t"] },
      "desk",
    );
    expect(whoHadWhat(ada, [wish, other]).lines).toEqual([
      {
        ...{ identityId: ada, connectionId: "console", kind: "org_role", objectId: "" },
        ...{ role: "user", trust: "desired", since: wish.at, recordId: wish.recordId },
        ...{ because: ["r"], wished: true },
      },
      {
        ...{ identityId: ada, connectionId: "desk", kind: "team", objectId: "7", role: "member" },
        ...{ trust: "written", since: other.at, recordId: other.recordId },
        ...{ because: ["t"], wished: false },
      },
    ]);
  });
});
