import { acceptUpload, workUpload, type UploadAnswer } from "../../src/hr/accept.ts";
import type { HrDeps, HrSender } from "../../src/hr/hr-deps.ts";
import { defaultEmploymentPolicy } from "../../src/model/employment.ts";
import {
  defaultSourceSettings,
  type HrSettings,
  type HrSourceSettings,
} from "../../src/model/hr-settings.ts";
import { asId, type HrSourceId, type IdentityId } from "../../src/model/ids.ts";
import { rollOutHr } from "../../src/sync/roll-out-hr.ts";
import { tenantId, type StoryPerson, type StoryWorld } from "./story-world.ts";

/** An HR system of a story: says things about people through the room's own door, the signature left out. */
export class HrSystem {
  readonly deps: HrDeps;
  readonly sender: HrSender;
  readonly #world: StoryWorld;
  #sent = 0;

  static async connect(
    world: StoryWorld,
    options: {
      readonly source?: string;
      readonly settings?: Partial<HrSettings>;
      readonly reading?: Partial<HrSourceSettings>;
    } = {},
  ): Promise<HrSystem> {
    const hr = new HrSystem(world, options.source ?? "workday");
    const { sourceId } = hr.sender;
    await world.store.addHrSource(
      tenantId,
      { sourceId, now: world.clock.now() },
      world.also("hr.source_added"),
    );
    await hr.read(options.settings, options.reading);
    return hr;
  }

  constructor(world: StoryWorld, source: string) {
    this.#world = world;
    const sourceId = asId<HrSourceId>(source);
    this.sender = { tenantId, sourceId, actor: { kind: "hr", id: source } };
    this.deps = {
      store: world.store,
      clock: world.clock,
      logger: world.sync.logger,
      metrics: world.sync.metrics,
      onCommit: () => undefined,
      raiseFinding: async (tenant, { identityId, ...finding }) => {
        await world.store.raiseFindings(tenant, {
          findings: [
            { ...finding, ...(identityId && { identityId: asId<IdentityId>(identityId) }) },
          ],
          now: world.clock.now(),
        });
      },
    };
  }

  /** What hr.yaml says from now on. */
  async read(settings: Partial<HrSettings> = {}, reading: Partial<HrSourceSettings> = {}) {
    const { sourceId } = this.sender;
    await rollOutHr(
      this.#world.sync,
      tenantId,
      {
        employment: { ...defaultEmploymentPolicy, order: [sourceId] },
        zone: undefined,
        domains: ["example.com"],
        sources: {
          [sourceId]: { ...defaultSourceSettings, zone: "Australia/Melbourne", ...reading },
        },
        ...settings,
      },
      { kind: "system", id: "test" },
    );
  }

  /** One event about a person, whose key is their address. */
  async says(
    type: string,
    person: Pick<StoryPerson, "email"> | string,
    more: object = {},
    id = `e${String((this.#sent += 1))}`,
  ) {
    const email = typeof person === "string" ? person : person.email;
    const about = { id: email, email };
    const event = { id, type, person: about, ...more };
    const answer = await this.upload("event", id, event);
    return answer.receipts[0]?.state;
  }

  async upload(kind: "event" | "bulk", key: string, content: object): Promise<UploadAnswer> {
    const answer = await acceptUpload(this.deps, this.sender, {
      kind,
      key,
      contentType: "application/json",
      body: Buffer.from(JSON.stringify(content)),
    });
    if (answer === "conflict") throw new Error("the key was used for another body");
    return answer;
  }

  async replay(uploadId: string): Promise<UploadAnswer> {
    const upload = await this.deps.store.getHrUpload(tenantId, uploadId);
    if (upload === undefined) throw new Error("no such upload");
    return workUpload(this.deps, this.sender, upload);
  }

  async parked(): Promise<readonly string[]> {
    const parked = await this.deps.store.listParkedHr(tenantId, { after: undefined, limit: 100 });
    return parked.map((item) => item.code);
  }
}
