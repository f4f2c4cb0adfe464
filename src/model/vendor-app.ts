/** How a vendor's app is installed into a workspace, and how that workspace calls back: as data and pure functions, written in its connector. */
export interface VendorApp {
  /** Where a browser goes to authorise; `baseUrl` is the API's, which says the region. */
  readonly authorizeUrl: (baseUrl: string) => string;
  /** Below the API's address: what takes the code. */
  readonly exchangePath: string;
  /** What the app of the credential has to have ticked, in the vendor's words, and for what. */
  readonly scopes: readonly { readonly scope: string; readonly operations: readonly string[] }[];
  /** The token of an answer; undefined: there is none. */
  readonly tokenOf: (answer: unknown) => string | undefined;
  /** Header and algorithm of the signature over the raw body, whose key is the app's secret; hex behind `prefix`. */
  readonly signature: {
    readonly header: string;
    readonly algorithm: "sha1" | "sha256";
    readonly prefix: string;
  };
  /** What a notice says; undefined: it cannot be read. */
  readonly noticeOf: (body: unknown) => VendorNotice | undefined;
}

export interface VendorNotice {
  /** The workspace that it is about. */
  readonly organizationId: string;
  readonly noticeId: string;
  readonly topic: string;
  /** ping: a test of the vendor · look: something changed that a look would show · other: nothing to do with us. */
  readonly means: "ping" | "look" | "other";
}
