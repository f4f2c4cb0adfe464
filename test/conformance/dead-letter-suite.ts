import { expect, it } from "vitest";
import { deadLetter } from "../../src/events/dead-letter-store.ts";
import type { OpenStore } from "./account-stage.ts";
import { type DirectoryStage, refusal, tenantForEach } from "./directory-stage.ts";

/** Messages of the bus that nobody could read: kept once per place, with their bytes, until a person drops them. */
export function deadLetterSuite(open: OpenStore): void {
  let stage: DirectoryStage;
  tenantForEach(open, (made) => {
    stage = made;
  });

  // Letters belong to no tenant, and the store is everybody's: each test has a topic of its own.
  const topic = () => `${stage.tenantId}.hints`;
  const letter = (offset: string, value: Uint8Array | undefined, receivedAt = stage.now) =>
    deadLetter(
      { topic: topic(), partition: 2, offset, key: Buffer.from("k"), value, why: "no JSON" },
      receivedAt,
    );
  const ids = async (limit = 100) =>
    (await stage.store.listDeadLetters(limit))
      .filter((item) => item.topic === topic())
      .map((item) => item.letterId);

  it("come back with every byte, and without a value where there was none", async () => {
    const bytes = Uint8Array.from([0, 255, 10, 13, 128]);
    await stage.store.keepDeadLetter(letter("7", bytes));
    await stage.store.keepDeadLetter(letter("8", undefined));
    const kept = await stage.store.getDeadLetter(`${topic()}:2:7`);
    expect(Buffer.from(kept?.value ?? []).equals(bytes)).toBe(true);
    expect(Buffer.from(kept?.key ?? []).toString()).toBe("k");
    expect(kept).toMatchObject({
      topic: topic(),
      why: "no JSON",
      valueBytes: 5,
      receivedAt: stage.now,
    });
    expect((await stage.store.getDeadLetter(`${topic()}:2:8`))?.value).toBeUndefined();
    expect(await stage.store.getDeadLetter(`${topic()}:2:9`)).toBeUndefined();
  });

  it("are cut at 64 KiB and say how long they were", async () => {
    await stage.store.keepDeadLetter(letter("1", new Uint8Array(100_000)));
    const kept = await stage.store.getDeadLetter(`${topic()}:2:1`);
    expect([kept?.value?.length, kept?.valueBytes]).toEqual([65_536, 100_000]);
  });

  it("are kept once per place, and listed newest first", async () => {
    await stage.store.keepDeadLetter(letter("1", Buffer.from("a"), 1_000));
    await stage.store.keepDeadLetter(letter("2", Buffer.from("b"), 2_000));
    await stage.store.keepDeadLetter(letter("3", Buffer.from("c"), 2_000));
    expect(await ids()).toEqual([`${topic()}:2:3`, `${topic()}:2:2`, `${topic()}:2:1`]);
    await stage.store.keepDeadLetter(letter("1", Buffer.from("again"), 3_000));
    expect(await ids()).toEqual([`${topic()}:2:1`, `${topic()}:2:3`, `${topic()}:2:2`]);
    expect(await stage.store.listDeadLetters(1)).toHaveLength(1);
    const kept = await stage.store.getDeadLetter(`${topic()}:2:1`);
    expect(Buffer.from(kept?.value ?? []).toString()).toBe("again");
  });

  it("are dropped with a record of who did it, once", async () => {
    await stage.store.keepDeadLetter(letter("1", Buffer.from("a")));
    const drop = () =>
      stage.store.dropDeadLetter(stage.tenantId, `${topic()}:2:1`, {
        records: [stage.record("dead_letter.dropped")],
        recompute: [],
      });
    await drop();
    expect(await ids()).toEqual([]);
    expect(await refusal(drop())).toBe("NOT_FOUND");
    const records = await stage.store.findRecords(stage.tenantId, {
      action: "dead_letter.dropped",
      limit: 10,
    });
    expect(records).toHaveLength(1);
  });
}
