// Keeps an open page fresh: the server says that something changed, the page is asked for again and its middle exchanged.
// Without this script every page works the same and is as fresh as its last load.
const place = document.getElementById("live");
const word = document.getElementById("live-state");

/** Somebody is at something: a field, an opened decision, a marked row. It is not taken from under their hands. */
function inUse() {
  const at = document.activeElement;
  return (
    (at !== null && at !== place && place.contains(at) && at.matches("input, select, textarea")) ||
    place.querySelector("details.decision[open], input[type=checkbox]:checked") !== null
  );
}

async function refresh() {
  if (inUse()) {
    word.textContent = "Something changed. Reload to see it.";
    return;
  }
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) {
    location.reload();
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = fresh.getElementById("live");
  if (next === null || inUse()) return;
  const open = new Set([...place.querySelectorAll("details[open][id]")].map((item) => item.id));
  const focused = document.activeElement?.id;
  place.replaceChildren(...next.childNodes);
  showAllBoxes();
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) document.getElementById(focused)?.focus();
}

if (place?.dataset.mark !== undefined && word !== null) {
  const stream = new EventSource(`/console/live?mark=${encodeURIComponent(place.dataset.mark)}`);
  let waiting;
  stream.addEventListener("open", () => {
    word.textContent = "Live";
  });
  stream.addEventListener("error", () => {
    word.textContent = "Not live: waiting for the service";
  });
  stream.addEventListener("changed", () => {
    clearTimeout(waiting);
    // Changes come in swarms.
    waiting = setTimeout(() => void refresh(), 150);
  });
  addEventListener("pagehide", () => stream.close());
}

// A box in the head of a list marks all of its rows; it shows only where this script runs.
function showAllBoxes() {
  for (const all of document.querySelectorAll("input[data-all]"))
    all.closest("label").hidden = false;
}
showAllBoxes();
document.addEventListener("change", (event) => {
  const all = event.target;
  if (!(all instanceof HTMLInputElement) || all.dataset.all === undefined) return;
  for (const box of all.form.querySelectorAll(`input[name="${all.dataset.all}"]`))
    box.checked = all.checked;
});
