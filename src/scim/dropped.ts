const maxPaths = 50;
const maxPathLength = 200;

/**
 * What a request held that no schema of ours has: never an error (an IdP sends what its administrator mapped), but told, so
 * that it can be logged. Holds paths, never values; at most 50 of them, so that a hostile body cannot fill a log.
 */
export class Dropped {
  private readonly found = new Set<string>();

  add(path: string): void {
    if (this.found.size < maxPaths) {
      this.found.add(path.slice(0, maxPathLength).toWellFormed().replaceAll("\0", "\uFFFD"));
    }
  }

  get paths(): readonly string[] {
    return [...this.found];
  }
}
