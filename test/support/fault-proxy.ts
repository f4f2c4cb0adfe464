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
  /** Keeps the answers of the far side until `release`. */
  hold(): void;
  /** Hands over what was held, in its order. */
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
  const held: (() => void)[] = [];
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
    far.on("data", (bytes) => {
      if (swallowing || muted) return;
      if (holding) held.push(() => near.write(bytes));
      else near.write(bytes);
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
    },
    release: () => {
      holding = false;
      for (const give of held.splice(0)) give();
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
