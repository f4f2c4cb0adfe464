/** Every body, unless it writes a group. */
export const maxBodyBytes = 1_048_576;
/** A group write may carry a hundred thousand members. */
export const maxGroupBodyBytes = 33_554_432;
/** Group writes above `maxBodyBytes` that are read or worked on at one time. */
export const maxLargeBodies = 2;
/** For a client that came while all places for large bodies were taken. */
export const largeBodyRetrySeconds = 5;
/** For a client that came while the store could not be written or a resource was changing all the time. */
export const storeRetrySeconds = 5;
/** Comparisons in one filter. */
export const maxComparisons = 100;
/** Conditions in one filter that no index answers. */
export const maxScans = 10;
/** People whose documents are read for one filter or order that no index answers. */
export const maxScannedDocuments = 200_000;
/** Members read, held and sent at once. */
export const memberPageSize = 1_000;
/** Of a response to a group write: with more members than this, `members` is left out unless it was asked for. */
export const maxEchoedMembers = 1_000;
/** Of all groups of one list page: with more members than this the page is sent in pieces. */
export const maxBufferedMembers = 2_000;
/** How often a change is repeated on a newer version before the client is asked to come again. */
export const maxAttempts = 5;

/** A fixed number of places; nobody waits in line. */
export class Places {
  private free: number;

  constructor(size: number) {
    this.free = size;
  }

  /** Answers how to leave again (once), or undefined when all places are taken. */
  enter(): (() => void) | undefined {
    if (this.free === 0) return undefined;
    this.free -= 1;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.free += 1;
    };
  }
}
