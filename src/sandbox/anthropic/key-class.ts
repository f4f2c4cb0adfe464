import { z } from "zod";

/** Scopes that a route may ask for. `org:admin` stands for everything that only Console organisations have. */
export const scopes = [
  "read:members",
  "write:members",
  "read:rbac_groups",
  "write:rbac_groups",
  "org:admin",
] as const;
export type Scope = (typeof scopes)[number];

export const keyClassSchema = z.enum(["console-admin", "scoped", "oauth"]);
export type KeyClass = z.infer<typeof keyClassSchema>;

interface KeyClassFacts {
  readonly prefix: string;
  /** What every key of the class may do; undefined: chosen when the key is made. */
  readonly scopes: readonly Scope[] | undefined;
  readonly headers: readonly ("x-api-key" | "authorization")[];
}

/**
 * Kinds of credential (user management guide, 2026-08; SDK 1.12.0 sends API keys as bearer tokens too).
 * Console admin keys have no selectable scopes; Enterprise keys get theirs at creation; OAuth tokens are bearer tokens only.
 */
export const keyClasses: Readonly<Record<KeyClass, KeyClassFacts>> = {
  "console-admin": {
    prefix: "sk-ant-admin01-",
    scopes,
    headers: ["x-api-key", "authorization"],
  },
  scoped: { prefix: "sk-ant-api01-", scopes: undefined, headers: ["x-api-key", "authorization"] },
  oauth: { prefix: "sk-ant-oat01-", scopes, headers: ["authorization"] },
};
