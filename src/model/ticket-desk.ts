/** A help desk where work by hand is opened as tickets. Its writes pass the gate of its connection. */
export interface TicketDesk {
  /** What people call it: `intercom`. */
  readonly name: string;
  /** Open tickets whose title holds a mark of ours. @throws SyncError where they cannot be read whole */
  listOpen(): Promise<readonly MarkedTicket[]>;
  /** Undefined: deleted. */
  stateOf(ticketId: string): Promise<"open" | "resolved" | "closed" | undefined>;
  /** The mark goes into the title. Undefined: the gate said no, or an earlier attempt has no outcome yet; it is asked again at the next look. */
  open(wish: {
    readonly mark: string;
    readonly title: string;
    readonly text: string;
  }): Promise<Pick<MarkedTicket, "ticketId" | "shownId"> | undefined>;
  close(ticket: MarkedTicket): Promise<void>;
}

export interface MarkedTicket {
  readonly ticketId: string;
  readonly shownId: string;
  readonly mark: string;
}
