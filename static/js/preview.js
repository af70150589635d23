// Shows the runs of dropped files before anything is uploaded. Files are handed
// to it as an event of the top window; a worker reads them and renders the pages,
// each of which is shown in a frame under a bar that says so.
import { progress, send } from "./upload.js";
import { setSource } from "./source.js";

const most = 1e9; // bytes; more would not fit in a browser's memory
const box = document.querySelector("[data-preview]");
const framed = window !== window.top;
let worker, kept = [], waiting = new Map(), asked = 0, turn = 0;

// Drops are uploaded at once if the reader said so, in this browser only.
const key = "smolscope-upload";
const remembered = () => { try { return localStorage.getItem(key) === "at once"; } catch { return false; } };

for (const line of document.querySelectorAll("[data-upload-switch]")) {
  const field = line.querySelector("input");
  line.hidden = false;
  field.checked = remembered();
  field.addEventListener("change", () => {
    try {
      if (field.checked) localStorage.setItem(key, "at once");
      else localStorage.removeItem(key);
    } catch { /* storage is switched off: previews stay */ }
  });
}

// take shows files, or uploads them where a preview is not wanted or cannot be.
export function take(files) {
  if (framed) window.top.dispatchEvent(new CustomEvent("preview:files", { detail: files }));
  else if (files.length > 0) open(files);
}

async function open(files) {
  if (remembered()) return send(files);
  const all = [...kept, ...files];
  const bytes = all.reduce((sum, { file }) => sum + file.size, 0);
  if (!self.WebAssembly?.instantiateStreaming) return send(files, "This browser cannot read files by itself, so they are uploaded.");
  if (bytes > most) return send(files, "Files of more than 1 GB do not fit in a preview, so they are uploaded.");
  const { modules } = await import("/static/dist/wasm.js");
  const module = (await Promise.all(all.map(mayBeParquet))).some(Boolean) ? modules.parquet : modules.preview;
  read(module, all, bytes);
}

// Archives may hold Parquet too.
async function mayBeParquet({ file, name }) {
  const head = await file.slice(0, 4).text();
  return head === "PAR1" || head === "PK\x03\x04" || /\.(tar|tgz|tar\.\w+)$/i.test(name);
}

function read(module, all, bytes) {
  const reading = new Worker("/static/js/worker.js", { type: "module" });
  const shown = progress("Reading in this tab", () => { reading.terminate(); shown.close(); });
  const failed = (text) => { reading.terminate(); shown.fail(`The files could not be read here: ${text}`); };
  reading.onerror = (event) => failed(event.message ?? "the program did not load.");
  reading.onmessage = ({ data }) => {
    if (data.error) failed(data.error);
    else if ("done" in data) shown.at(Math.min(data.done, bytes), bytes);
    else if (data.open) {
      worker?.terminate();
      worker = reading;
      worker.onmessage = answered;
      kept = all;
      shown.close();
      go(data.open, "pushState");
    }
  };
  reading.postMessage({ module, files: all, settings: document.getElementById("preview-settings").textContent });
}

function answered({ data }) {
  waiting.get(data.id)?.(data);
  waiting.delete(data.id);
}

const ask = (address) => new Promise((resolve) => {
  waiting.set(++asked, resolve);
  worker.postMessage({ id: asked, address });
});

async function get(url) {
  const { pathname, search } = new URL(url, location.href);
  const { status, type, body } = await ask(pathname + search);
  return new Response(body, { status, headers: { "Content-Type": type } });
}

// go shows a page of the preview, or saves what is no page.
async function go(address, change) {
  const mine = ++turn, answer = await ask(address);
  if (answer.name) return save(answer);
  if (mine !== turn) return; // the reader went on before it came
  for (const late of box.querySelectorAll("iframe[data-late]")) late.remove();
  if (change) history[change]({ preview: address }, "", `/preview#${address}`);
  const frame = document.createElement("iframe"), old = box.querySelector("iframe");
  frame.className = "preview__page";
  frame.srcdoc = new TextDecoder().decode(answer.body);
  frame.dataset.late = "";
  frame.dataset.address = address;
  frame.addEventListener("load", () => {
    const page = frame.contentDocument;
    if (!page) return; // it was removed before it came
    document.title = frame.title = page.title;
    page.addEventListener("click", follow, true);
    page.addEventListener("submit", submit);
    if (change === "replaceState") frame.contentWindow.scrollTo(0, old?.contentWindow.scrollY ?? 0);
    new MutationObserver(() => {
      const { theme } = page.documentElement.dataset;
      if (theme) document.documentElement.dataset.theme = theme;
      else delete document.documentElement.dataset.theme;
    }).observe(page.documentElement, { attributeFilter: ["data-theme"] });
    delete frame.dataset.late;
    old?.remove();
    frame.focus();
  });
  box.append(frame);
  show(true);
}

function show(on) {
  box.hidden = !on;
  for (const part of document.querySelectorAll("body > header, body > main, body > footer")) part.inert = on;
  dispatchEvent(new Event("preview:open"));
}

function save({ name, type, body }) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([body], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// follow keeps links within the preview: their pages are not on the server.
function follow(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const url = new URL(link.href, location.href), page = event.currentTarget;
  if (url.origin !== location.origin) return;
  event.preventDefault();
  if (link.getAttribute("href").startsWith("#")) {
    page.getElementById(decodeURIComponent(url.hash.slice(1)))?.scrollIntoView();
    return;
  }
  event.stopImmediatePropagation();
  if ("dropOpen" in link.dataset) return choose();
  const here = new URL(history.state?.preview ?? "/", location.href);
  go(url.pathname + url.search, here.pathname === url.pathname ? "replaceState" : "pushState");
}

// submit asks what a form asks of the preview, such as a filter.
function submit(event) {
  event.preventDefault();
  const form = event.target;
  if (form.method === "get") go(`${new URL(form.action).pathname}?${new URLSearchParams(new FormData(form))}`, "pushState");
}

function choose() {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = true;
  input.addEventListener("change", () => take([...input.files].map((file) => ({ file, name: file.name }))));
  input.click();
}

if (framed) {
  setSource((url) => window.top.document.querySelector("[data-preview]").get(url));
} else if (box) {
  box.get = get;
  addEventListener("preview:files", ({ detail }) => take(detail));
  addEventListener("popstate", ({ state }) => {
    if (state?.preview && worker) go(state.preview);
    else if (worker) location.reload(); // the page before the preview, or after it
  });
  box.querySelector("[data-preview-upload]").addEventListener("click", () => send(kept));
  navigator.serviceWorker?.register("/static/js/sw.js", { scope: "/", type: "module" }).catch(() => {}); // previews then need the server's files
}
