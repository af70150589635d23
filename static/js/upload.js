// send uploads files, each {file, name}, shows how far it is, and puts what the
// server answers in place: the new run's page, or the receipt.
const dialog = document.querySelector("[data-drop-progress]");
const bar = dialog.querySelector("[data-drop-bar]");
const text = dialog.querySelector("[data-drop-text]");
const cancel = dialog.querySelector("[data-drop-cancel]");

const digits = { maximumSignificantDigits: 3 };
const megabytes = new Intl.NumberFormat("en", { ...digits, style: "unit", unit: "megabyte" });
const rate = new Intl.NumberFormat("en", { ...digits, style: "unit", unit: "megabyte-per-second" });

export function send(files) {
  if (files.length === 0 || dialog.open) return;
  const form = new FormData();
  for (const { file, name } of files) form.append("files", file, name);
  const request = new XMLHttpRequest();
  const began = performance.now();

  request.upload.addEventListener("progress", ({ loaded, total }) => {
    bar.value = total ? loaded / total : 0;
    const perSecond = loaded / 1e6 / Math.max((performance.now() - began) / 1e3, 0.001);
    text.textContent = `${megabytes.format(loaded / 1e6)} of ${megabytes.format(total / 1e6)} · ${rate.format(perSecond)}`;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    text.textContent = "Reading the files …";
  });
  request.addEventListener("load", () => finish(request));
  request.addEventListener("error", () => fail("The server did not answer. Is smolscope still running?"));
  request.addEventListener("abort", () => dialog.close());
  cancel.onclick = () => (request.readyState === XMLHttpRequest.DONE ? dialog.close() : request.abort());
  dialog.oncancel = () => request.abort();

  bar.value = 0;
  text.textContent = files.length === 1 ? "1 file" : `${files.length} files`;
  cancel.textContent = "Cancel";
  dialog.showModal();
  request.open("POST", "/upload");
  request.setRequestHeader("Accept", "text/html");
  request.send(form);
}

function finish(request) {
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const open = page.querySelector("[data-open]")?.dataset.open;
  if (open) {
    location.assign(open);
    return;
  }
  const main = page.querySelector("main");
  if (!main) {
    fail(`The server answered with status ${request.status} and no page.`);
    return;
  }
  dialog.close();
  history.pushState(null, "", "/upload");
  // Going back from here means loading what was there.
  addEventListener("popstate", () => location.reload());
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  main.focus();
  scrollTo(0, 0);
}

function fail(message) {
  bar.value = 0;
  text.textContent = message;
  cancel.textContent = "Close";
}
