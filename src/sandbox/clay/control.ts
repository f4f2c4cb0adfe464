import type { Clock } from "../../model/clock.ts";
import { InputError } from "../../model/errors.ts";
import { foldEmail } from "../../model/fold.ts";
import { uuid } from "../simulated-id.ts";
import type { SimulatedVendor } from "../simulated-vendor.ts";
import type { Caller } from "./api.ts";
import type { ClayRole, Member, Truth, Webhook } from "./truth.ts";

interface Who {
  readonly email: string;
}

/**
 * The product's own pages: what a person clicks under Settings. Every rule that the pages keep is kept here, and each method throws
 * InputError with what the page would say.
 */
export class ClayControl {
  readonly #vendor: SimulatedVendor<Truth, Caller>;
  readonly #clock: Clock;

  constructor(vendor: SimulatedVendor<Truth, Caller>) {
    this.#vendor = vendor;
    this.#clock = vendor.clock;
  }

  /** Settings > Team > + Invite. */
  invite({ email, role }: Who & { readonly role: ClayRole }): Member {
    return this.#vendor.change((truth) => {
      const folded = foldEmail(email);
      if (truth.members.some((item) => item.email === folded))
        throw new InputError(`${email} is in the workspace or invited already`, []);
      needsPlan(truth, role);
      const name = folded.split("@")[0] ?? folded;
      const made: Member = {
        userId: uuid(this.#clock),
        email: folded,
        name,
        role,
        status: "invited",
      };
      truth.members.push(made);
      return { ...made };
    });
  }

  /** The invited person follows the mail. */
  accept(who: Who): void {
    this.#vendor.change((truth) => {
      const member = memberOf(truth, who);
      if (member.status === "active") throw new InputError(`${who.email} has joined already`, []);
      member.status = "active";
    });
  }

  /** The dropdown beside a name; counts at once. */
  setRole({ role, ...who }: Who & { readonly role: ClayRole }): void {
    this.#vendor.change((truth) => {
      const member = memberOf(truth, who);
      needsPlan(truth, role);
      if (role !== "admin") keepAnAdmin(truth, member);
      member.role = role;
    });
  }

  /** The trash icon beside a name; the person's keys end with them. */
  remove(who: Who): void {
    this.#vendor.change((truth) => {
      const member = memberOf(truth, who);
      keepAnAdmin(truth, member);
      truth.members = truth.members.filter((item) => item !== member);
      for (const group of truth.groups)
        group.members = group.members.filter((email) => email !== member.email);
    });
  }

  /** Settings > Teams > Groups > Create group. */
  addGroup(name: string): void {
    this.#vendor.change((truth) => {
      if (truth.workspace.plan !== "enterprise")
        throw new InputError("groups are in the plan Enterprise", []);
      if (name.length === 0 || name.length > 50)
        throw new InputError("a group's name has 1 to 50 characters", []);
      if (truth.groups.some((group) => group.name === name))
        throw new InputError(`there is a group ${name} already`, []);
      truth.groups.push({ name, members: [] });
    });
  }

  /** Adds to a group, or removes from it; counts at once. */
  setGroup({
    group,
    member,
    ...who
  }: Who & { readonly group: string; readonly member: boolean }): void {
    this.#vendor.change((truth) => {
      const { email } = memberOf(truth, who);
      const found = truth.groups.find((item) => item.name === group);
      if (found === undefined) throw new InputError(`there is no group ${group}`, []);
      found.members = found.members.filter((item) => item !== email);
      if (member) found.members.push(email);
    });
  }

  /** Settings > Account > API keys of one member; the secret is shown once. */
  addKey({ name, ...who }: Who & { readonly name: string }): string {
    return this.#vendor.change((truth) => {
      const { userId } = memberOf(truth, who);
      const secret = `clay_${uuid(this.#clock)}`;
      truth.keys.push({ secret, userId, name });
      return secret;
    });
  }

  addWebhook({ table, token }: { readonly table: string; readonly token?: string }): Webhook {
    return this.#vendor.change((truth) => {
      const made = { id: uuid(this.#clock), table, token: token ?? null, submissions: 0 };
      truth.webhooks.push(made);
      return { ...made };
    });
  }

  /** Another plan; another name for the page. */
  settle(set: {
    readonly plan?: Truth["workspace"]["plan"];
    readonly labels?: Truth["settings"]["labels"];
    readonly retryAfter?: boolean;
  }): void {
    this.#vendor.change((truth) => {
      truth.workspace.plan = set.plan ?? truth.workspace.plan;
      truth.settings.labels = set.labels ?? truth.settings.labels;
      truth.settings.retryAfter = set.retryAfter ?? truth.settings.retryAfter;
    });
  }

  /** What a person copies from the pages into a file: everybody, at this moment. */
  roster(): string {
    const { members, groups, workspace } = this.#vendor.truth;
    const at = new Date(this.#clock.now()).toISOString();
    const quoted = (text: string) =>
      /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    const rows = members.map((member) => {
      const mine = groups.filter((group) => group.members.includes(member.email));
      const names = mine.map((group) => group.name).join(";");
      return [workspace.id, member.email, member.name, member.role, member.status, names, at]
        .map(quoted)
        .join(",");
    });
    return ["workspace_id,email,name,role,status,groups,captured_at", ...rows, ""].join("\n");
  }
}

function memberOf(truth: Truth, { email }: Who): Member {
  const folded = foldEmail(email);
  const member = truth.members.find((item) => item.email === folded);
  if (member === undefined) throw new InputError(`${email} is not in the workspace`, []);
  return member;
}

function needsPlan(truth: Truth, role: ClayRole): void {
  if (role === "viewer" && truth.workspace.plan !== "enterprise")
    throw new InputError("viewers are in the plan Enterprise", []);
}

function keepAnAdmin(truth: Truth, leaving: Member): void {
  const others = truth.members.filter(
    (item) => item !== leaving && item.role === "admin" && item.status === "active",
  );
  if (leaving.role === "admin" && others.length === 0)
    throw new InputError("a workspace needs an admin", []);
}
