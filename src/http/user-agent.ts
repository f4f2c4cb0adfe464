import manifest from "../../package.json" with { type: "json" };

/** What we call ourselves to vendors; some edges block the default names of clients. */
export const userAgent = `rolecall/${manifest.version}`;
