import type {
  Applied,
  Call,
  EndOfList,
  HandOver,
  VendorKey,
  WorkItem,
} from "../../src/connectors/connector.ts";
import type { VendorAccount } from "../../src/model/account.ts";
import type { SyncError } from "../../src/model/errors.ts";
import type { AccountId } from "../../src/model/ids.ts";
import { FakeVendor } from "./fake-vendor.ts";

const changed: Applied = { outcome: "changed", requestIds: ["req_1"] };
const unchanged: Applied = { outcome: "unchanged", requestIds: [] };

/** A vendor where people also have API keys and open work: what only leavers are asked about. */
export class OfficeVendor extends FakeVendor {
  readonly keyring: VendorKey[] = [];
  /** Open items, and who has each. */
  readonly desk = new Map<string, { owner: string; label?: string }>();
  /** Reading work fails with this. */
  workFault: SyncError | undefined;
  /** Our own account. */
  own = "acc_rolecall" as AccountId;
  /** What happens at the vendor just before an account goes. */
  beforeRemove: (account: VendorAccount) => void = () => undefined;

  override check() {
    return Promise.resolve({
      organization: this.organization,
      ownAccountIds: [this.own],
      credential: { kind: "key", owner: undefined },
      notes: [],
    });
  }

  override removeAccount(call: Call, account: VendorAccount) {
    this.beforeRemove(account);
    return super.removeAccount(call, account);
  }

  /** `owner` undefined: a key that its maker made for a service. */
  addKey(keyId: string, maker: AccountId, principal?: AccountId): void {
    this.keyring.push({
      keyId,
      name: keyId,
      status: "active",
      createdBy: maker,
      principal,
      createdAt: 0,
      hint: undefined,
    });
  }

  /** A person switches a key off at the vendor. */
  endKey(keyId: string): void {
    const at = this.keyring.findIndex((key) => key.keyId === keyId);
    const key = this.keyring[at];
    if (key !== undefined) this.keyring[at] = { ...key, status: "inactive" };
  }

  readonly keys = {
    list: (_call: Call, account?: VendorAccount) => this.#listKeys(account),
    deactivate: (_call: Call, keyId: string) => {
      this.writes.push(`key off ${keyId}`);
      this.endKey(keyId);
      return Promise.resolve(changed);
    },
  };

  readonly containment = {
    contain: (_call: Call, account: VendorAccount) => {
      this.writes.push(`away ${account.email}`);
      return Promise.resolve(changed);
    },
  };

  readonly work = {
    kind: "conversation",
    toKind: "workspace",
    list: (_call: Call, account: VendorAccount) => this.#listWork(account),
    handOver: (_call: Call, wish: HandOver) => {
      const item = this.desk.get(wish.itemId);
      if (item?.owner !== wish.from.accountId) return Promise.resolve(unchanged);
      this.writes.push(`${wish.itemId} to ${wish.to.objectId}`);
      this.desk.set(wish.itemId, { ...item, owner: wish.to.objectId });
      return Promise.resolve(changed);
    },
  };

  async *#listKeys(account?: VendorAccount): AsyncGenerator<VendorKey | EndOfList> {
    const keys = this.keyring.filter(
      (key) => account === undefined || key.createdBy === account.accountId,
    );
    yield* keys;
    yield { complete: true, count: keys.length };
  }

  async *#listWork(account: VendorAccount): AsyncGenerator<WorkItem | EndOfList> {
    if (this.workFault !== undefined) throw this.workFault;
    const items = [...this.desk].filter(([, item]) => item.owner === account.accountId);
    for (const [itemId, { label }] of items) {
      yield { itemId, labels: label === undefined ? [] : [{ kind: "tag", name: label }] };
    }
    yield { complete: true, count: items.length };
  }
}
