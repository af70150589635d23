// The trace page: spans open beside the time line without loading the page
// anew, subtrees fold, and the panel's parts become tabs.
import { go } from "./keys.js";
import { decorate as explain } from "./why.js";

const trace = document.querySelector("[data-trace]");
const all = [...trace.querySelectorAll("tbody tr")];
const level = (row) => Number(row.dataset.level);
const foldButton = (row) => row.querySelector("[data-fold]");

// Folding: a row is hidden while any row above it is folded.
function layOut() {
  let foldedAt = Infinity;
  for (const row of all) {
    if (level(row) <= foldedAt) foldedAt = Infinity;
    row.hidden = foldedAt !== Infinity;
    if (foldedAt === Infinity && foldButton(row)?.getAttribute("aria-expanded") === "false") foldedAt = level(row);
  }
}

function fold(row, on) {
  const button = foldButton(row);
  button?.setAttribute("aria-expanded", String(!on));
  button?.setAttribute("aria-label", on ? "Unfold" : "Fold");
}

for (const button of trace.querySelectorAll(".row__fold")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    fold(button.closest("tr"), button.getAttribute("aria-expanded") === "true");
    layOut();
  });
}

function foldAll(on) {
  for (const row of all) fold(row, on && level(row) > 1);
  layOut();
}

function nextError() {
  const failed = all.filter((row) => "failed" in row.dataset);
  const at = all.findIndex((row) => row.classList.contains("row--at") || row.hasAttribute("aria-current"));
  const next = failed.find((row) => all.indexOf(row) > at) ?? failed[0];
  if (!next) return;
  foldAll(false);
  go(next);
  next.querySelector("[data-span]").click();
}

const tools = trace.querySelector("[data-fold-tools]");
tools.hidden = false;
tools.querySelector("[data-fold-all]").addEventListener("click", () => foldAll(true));
tools.querySelector("[data-unfold-all]").addEventListener("click", () => foldAll(false));
tools.querySelector("[data-next-error]").addEventListener("click", nextError);
tools.querySelector("[data-next-error]").hidden = !all.some((row) => "failed" in row.dataset);

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, summary, dialog")) return;
  const row = event.target.closest?.("tbody tr") ?? trace.querySelector(".row--at");
  if (event.key === "[") foldAll(true);
  else if (event.key === "]") foldAll(false);
  else if (event.key === "e") nextError();
  else if (event.key === "Escape" && !document.querySelector(":popover-open")) trace.querySelector("[data-panel-close]")?.click();
  else if ((event.key === "ArrowLeft" || event.key === "ArrowRight") && row && foldButton(row)) {
    fold(row, event.key === "ArrowLeft");
    layOut();
  } else return;
  event.preventDefault();
});

// Opening a span: fetch its page and put its panel in place of this one's.
async function open(href, push) {
  const old = trace.querySelector("[data-panel]");
  old.classList.add("trace__panel--waiting");
  try {
    const answer = await fetch(href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const panel = page.querySelector("[data-panel]");
    old.replaceWith(panel);
    decorate(panel);
    // The numbers of the rows' answers stay: those of the panel follow them.
    const answers = page.getElementById("whys");
    if (answers) document.getElementById("whys")?.replaceWith(answers);
    explain(panel);
  } catch {
    location.assign(href); // the page itself says what is wrong
    return;
  }
  if (push) history.pushState({ span: href }, "", href);
  const id = new URL(href, location.href).searchParams.get("span");
  for (const row of all) {
    const selected = row.querySelector("[data-span]").dataset.span === id;
    row.classList.toggle("row--selected", selected);
    if (selected) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

trace.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const link = event.target.closest("[data-span], [data-panel-close]");
  if (!link) return;
  event.preventDefault();
  open(link.href, true);
});
addEventListener("popstate", () => open(location.href, false));

// The panel: its parts as tabs, and a search over the attributes.
let current = "#span-content";

function decorate(panel) {
  const nav = panel.querySelector("[data-tabs]");
  if (!nav) return;
  const links = [...nav.querySelectorAll("a")];
  const show = (hash) => {
    current = hash;
    for (const link of links) {
      const on = link.getAttribute("href") === hash;
      if (on) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
      panel.querySelector(link.getAttribute("href")).hidden = !on;
    }
  };
  panel.classList.add("panel--tabbed");
  show(current);
  nav.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    show(link.getAttribute("href"));
  });
  for (const button of panel.querySelectorAll("[data-copy]")) button.hidden = !navigator.clipboard;
  for (const box of panel.querySelectorAll("[data-filter]")) filter(box);
}

function filter(box) {
  const field = box.querySelector("[data-filter-field]");
  if (!field) return;
  field.hidden = false;
  field.querySelector("input").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    let matches = 0;
    for (const item of box.querySelectorAll("[data-filter-item]")) {
      item.hidden = !item.textContent.toLowerCase().includes(wanted);
      matches += item.hidden ? 0 : 1;
    }
    box.querySelector("[data-filter-none]").hidden = matches > 0;
  });
}

decorate(trace.querySelector("[data-panel]"));
