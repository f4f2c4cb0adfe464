/** Detail keywords of RFC 7644 section 3.12, table 9, and of RFC 9865 section 2. */
export type ScimType =
  | "invalidFilter"
  | "tooMany"
  | "uniqueness"
  | "mutability"
  | "invalidSyntax"
  | "invalidPath"
  | "noTarget"
  | "invalidValue"
  | "invalidVers"
  | "invalidCursor"
  | "sensitive";

export interface ScimErrorBody {
  readonly schemas: readonly ["urn:ietf:params:scim:api:messages:2.0:Error"];
  /** The HTTP status as text, as the RFC wants it. */
  readonly status: string;
  readonly scimType?: ScimType;
  readonly detail: string;
}

/**
 * Everything that a SCIM client may be told to have gone wrong. `detail` is shown to the IdP's administrator: it names
 * the attribute or the position, what was got and what to send instead, and holds no secret.
 */
export class ScimError extends Error {
  override readonly name = "ScimError";
  /** Any HTTP status: 405, 415, 429 and 503 too, which the RFC's table leaves out. */
  readonly status: number;
  readonly scimType: ScimType | undefined;
  /** Sent with the answer, for example `retry-after` in whole seconds or `www-authenticate`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    scimType: ScimType | undefined,
    detail: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
    this.headers = headers;
  }

  get detail(): string {
    return this.message;
  }

  /** The same error, told where it happened. */
  within(place: string): ScimError {
    return new ScimError(this.status, this.scimType, `${place}: ${this.message}`, this.headers);
  }

  toBody(): ScimErrorBody {
    return {
      schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
      status: String(this.status),
      ...(this.scimType === undefined ? {} : { scimType: this.scimType }),
      detail: this.message,
    };
  }
}
