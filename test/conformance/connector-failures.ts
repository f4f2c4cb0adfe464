import { describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import type { VendorAccount } from "../../src/connectors/connector.ts";
import type { Slot } from "../../src/model/entitlement.ts";
import { asId, type AccountId } from "../../src/model/ids.ts";
import { drain, jane, person, type ConnectorStage } from "./connector-stage.ts";

/** What a connector makes of a vendor that fails. */
export function failureTests(stage: ConnectorStage): void {
  const { list, create, grant } = stage.world.operations;
  const writing = create ?? grant ?? "";
  const find = () => stage.connector.findAccounts(stage.call(), { emails: [jane] });
  const read = (call = stage.call()) => stage.look(call);
  /** Reads and writes by their operation; a vendor that only people change has no write. */
  const attempts = () =>
    [[list, read] as const, [writing, write] as const].filter(([operation]) => operation !== "");
  const [role = ""] = stage.world.grantRoles ?? [];
  /** A create, or where accounts are made by hand a grant to somebody who is there. */
  const write = async (call = stage.call()): Promise<unknown> => {
    if (create !== undefined) {
      return stage.connector.createAccount(call, person(jane, stage.world.roles[0]));
    }
    const account = (await find())[0] ?? accountOf(stage.vendor.seed(jane, stage.world.roles[0]));
    return stage.connector.grant(call, account, { ...slotOf(stage), role });
  };

  describe("a failure of the vendor", () => {
    test.each([
      ["seconds", { seconds: 30, as: "seconds" }, 30_000],
      ["an HTTP-date", { seconds: 30, as: "http-date" }, 30_000],
      ["nothing", undefined, undefined],
    ] as const)(
      "429 with %s is a rate limit, whose time is the vendor's",
      async (_name, retryAfter, ms) => {
        for (const [operation, attempt] of attempts()) {
          stage.fault({
            operation,
            kind: "429",
            ...(retryAfter === undefined ? {} : { retryAfter }),
          });
          const told = stage.world.tellsReset?.includes(operation) === true;
          const unsaid: unknown = told ? expect.any(Number) : undefined;
          expect(await stage.failure(attempt())).toMatchObject({
            code: "VENDOR_RATE_LIMITED",
            retryAfterMs: ms ?? unsaid,
          });
        }
        expect(stage.vendor.simulator.createAttempts(jane).created).toBe(0);
      },
    );

    test.each(["500", "503", "529"] as const)(
      "%s is tried again for a read and looked up for a write",
      async (kind) => {
        stage.fault({ operation: list, kind });
        expect(await stage.failure(read())).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
        if (writing === "") return;
        stage.fault({ operation: writing, kind });
        expect(await stage.failure(write())).toMatchObject({ code: "WRITE_AMBIGUOUS" });
      },
    );

    if (writing !== "") {
      test.each(["lost-answer", "reset-before"] as const)(
        "%s makes a write ambiguous, and a look tells what became of it",
        async (kind) => {
          stage.fault({ operation: writing, kind });
          expect(await stage.failure(write())).toMatchObject({
            code: "WRITE_AMBIGUOUS",
            disposition: "replan",
          });
          const found = await find();
          if (create === undefined) {
            const account = found[0] ?? accountOf(asId<AccountId>("nobody"));
            const held = await stage.connector.readGrants(stage.call(), account, [slotOf(stage)]);
            expect(held).toHaveLength(kind === "lost-answer" ? 1 : 0);
            return;
          }
          expect(found).toHaveLength(kind === "lost-answer" ? 1 : 0);
          expect(stage.vendor.simulator.createAttempts(jane).attempted).toBe(1);
        },
      );
    }

    test("a cut read is tried again", async () => {
      stage.fault({ operation: list, kind: "reset-before" });
      expect(await stage.failure(read())).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    });

    test("no answer in time is a timeout for a read and ambiguous for a write", async () => {
      stage.fault({ operation: list, kind: "timeout" });
      expect(await stage.failure(read(stage.call({ totalMs: 150 })))).toMatchObject({
        code: "VENDOR_TIMEOUT",
      });
      if (writing === "") return;
      stage.fault({ operation: writing, kind: "timeout", work: true });
      expect(await stage.failure(write(stage.call({ totalMs: 150 })))).toMatchObject({
        code: "WRITE_AMBIGUOUS",
      });
    });

    test("nobody listening means that nothing was sent", async () => {
      const other = await stage.world.start(stage.clock);
      const baseUrl = other.simulator.url;
      await other.simulator.close();
      for (const [, attempt] of attempts()) {
        expect(await stage.failure(attempt(stage.call({ baseUrl })))).toMatchObject({
          code: "VENDOR_UNAVAILABLE",
          facts: { sent: false },
        });
      }
    });

    test("JSON that is cut, and an edge's web page, are never taken for an answer", async () => {
      stage.fault({ operation: list, kind: "garbage-json" });
      expect(await stage.failure(read())).toMatchObject({ code: "VENDOR_ANSWER_UNKNOWN" });
      stage.fault({ operation: list, kind: "html-403" });
      expect(await stage.failure(read())).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    });
  });
}

function slotOf(stage: ConnectorStage): Slot {
  const { slot } = stage.vendor;
  if (slot === undefined) throw new Error("this vendor has no slot to grant in");
  return slot;
}

function accountOf(accountId: AccountId): VendorAccount {
  const nothing = { displayName: undefined, createdAt: undefined, expiresAt: undefined };
  const account = { accountId, email: jane, otherEmails: [], state: "active" as const, role: "" };
  return { ...account, ...nothing };
}

/** What a connector never does. */
export function safetyTests(stage: ConnectorStage): void {
  describe("safety", () => {
    test("report-only refuses every write before the socket", async () => {
      const { connector, world } = stage;
      stage.vendor.seed(jane, world.roles[0]);
      const account = await stage.one(jane);
      const call = stage.call({ mode: () => "report-only" });
      const [, other] = world.roles;
      const { grantRoles } = world;
      stage.vendor.seed("cy@example.com", world.roles[0]);
      const holder = await stage.one("cy@example.com");
      if (grantRoles !== undefined) {
        const held = { ...slotOf(stage), role: grantRoles[0] };
        await connector.grant(stage.call(), holder, held);
      }
      const before = stage.writes();
      const attempts = [
        ...(world.operations.create === undefined
          ? []
          : [
              () => connector.createAccount(call, person("bo@example.com", world.roles[0])),
              () => connector.removeAccount(call, account),
            ]),
        ...(other === undefined ? [] : [() => connector.setAccountRole(call, account, other)]),
        ...(grantRoles === undefined
          ? []
          : [
              () => connector.grant(call, account, { ...slotOf(stage), role: grantRoles[0] }),
              () => connector.revoke(call, holder, slotOf(stage)),
            ]),
      ];
      for (const attempt of attempts) {
        expect(await stage.failure(attempt())).toMatchObject({ code: "GATE_REFUSED" });
      }
      expect(stage.writes()).toEqual(before);
      await connector.check(call);
      expect((await drain(connector.listAccounts(call))).end).toBeDefined();
    });

    test("a stop ends a call within 100 ms", async () => {
      stage.fault({ operation: stage.world.operations.list, kind: "timeout" });
      const call = stage.call();
      const failure = stage.failure(stage.look(call));
      await eventually(() =>
        stage.vendor.simulator.requests.some((item) => item.fault === "timeout"),
      );
      const stoppedAt = performance.now();
      call.abort.abort();
      await failure;
      expect(performance.now() - stoppedAt).toBeLessThan(100);
    });

    test("an error tells what, at which vendor and with which status", async () => {
      stage.fault({ operation: stage.world.operations.list, kind: "500" });
      const error = await stage.failure(stage.look(stage.call()));
      expect(error.message).toContain(stage.connector.facts.vendor);
      expect(error.facts).toMatchObject({ status: 500 });
      expect(typeof error.facts.operation).toBe("string");
    });
  });
}
