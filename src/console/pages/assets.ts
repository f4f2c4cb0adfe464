import { fileURLToPath } from "node:url";
import express, { type Router } from "express";

/** Each file that a browser may have, by its name; nothing else of the folders they lie in is served. */
const files = {
  "pico.css": fileURLToPath(import.meta.resolve("@picocss/pico/css/pico.min.css")),
  "console.css": fileURLToPath(new URL("./static/console.css", import.meta.url)),
  "live.js": fileURLToPath(new URL("./static/live.js", import.meta.url)),
  "icon.svg": fileURLToPath(new URL("./static/icon.svg", import.meta.url)),
} as const;

export function assetRouter(): Router {
  const router = express.Router();
  for (const [name, path] of Object.entries(files)) {
    router.get(`/${name}`, (_request, response) => {
      response.sendFile(path, {
        // Checked by its tag each time: an upgrade shows at once.
        cacheControl: false,
        headers: { "Cache-Control": "no-cache" },
        dotfiles: "allow",
      });
    });
  }
  return router;
}
