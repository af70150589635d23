// Any figure opens its "why": what it is, its value in full, how it came about
// and what the file said instead. The page carries the answers as JSON, and a
// figure the number of its own as data-why.
const box = document.getElementById("why");
const part = (name) => box.querySelector(`.why__${name}`);
const figureOf = (node) => node.closest?.("[data-why]");
let open, wasOpen; // the figure whose answer is shown; the one it was when the pointer went down

// In tables a figure is reached by the arrows from its row's link, so that a
// page is not hundreds of stops long; elsewhere it is a stop itself.
export function decorate(root) {
  if (!box?.showPopover) return; // the plain tables say the same
  for (const figure of root.querySelectorAll("[data-why]")) {
    figure.setAttribute("role", "button");
    figure.setAttribute("aria-haspopup", "dialog");
    figure.tabIndex = figure.closest("tbody") ? -1 : 0;
  }
}

function fill(figure) {
  // Read anew each time: the page of a trace may have got another panel.
  const whys = JSON.parse(document.getElementById("whys").textContent);
  const why = whys.figures[figure.dataset.why];
  const column = whys.columns[why.column], origin = whys.origins?.[why.origin];
  const absent = origin?.kind === "absent";
  part("name").textContent = column.name;
  part("value").textContent = (!absent && figure.title) || figure.textContent;
  part("how").hidden = !origin;
  part("kind").textContent = part("kind").dataset.kind = origin?.kind ?? "";
  part("means").textContent = whys.kinds[origin?.kind] ?? "";
  part("from").textContent = origin?.from ?? "";
  part("from").hidden = !origin?.from;
  part("stored").hidden = !why.stored;
  part("stored").querySelector("del").textContent = why.stored ?? "";
  part("flags").hidden = !why.flags;
  part("flags").replaceChildren(...(why.flags ?? []).map((n) => {
    const item = document.createElement("li"), title = document.createElement("b");
    title.textContent = `${whys.flags[n].title}.`;
    item.append(title, ` ${whys.flags[n].text}`);
    return item;
  }));
  part("doc").textContent = column.doc;
}

// place puts the box under the figure, or above it where there is more room; on
// a narrow screen the style sheet lays it along the bottom.
function place(figure) {
  const at = figure.getBoundingClientRect(), gap = 6;
  const left = Math.min(Math.max(at.left, gap), innerWidth - box.offsetWidth - gap);
  const below = at.bottom + gap + box.offsetHeight <= innerHeight || at.top < innerHeight - at.bottom;
  const top = below ? at.bottom + gap : at.top - gap - box.offsetHeight;
  box.style.setProperty("--why-left", `${left}px`);
  box.style.setProperty("--why-top", `${Math.max(top, gap)}px`);
}

function show(figure) {
  fill(figure);
  open = figure;
  figure.focus({ preventScroll: true }); // where the focus comes back to
  box.showPopover();
  place(figure);
}

// step returns the figure that an arrow leads to from a row's link or a figure
// of a row: the next one of the row, or the same column of the next row.
function step(from, key) {
  const row = from.closest("[data-rows] tbody tr"), own = figureOf(from);
  if (!row) return null;
  const list = [...row.querySelectorAll("[data-why]")], link = row.querySelector("th a");
  const at = list.indexOf(own);
  switch (key) {
    case "ArrowRight":
      if (own) return list[at + 1] ?? null;
      return from === link && row.querySelector("[data-fold]")?.getAttribute("aria-expanded") !== "false" ? list[0] : null;
    case "ArrowLeft":
      return own ? list[at - 1] ?? link : null;
  }
  if (!own) return null;
  const cell = own.closest("td, th").cellIndex, next = key === "ArrowDown" ? "nextElementSibling" : "previousElementSibling";
  for (let r = row[next]; r; r = r[next]) {
    const figure = !r.hidden && r.cells[cell]?.querySelector("[data-why]");
    if (figure) return figure;
  }
  return own;
}

if (box?.showPopover) {
  decorate(document);
  box.addEventListener("toggle", (event) => { if (event.newState === "closed") open = null; });
  addEventListener("pointerdown", () => { wasOpen = open; }, true);
  addEventListener("click", (event) => {
    const figure = figureOf(event.target);
    if (figure && figure !== wasOpen && getSelection().isCollapsed && !event.defaultPrevented) show(figure);
    wasOpen = null;
  });
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || box.contains(event.target)) return;
    const figure = figureOf(event.target);
    if (figure && (event.key === "Enter" || event.key === " ")) show(figure);
    else {
      const to = event.key.startsWith("Arrow") && step(event.target, event.key);
      if (!to) return;
      to.focus({ preventScroll: true });
      to.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    event.preventDefault();
  });
}
