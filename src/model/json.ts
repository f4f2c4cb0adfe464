/** What JSON can say. Stored documents are of this type; nothing untyped enters a room. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}
