// Pages of runs that are being received keep up with them: when the server says
// that a run of this page has changed, the page is asked for again and becomes
// what it is now, in place, so that nothing that is read or open moves.
import { decorate as explain } from "./why.js";

const soon = 300; // ms, within which changes are one
let stream, waiting, loading;

const here = () => decodeURIComponent(location.pathname);

function shows(url) {
  const run = decodeURIComponent(url);
  return here() === "/" || here() === run || here().startsWith(`${run}/`);
}

async function refresh() {
  waiting = null;
  if (loading) return; // the page would be asked for faster than it comes
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) await become(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* the server went away; the stream comes back when it does */ }
  loading = false;
}

async function become(page) {
  const { Idiomorph } = await import("/static/dist/morph.js");
  const whys = document.getElementById("whys"), fresh = page.getElementById("whys");
  if (whys && fresh) whys.textContent = fresh.textContent;
  document.title = page.title;
  Idiomorph.morph(document.getElementById("main"), page.getElementById("main"), {
    ignoreActiveValue: true,
    callbacks: {
      // What a reader has opened or ticked stays so, and what a script has drawn is
      // drawn anew by it.
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.localName === "details") && name !== "checked",
      beforeNodeMorphed: (node) => !node.matches?.("[data-chart]"),
    },
  });
  explain(document);
  document.dispatchEvent(new Event("page:changed"));
}

function changed(event) {
  if (!shows(JSON.parse(event.data).url)) return;
  if (document.querySelector("[data-trace]")) { // its scripts hold on to its rows
    document.querySelector("[data-grown]").hidden = false;
    return;
  }
  waiting ??= setTimeout(refresh, soon);
}

// A stream is open only while someone looks: browsers allow a server few.
function follow() {
  if (document.hidden || here() === "/upload" || here() === "/preview") {
    stream?.close();
    stream = null;
  } else if (!stream) {
    stream = new EventSource("/gpu/events");
    stream.addEventListener("run", changed);
  }
}

document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", () => { stream?.close(); stream = null; });
addEventListener("pageshow", follow);
addEventListener("preview:open", follow);
follow();
