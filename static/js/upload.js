// Uploads files, each {file, name}, shows how far it is, and puts what the server
// answers in place: the new run's page, or the receipt.
const dialog = document.querySelector("[data-drop-progress]");
const bar = dialog.querySelector("[data-drop-bar]");
const text = dialog.querySelector("[data-drop-text]");
const cancel = dialog.querySelector("[data-drop-cancel]");

const digits = { maximumSignificantDigits: 3 };
const megabytes = new Intl.NumberFormat("en", { ...digits, style: "unit", unit: "megabyte" });
const rate = new Intl.NumberFormat("en", { ...digits, style: "unit", unit: "megabyte-per-second" });

// progress opens the dialog that says how far something is; cancel is called when
// the reader has enough of it.
export function progress(title, cancelled) {
  const began = performance.now();
  dialog.querySelector("h2").textContent = title;
  bar.value = 0;
  text.textContent = "";
  cancel.textContent = "Cancel";
  cancel.onclick = cancelled;
  dialog.oncancel = cancelled;
  dialog.showModal();
  return {
    at(done, total) {
      const seconds = Math.max((performance.now() - began) / 1e3, 0.001), left = seconds * (total - done) / done;
      bar.value = total ? done / total : 0;
      text.textContent = `${megabytes.format(done / 1e6)} of ${megabytes.format(total / 1e6)} · ${rate.format(done / 1e6 / seconds)}`
        + (left >= 1 && left < Infinity ? ` · ${Math.ceil(left)} s left` : "");
    },
    close: () => dialog.close(),
    fail,
  };
}

// send uploads files, and says why if they were to be shown here first.
export function send(files, why = "") {
  if (files.length === 0 || dialog.open) return;
  const form = new FormData();
  for (const { file, name } of files) form.append("files", file, name);
  const request = new XMLHttpRequest();
  const shown = progress("Uploading", () => (request.readyState === XMLHttpRequest.DONE ? dialog.close() : request.abort()));
  text.textContent = why || (files.length === 1 ? "1 file" : `${files.length} files`);
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    shown.at(loaded, total);
    if (why) text.textContent += ` · ${why}`;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    text.textContent = "Reading the files …";
  });
  request.addEventListener("load", () => finish(request));
  request.addEventListener("error", () => fail("The server did not answer. Is smolscope still running?"));
  request.addEventListener("abort", () => dialog.close());
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
  document.querySelector("[data-preview]")?.remove();
  for (const part of document.querySelectorAll("[inert]")) part.inert = false;
  history.pushState(null, "", "/upload");
  // Going back from here means loading what was there.
  addEventListener("popstate", () => location.reload());
  document.title = page.title;
  document.querySelector("main").replaceWith(main);
  main.focus();
  scrollTo(0, 0);
}

function fail(message) {
  cancel.onclick = () => dialog.close();
  bar.value = 0;
  text.textContent = message;
  cancel.textContent = "Close";
}
