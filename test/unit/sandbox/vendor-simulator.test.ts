import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { startAnthropicSimulator } from "../../../src/sandbox/anthropic/anthropic-simulator.ts";
import type { Fault } from "../../../src/sandbox/fault-schedule.ts";
import { startInstantlySimulator } from "../../../src/sandbox/instantly/instantly-simulator.ts";
import { fileState } from "../../../src/sandbox/state-file.ts";
import { eventually } from "../../support/eventually.ts";
import { fakeClock } from "../../support/fake-clock.ts";
import { anthropic, errorOf, rowsOf } from "./anthropic/anthropic-fixture.ts";
import { instantly, itemsOf } from "./instantly/instantly-fixture.ts";

const invite = (email: string) => ({ email, role: "user" });

function stateFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "rolecall-sandbox-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return join(folder, "state.json");
}

describe("faults", () => {
  test("a lost answer does the work, and the vendor refuses the repetition", async () => {
    const { call, simulator } = await anthropic();
    simulator.faults.add({ operation: "invites.create", kind: "lost-answer" });
    await expect(call("POST", "/invites", invite("a@example.com"))).rejects.toThrow();
    const again = await call("POST", "/invites", invite("a@example.com"));
    expect(errorOf(again).details?.error_code).toBe("invite_already_exists");
    expect(simulator.createAttempts("a@example.com")).toEqual({
      attempted: 2,
      created: 1,
      refused: 1,
    });
  });

  test("a reset before does nothing", async () => {
    const { call, simulator } = await anthropic();
    simulator.faults.add({ operation: "invites.create", kind: "reset-before" });
    await expect(call("POST", "/invites", invite("a@example.com"))).rejects.toThrow();
    expect(simulator.control.counts().pendingInvites).toBe(0);
    expect((await call("POST", "/invites", invite("a@example.com"))).status).toBe(200);
  });

  test("a timeout never answers, with or without the work, and close ends it", async () => {
    const { call, simulator } = await anthropic();
    simulator.faults.add({ operation: "invites.create", kind: "timeout", work: true });
    simulator.faults.add({ operation: "users.list", kind: "timeout" });
    const held = [call("POST", "/invites", invite("a@example.com")), call("GET", "/users")];
    const outcomes = Promise.allSettled(held);
    await eventually(() => simulator.requests.length === 2);
    expect(simulator.requests.map((request) => request.status)).toEqual([undefined, undefined]);
    expect(simulator.control.counts().pendingInvites).toBe(1);
    await simulator.close();
    expect((await outcomes).map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
  });

  test("a slow answer does the work at once and comes in domain time", async () => {
    const { call, clock, simulator } = await anthropic();
    simulator.faults.add({ operation: "invites.create", kind: "slow", delayMs: 5_000 });
    const slow = call("POST", "/invites", invite("a@example.com"));
    await eventually(() => simulator.control.counts().pendingInvites === 1);
    await clock.advance(5_000);
    expect((await slow).status).toBe(200);
  });

  test("injected statuses come in the vendor's form, with retry-after where it is asked for", async () => {
    const { call, clock, simulator } = await anthropic();
    const user = simulator.control.seedUser({ email: "a@example.com" });
    const strike = async (fault: Omit<Fault, "operation">) => {
      simulator.faults.add({ operation: "users.remove", ...fault });
      return call("DELETE", `/users/${user.id}`);
    };
    const conflict = await strike({ kind: "409" });
    expect([conflict.status, errorOf(conflict)]).toMatchObject([
      409,
      { type: "conflict_error", details: { error_code: "concurrent_membership_change" } },
    ]);
    const limited = await strike({ kind: "429", retryAfter: { seconds: 90, as: "seconds" } });
    expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, "90"]);
    const dated = await strike({ kind: "503", retryAfter: { seconds: 60, as: "http-date" } });
    expect(Date.parse(dated.headers.get("retry-after") ?? "")).toBe(
      Math.floor(clock.now() / 1000) * 1000 + 60_000,
    );
    const bare = await strike({ kind: "429" });
    expect(bare.headers.get("retry-after")).toBeNull();
    const overloaded = await strike({ kind: "529", shouldRetry: false });
    expect([overloaded.status, errorOf(overloaded).type]).toEqual([529, "overloaded_error"]);
    expect(overloaded.headers.get("x-should-retry")).toBe("false");
    expect((await strike({ kind: "500" })).body["request_id"]).toMatch(/^req_/);
    expect((await call("DELETE", `/users/${user.id}`)).status).toBe(200);
  });

  test("lists lose half their page or all of it and still say that they are complete", async () => {
    const { call, simulator } = await anthropic();
    for (const n of [1, 2, 3]) simulator.control.seedUser({ email: `u${String(n)}@e.com` });
    simulator.faults.add({ operation: "users.list", kind: "partial-page" });
    const partial = await call("GET", "/users");
    expect([rowsOf(partial).length, partial.body["has_more"]]).toEqual([2, false]);
    expect(partial.body["last_id"]).toBe(rowsOf(partial)[1]?.["id"]);
    simulator.faults.add({ operation: "users.list", kind: "empty-list" });
    expect((await call("GET", "/users")).body).toEqual({
      data: [],
      has_more: false,
      first_id: null,
      last_id: null,
    });
    expect(rowsOf(await call("GET", "/users"))).toHaveLength(4);
    const other = await instantly();
    other.simulator.faults.add({ operation: "members.list", kind: "empty-list" });
    expect((await other.call("GET", "/workspace-members")).body).toEqual({ items: [] });
  });

  test("a stale read shows the truth as it was, and leaves the real one alone", async () => {
    const { call, clock, simulator } = await anthropic();
    simulator.faults.add({
      operation: "users.list",
      kind: "stale-read",
      staleMs: 30_000,
      times: 3,
    });
    simulator.control.seedUser({ email: "old@example.com" });
    await clock.advance(20_000);
    simulator.control.seedUser({ email: "new@example.com" });
    await clock.advance(20_000);
    const emails = async () =>
      rowsOf(await call("GET", "/users")).map((row) => String(row["email"]).split("@")[0]);
    expect(await emails()).toEqual(["old", "owner"]);
    await clock.advance(10_000);
    expect(await emails()).toEqual(["new", "old", "owner"]);
    await call("POST", "/invites", invite("a@example.com"));
    expect(await emails()).toEqual(["new", "old", "owner"]);
    expect(simulator.control.counts()).toMatchObject({ users: 3, pendingInvites: 1 });
  });

  test("garbage is cut JSON with status 200, and the edge's page is HTML with 403", async () => {
    const { call, simulator } = await anthropic();
    simulator.faults.add({ operation: "organization.read", kind: "garbage-json" });
    simulator.faults.add({ operation: "organization.read", kind: "html-403" });
    const garbage = await call("GET", "/me");
    expect([garbage.status, garbage.headers.get("content-type")]).toEqual([
      200,
      "application/json; charset=utf-8",
    ]);
    expect(() => JSON.parse(garbage.text) as unknown).toThrow();
    const page = await call("GET", "/me");
    expect([page.status, page.headers.get("content-type")]).toEqual([
      403,
      "text/html; charset=UTF-8",
    ]);
  });

  test("another organisation has another id and other people, and keeps nothing that is written", async () => {
    const { call, simulator } = await anthropic();
    const wrong = { kind: "wrong-organization" as const, operation: "*", times: 3 };
    const right = (await call("GET", "/me")).body["id"];
    simulator.faults.add(wrong);
    const me = await call("GET", "/me");
    expect(me.body["id"]).not.toBe(right);
    expect(me.headers.get("anthropic-organization-id")).toBe(me.body["id"]);
    expect(rowsOf(await call("GET", "/users"))).toMatchObject([{ name: "Stranger" }]);
    expect((await call("POST", "/invites", invite("a@example.com"))).status).toBe(200);
    expect(simulator.control.counts().pendingInvites).toBe(0);
    const other = await instantly();
    other.simulator.faults.add({ ...wrong, times: 2 });
    const current = await other.call("GET", "/workspaces/current");
    expect(current.body["name"]).toBe("Somebody Else");
    expect(itemsOf(await other.call("GET", "/workspace-members"))).toMatchObject([
      { workspace_id: current.body["id"] },
    ]);
  });

  test("a fault strikes by person, by count and by domain time, whoever else calls meanwhile", async () => {
    const { call, clock, simulator } = await anthropic();
    const user = simulator.control.seedUser({ email: "jane@example.com" });
    const start = clock.now();
    simulator.faults.add({ operation: "invites.create", kind: "500", subject: "b@example.com" });
    simulator.faults.add({ operation: "users.remove", kind: "503", subject: "jane@example.com" });
    simulator.faults.add({ operation: "users.list", kind: "500", fromNth: 2, times: 2 });
    simulator.faults.add({
      operation: "organization.read",
      kind: "503",
      between: [start + 1_000, start + 2_000],
    });
    const invited = await Promise.all(
      ["a", "b", "c"].map((name) => call("POST", "/invites", invite(`${name}@example.com`))),
    );
    expect(invited.map((answer) => answer.status)).toEqual([200, 500, 200]);
    expect((await call("DELETE", `/users/${user.id}`)).status).toBe(503);
    const lists: number[] = [];
    for (let i = 0; i < 4; i += 1) lists.push((await call("GET", "/users")).status);
    expect(lists).toEqual([200, 500, 500, 200]);
    const me = async () => (await call("GET", "/me")).status;
    expect(await me()).toBe(200);
    await clock.advance(1_000);
    expect([await me(), await me()]).toEqual([503, 503]);
    await clock.advance(1_000);
    expect(await me()).toBe(200);
  });

  test("a request that the key or the rate limit stops uses no fault up", async () => {
    const { call, simulator } = await anthropic();
    simulator.faults.add({ operation: "organization.read", kind: "500" });
    expect((await call("GET", "/me", undefined, { "x-api-key": "wrong" })).status).toBe(401);
    expect((await call("GET", "/me")).status).toBe(500);
    expect((await call("GET", "/me")).status).toBe(200);
  });

  test("an unknown operation, a fault that does not fit and a malformed one are refused with a reason", async () => {
    const { simulator } = await anthropic();
    const add = (fault: object) => () => simulator.faults.add(fault as Fault);
    expect(add({ operation: "users.lst", kind: "500" })).toThrow(/users\.list/);
    expect(add({ operation: "invites.create", kind: "empty-list" })).toThrow(/does not fit/);
    expect(add({ operation: "users.list", kind: "explode" })).toThrow(/kind/);
    expect(add({ operation: "users.list", kind: "slow" })).toThrow(/delayMs/);
  });
});

describe("persistence", () => {
  test("a write is in the file before it is answered, and the next life goes on with it", async () => {
    const path = stateFile();
    const clock = fakeClock();
    const first = await startAnthropicSimulator({ clock, state: fileState(path) });
    first.faults.add({ id: "late", operation: "users.list", kind: "500", times: 2 });
    const send = (base: string, key: string, method: string, to: string, json?: unknown) =>
      fetch(`${base}/v1/organizations${to}`, {
        method,
        headers: {
          "x-api-key": key,
          "anthropic-version": "2023-06-01",
          "content-type": "application/json",
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
    first.faults.add({ operation: "invites.create", kind: "lost-answer" });
    const lost = send(first.url, first.apiKey, "POST", "/invites", invite("a@example.com"));
    await expect(lost).rejects.toThrow();
    expect(readFileSync(path, "utf8")).toContain("a@example.com");
    await send(first.url, first.apiKey, "GET", "/users");
    const before = first.state();
    await first.close();

    const second = await startAnthropicSimulator({ clock, state: fileState(path) });
    onTestFinished(() => second.close());
    expect(second.apiKey).toBe(first.apiKey);
    expect(second.state()).toEqual(before);
    expect(second.createAttempts("a@example.com")).toMatchObject({ attempted: 1, created: 1 });
    second.faults.add({ id: "late", operation: "users.list", kind: "500", times: 2 });
    const statuses: number[] = [];
    for (let i = 0; i < 2; i += 1) {
      statuses.push((await send(second.url, second.apiKey, "GET", "/users")).status);
    }
    expect(statuses).toEqual([500, 200]);
    const again = await send(
      second.url,
      second.apiKey,
      "POST",
      "/invites",
      invite("a@example.com"),
    );
    expect(again.status).toBe(400);
  });

  test("a file of something else is refused with a way out", async () => {
    const path = stateFile();
    const start = () => startInstantlySimulator({ clock: fakeClock(), state: fileState(path) });
    writeFileSync(path, "{");
    await expect(start()).rejects.toThrow(/remove it to start afresh/);
    writeFileSync(path, JSON.stringify({ format: 1, vendor: "anthropic" }));
    await expect(start()).rejects.toThrow(/vendor/);
  });
});

describe("control over HTTP", () => {
  test("another process seeds, accepts, breaks and looks, and sees no secret", async () => {
    const { call, control, simulator } = await anthropic({ apiKey: "sk-ant-admin01-very-secret" });
    await control("POST", "/add-workspace", { name: "Production" });
    await call("POST", "/invites", invite("a@example.com"));
    const accepted = await control("POST", "/accept-invite", {
      email: "a@example.com",
      name: "Anna",
    });
    expect(accepted.body).toMatchObject({ email: "a@example.com", name: "Anna" });
    const added = await control("POST", "/faults", [
      { operation: "users.list", kind: "503" },
      { operation: "users.list", kind: "500" },
    ]);
    expect(added.body["ids"]).toHaveLength(2);
    expect((await call("GET", "/users")).status).toBe(503);
    await control("DELETE", "/faults");
    expect((await call("GET", "/users")).status).toBe(200);
    const state = await control("GET", "/state");
    expect(state.body).toMatchObject({ vendor: "anthropic", invites: [{ status: "accepted" }] });
    expect(state.text).not.toContain("very-secret");
    expect((await control("GET", "/attempts")).body).toEqual({
      "a@example.com": { attempted: 1, created: 1, refused: 0 },
    });
    const requests = (await control("GET", "/requests")).body as unknown as object[];
    expect(requests).toHaveLength(simulator.requests.length);
    expect(requests[0]).toMatchObject({ method: "POST", operation: "invites.create", status: 200 });
    await control("POST", "/revoke-key", {});
    expect((await call("GET", "/users")).status).toBe(401);
  });

  test("mistakes are answered with what to fix", async () => {
    const { control } = await anthropic();
    const unknown = await control("POST", "/acept-invite", {});
    expect([unknown.status, unknown.body["error"]]).toEqual([
      404,
      expect.stringContaining("accept-invite"),
    ]);
    const nobody = await control("POST", "/accept-invite", { email: "nobody@example.com" });
    expect([nobody.status, nobody.body["error"]]).toEqual([
      400,
      "There is no pending invitation of nobody@example.com",
    ]);
    const malformed = await control("POST", "/accept-invite", { mail: "x" });
    expect([malformed.status, malformed.body["error"]]).toEqual([
      400,
      expect.stringContaining("email"),
    ]);
    const fault = await control("POST", "/faults", { operation: "nothing", kind: "500" });
    expect([fault.status, fault.body["error"]]).toEqual([
      400,
      expect.stringContaining("unknown operation"),
    ]);
  });
});

describe("requests at the same time", () => {
  test("one address invited by twenty at once gets one invitation", async () => {
    const { call, simulator } = await anthropic();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => call("POST", "/invites", invite("a@example.com"))),
    );
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(simulator.createAttempts("a@example.com")).toEqual({
      attempted: 20,
      created: 1,
      refused: 19,
    });
  });

  test("a taken port is an error at start", async () => {
    const { simulator, clock } = await instantly();
    const port = Number(new URL(simulator.url).port);
    await expect(startInstantlySimulator({ clock, port })).rejects.toThrow(/EADDRINUSE/);
  });
});
