import type { Connector } from "../../src/connectors/connector.ts";
import { createHttpPools } from "../../src/http/http-pools.ts";
import type { JsonObject } from "../../src/model/json.ts";
import type { VendorSimulator } from "../../src/sandbox/vendor-simulator.ts";
import type { FakeClock } from "./fake-clock.ts";
import { connectionId, mapping, StoryWorld, tenantId } from "./story-world.ts";
import { openVendorHttp } from "./vendor-http.ts";

export interface VendorStory<Simulator> {
  readonly world: StoryWorld;
  readonly vendor: Simulator;
  /** The credential that calls use from now on. */
  secret: string;
  /** Activates the mapping with these fields, and does what is due. */
  declare(fields: JsonObject): Promise<void>;
  /** Open findings of a kind, `severity text`, sorted. */
  findings(kind: string): Promise<readonly string[]>;
  lane(): ReturnType<typeof laneOf>;
  /** A person says that what was parked may be tried again. */
  redrive(): Promise<void>;
  close(): Promise<void>;
}

async function laneOf(world: StoryWorld) {
  const lane = await world.store.getLane(tenantId, connectionId);
  if (lane === undefined) throw new Error("the mapping made no lane");
  return lane;
}

/** The whole way from the directory to one vendor's connector and its simulator over HTTP, with a clock that the test moves. */
export async function openVendorStory<
  Simulator extends VendorSimulator & { readonly apiKey: string },
>(options: {
  readonly connector: Connector;
  readonly headers: (secret: string) => Readonly<Record<string, string>>;
  /** Of the vendor's services. */
  readonly serviceHeaders?: (simulator: Simulator, service: string) => Record<string, string>;
  readonly start: (clock: FakeClock) => Promise<Simulator>;
  readonly rules: JsonObject;
}): Promise<VendorStory<Simulator>> {
  const pools = createHttpPools();
  const { connector } = options;
  const opened: { simulator?: Simulator; story?: VendorStory<Simulator> } = {};
  const secretNow = () => opened.story?.secret ?? opened.simulator?.apiKey ?? "";
  const world = await StoryWorld.open({
    connector,
    openHttp: (clock, http) =>
      openVendorHttp({
        facts: connector.facts,
        baseUrl: opened.simulator?.url ?? "",
        headers: (service) =>
          Promise.resolve(
            service === undefined || opened.simulator === undefined
              ? options.headers(secretNow())
              : (options.serviceHeaders?.(opened.simulator, service) ?? {}),
          ),
        clock,
        pools,
        ...http,
      }).http,
  });
  const vendor = await options.start(world.clock);
  opened.simulator = vendor;
  const story: VendorStory<Simulator> = {
    world,
    vendor,
    secret: vendor.apiKey,
    async declare(fields) {
      await world.activate(mapping({ mode: "additive", ...options.rules, ...fields }));
      await world.settle();
    },
    findings: async (kind) =>
      (await world.store.listFindings(tenantId, { open: true, limit: 200 }))
        .filter((item) => item.kind === kind)
        .map((item) => `${item.severity} ${item.text}`)
        .toSorted(),
    lane: () => laneOf(world),
    redrive: async () => {
      await world.store.wakeTargets(
        tenantId,
        { connectionId, identityIds: "all", priority: 1, now: world.clock.now() },
        { records: [], recompute: [] },
      );
    },
    async close() {
      await world.store.close();
      await vendor.close();
      await pools.close();
    },
  };
  opened.story = story;
  return story;
}
