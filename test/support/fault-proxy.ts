import { connect, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** A TCP proxy on loopback that breaks on command. */
export interface FaultProxy {
  readonly port: number;
  /** Where new connections go. */
  aim(port: number): void;
  /** Half-open: connections stay and swallow every byte both ways, new ones too, as after a cut behind a firewall. */
  swallow(): void;
  /** The answers of the far side are lost; what is sent to it arrives. */
  mute(): void;
  /** Keeps the answers of the far side, on every connection. */
  hold(): void;
  /** On how many connections an answer is kept. */
  readonly held: () => number;
  /** Hands over what was kept, in its order; connections on which nothing was, stay held. */
  releaseHeld(): void;
  /** Holds no more. */
  release(): void;
  /** Passes bytes again, for connections made from now on; those that swallowed are reset. */
  heal(): void;
  /** Connections made so far. */
  readonly connections: () => number;
  close(): Promise<void>;
}

export async function faultProxy(): Promise<FaultProxy> {
  let target = 0;
  let swallowing = false;
  let muted = false;
  let connections = 0;
  let holding = false;
  /** Answers that are kept, by connection; one that was released is not held again before the next `hold`. */
  const kept = new Map<Socket, Buffer[]>();
  const free = new Set<Socket>();
  const give = (socket: Socket, answers: readonly Buffer[]) => {
    for (const bytes of answers) socket.write(bytes);
  };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A reset is what this proxy is for.
    socket.on("error", () => socket.destroy());
    return socket;
  };
  const server = createServer((near) => {
    connections += 1;
    keep(near);
    if (swallowing) {
      near.resume();
      return;
    }
    const far = keep(connect({ host: "127.0.0.1", port: target }));
    near.on("data", (bytes) => {
      if (!swallowing) far.write(bytes);
    });
    far.on("data", (bytes: Buffer) => {
      if (swallowing || muted) return;
      if (!holding || free.has(near)) near.write(bytes);
      else kept.set(near, [...(kept.get(near) ?? []), bytes]);
    });
    near.on("close", () => far.destroy());
    far.on("close", () => {
      if (!swallowing) near.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    aim: (port) => {
      target = port;
    },
    swallow: () => {
      swallowing = true;
    },
    mute: () => {
      muted = true;
    },
    hold: () => {
      holding = true;
      free.clear();
    },
    held: () => kept.size,
    releaseHeld: () => {
      for (const [socket, answers] of kept) {
        free.add(socket);
        give(socket, answers);
      }
      kept.clear();
    },
    release: () => {
      holding = false;
      for (const [socket, answers] of kept) give(socket, answers);
      kept.clear();
    },
    heal: () => {
      swallowing = false;
      muted = false;
      for (const socket of sockets) socket.destroy();
    },
    connections: () => connections,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
