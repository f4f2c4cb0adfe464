import { createRequire } from "node:module";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { KafkaOptions } from "./kafka-options.ts";

/** Lowest and highest version by the number of the request (kafka.apache.org/protocol, API keys). */
export type VersionRanges = ReadonlyMap<number, readonly [min: number, max: number]>;

const apiVersions = 18;
const timeoutMs = 3_000;

/**
 * Asks one broker which versions it speaks, before any sign-in: ApiVersions version 0, which every broker answers. An own socket, as
 * kafkajs looks at the highest versions only and shows neither.
 */
export async function askVersions(
  address: string,
  options: Pick<KafkaOptions, "tls" | "clientId">,
): Promise<VersionRanges> {
  const socket = await open(address, options.tls);
  try {
    const answer = readFrame(socket);
    socket.write(request(options.clientId));
    return parse(await answer);
  } finally {
    socket.destroy();
  }
}

function open(address: string, tls: KafkaOptions["tls"]): Promise<Socket> {
  const at = address.lastIndexOf(":");
  const [host, port] = [address.slice(0, at), Number(address.slice(at + 1))];
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? connectTcp({ host, port })
        : connectTls({
            host,
            port,
            ...(isIP(host) === 0 ? { servername: host } : {}),
            ...definedOf(tls),
          });
    socket.setTimeout(timeoutMs, () => {
      socket.destroy(new Error(`no answer within ${String(timeoutMs / 1_000)} s`));
    });
    socket.once("error", reject);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      resolve(socket);
    });
  });
}

function definedOf(tls: NonNullable<KafkaOptions["tls"]>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(tls).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Length, header version 1 (key, version, correlation id, client id), no body. */
function request(clientId: string): Buffer {
  const client = Buffer.from(clientId, "utf8");
  const frame = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length);
  frame.writeInt32BE(frame.length - 4, 0);
  frame.writeInt16BE(apiVersions, 4);
  frame.writeInt16BE(0, 6);
  frame.writeInt32BE(1, 8);
  frame.writeInt16BE(client.length, 12);
  client.copy(frame, 14);
  return frame;
}

function readFrame(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) resolve(received);
    });
    socket.on("error", reject);
    socket.on("close", () => {
      reject(new Error("the connection was closed; is it a TLS port, or no Kafka at all?"));
    });
  });
}

/** Length, correlation id, error code, count, then key, lowest and highest version of each. */
function parse(frame: Buffer): VersionRanges {
  const error = frame.readInt16BE(8);
  if (error !== 0) throw new Error(`the broker answers error ${String(error)} to ApiVersions`);
  const ranges = new Map<number, readonly [number, number]>();
  for (let n = 0, at = 14; n < frame.readInt32BE(10); n += 1, at += 6) {
    ranges.set(frame.readInt16BE(at), [frame.readInt16BE(at + 2), frame.readInt16BE(at + 4)]);
  }
  return ranges;
}

/** The requests that this adapter sends, by the client's names. */
const used = [
  "Produce",
  "Fetch",
  "ListOffsets",
  "Metadata",
  "OffsetCommit",
  "OffsetFetch",
  "GroupCoordinator",
  "JoinGroup",
  "Heartbeat",
  "LeaveGroup",
  "SyncGroup",
  "ApiVersions",
  "CreateTopics",
  "DescribeConfigs",
] as const;
const usedWithSasl = ["SaslHandshake", "SaslAuthenticate"] as const;

/** Requests that client and broker have no version in common for, each as a few words; empty where all fit. */
export function versionGaps(ranges: VersionRanges, withSasl: boolean): readonly string[] {
  const require = createRequire(import.meta.url);
  const keys = require("kafkajs/src/protocol/requests/apiKeys.js") as Readonly<
    Record<string, number>
  >;
  const { requests } = require("kafkajs/src/protocol/requests/index.js") as {
    readonly requests: Readonly<Record<string, { readonly versions: readonly string[] }>>;
  };
  return [...used, ...(withSasl ? usedWithSasl : [])].flatMap((name) => {
    const ours = (requests[name]?.versions ?? []).map(Number);
    const theirs = ranges.get(keys[name] ?? -1);
    if (theirs === undefined) return [`${name}: not known to the broker`];
    // The client takes its highest version below the broker's highest, and does not look at the lowest.
    const [min, max] = theirs;
    const chosen = Math.max(...ours.filter((version) => version <= max));
    if (chosen >= min) return [];
    const most = Math.max(...ours);
    return [
      `${name}: the broker speaks ${String(min)} to ${String(max)}, the client up to ${String(most)}`,
    ];
  });
}
