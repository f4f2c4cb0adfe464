import { createServer, request, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface GatedCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: string;
}

/** A call that stands between us and the vendor. */
export interface CaughtCall extends GatedCall {
  /** Lets the vendor work; its answer stays here. */
  forward(): Promise<void>;
  /** Gives the answer on; lets the vendor work first where it has not. */
  answer(): Promise<void>;
}

/** What stands between one process and a vendor: it counts calls, and catches those that a test waits for. */
export interface VendorGate {
  readonly url: string;
  /** Everything that arrived here, in order. */
  readonly calls: readonly GatedCall[];
  /** Catches the next call that fits; resolves when it is here. */
  catch(fits: (call: GatedCall) => boolean): Promise<CaughtCall>;
  close(): Promise<void>;
}

interface Trap {
  readonly fits: (call: GatedCall) => boolean;
  readonly caught: (call: CaughtCall) => void;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export async function vendorGate(vendorUrl: string): Promise<VendorGate> {
  const calls: GatedCall[] = [];
  const traps: Trap[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const raw = Buffer.concat(chunks);
      const call = {
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        body: raw.toString("utf8"),
      };
      calls.push(call);
      let asked: Promise<Answer> | undefined;
      const forward = () => (asked ??= passOn(vendorUrl, call, incoming.headers, raw));
      const give = async () => {
        const { status, headers, body } = await forward();
        // Whoever asked may be gone.
        if (!outgoing.destroyed) outgoing.writeHead(status, headers).end(body);
      };
      const at = traps.findIndex((trap) => trap.fits(call));
      const [trap] = at < 0 ? [] : traps.splice(at, 1);
      if (trap === undefined) {
        give().catch(() => outgoing.destroy());
        return;
      }
      trap.caught({ ...call, forward: async () => void (await forward()), answer: give });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    calls,
    catch: (fits) =>
      new Promise((caught) => {
        traps.push({ fits, caught });
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function passOn(
  vendorUrl: string,
  { method, path }: GatedCall,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host: _host, connection: _connection, ...rest } = headers;
    const sent = request(new URL(path, vendorUrl), { method, headers: rest }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const { connection: _close, "transfer-encoding": _chunked, ...told } = answer.headers;
        resolve({ status: answer.statusCode ?? 502, headers: told, body: Buffer.concat(chunks) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
