import type { Invitation, VendorTruth } from "./final-check.ts";

/** The four vendors of the demo as the story needs them. They live in the driver's process: a crash of the service is no crash of theirs. */
export interface DemoVendors {
  /** Vendor → base URL, as the service is told. */
  readonly urls: Readonly<Record<string, string>>;
  /** Credential name → secret, as an operator seals them. */
  readonly credentials: Readonly<Record<string, string>>;
  /** People accept what is in their mailbox; answers how many did. */
  acceptInvitations(whom: (email: string) => boolean): number;
  openInvitations(): readonly string[];
  /** Time passes for one invitation alone. */
  expireInvitation(email: string): void;
  /** Anthropic answers 429 to the next calls and 503 for some domain seconds. */
  stumble(forMs: number): void;
  /** The next invitation is made and its answer is lost. */
  loseNextInvitationAnswer(): void;
  /** One line of a task about Clay, clicked on its pages. */
  click(
    email: string,
    line: { readonly kind: string; readonly objectId: string; readonly roleTo: string | null },
  ): void;
  /** Clay's members as somebody copies them, and the same without the moment. */
  roster(): { readonly csv: string; readonly shows: string };
  /** Every invitation that came to be for an address, oldest first, for "no duplicate". */
  invitationsOf(email: string): readonly Invitation[];
  truth(): readonly VendorTruth[];
  close(): Promise<void>;
}
