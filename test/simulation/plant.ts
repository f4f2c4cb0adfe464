import { registerHooks } from "node:module";

/** One guard taken out of the sources, as a change of text: what the simulation has to notice. */
export interface PlantedBug {
  readonly name: string;
  /** Below `src/`. */
  readonly file: string;
  /** Exactly once in the file; gone: the list has to follow the code. */
  readonly search: string;
  readonly replace: string;
}

/** @throws Error when the text is not in the source exactly once */
export function withBug(bug: PlantedBug, source: string): string {
  const found = source.split(bug.search).length - 1;
  if (found !== 1) {
    throw new Error(
      `planted bug "${bug.name}": its text is ${String(found)} times in src/${bug.file}, and must be there once: ${bug.search}`,
    );
  }
  return source.replace(bug.search, () => bug.replace);
}

/** From now on this thread loads the file with the bug in it. */
export function plantBug(bug: PlantedBug): void {
  const suffix = `/src/${bug.file}`;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(suffix)) return loaded;
      return { ...loaded, source: withBug(bug, String(loaded.source)) };
    },
  });
}
