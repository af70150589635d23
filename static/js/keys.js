// Keys for every page: rows, neighbours, places to go, help. Also the copy
// buttons.
const help = document.querySelector("[data-key-help]");
for (const hint of document.querySelectorAll("[data-keys-hint]")) hint.hidden = false;

const rows = () => [...document.querySelectorAll("[data-rows] tbody tr:not([hidden])")].filter((r) => r.querySelector("th a"));
let prefix = "";

// move goes n rows on from the one that has the focus, or was last at hand.
function move(n) {
  const list = rows();
  if (list.length === 0) return;
  const at = list.findIndex((r) => r.contains(document.activeElement) || r.classList.contains("row--at"));
  const selected = list.findIndex((r) => r.hasAttribute("aria-current"));
  const from = at >= 0 ? at : selected;
  go(list[from < 0 ? 0 : Math.min(Math.max(from + n, 0), list.length - 1)]);
}

export function go(row) {
  document.querySelector(".row--at")?.classList.remove("row--at");
  row.classList.add("row--at");
  row.querySelector("th a").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

const follow = (selector) => document.querySelector(selector)?.click();

const actions = {
  j: () => move(1),
  k: () => move(-1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  p: () => follow("[rel=prev]"),
  n: () => follow("[rel=next]"),
  u: () => follow("[data-drop-open]"),
  "/": () => document.querySelector("[data-filter]")?.focus(),
  "?": () => help.showModal(),
};

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea, summary, dialog");
  if (event.defaultPrevented || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = prefix + event.key;
  prefix = event.key === "g" && prefix === "" ? "g " : "";
  // Arrows belong to a table once it is entered, and else scroll the page.
  if (event.key.startsWith("Arrow") && !event.target.closest?.("[data-rows]")) return;
  const link = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const action = actions[key] ?? (link && (() => link.click()));
  if (!action) return;
  event.preventDefault();
  action();
});

addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("copy--done");
  setTimeout(() => button.classList.remove("copy--done"), 1200);
});

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;
}
