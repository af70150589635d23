// Files dropped anywhere, or chosen in a form, are read here and shown, or sent
// where the reader wants that.
import { take } from "./preview.js";

const overlay = document.querySelector("[data-drop-overlay]");
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
let depth = 0;

// Entering a child comes before leaving its parent, so the depths are counted.
addEventListener("dragenter", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  overlay.hidden = ++depth <= 0;
});
addEventListener("dragleave", (event) => {
  if (holdsFiles(event)) overlay.hidden = --depth <= 0;
});
addEventListener("dragover", (event) => {
  if (holdsFiles(event)) event.preventDefault();
});
addEventListener("drop", async (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  overlay.hidden = true;
  depth = 0;
  // Entries die with the event: take them before the first await.
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = entries.length
    ? (await Promise.all(entries.map(read))).flat()
    : [...event.dataTransfer.files].map((file) => ({ file, name: file.name }));
  take(files);
});

// read lists the files of a dropped entry with their paths within it.
async function read(entry) {
  const name = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader hands out a hundred entries at a time, and none at the end.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) break;
    found.push(...some);
  }
  return (await Promise.all(found.filter((e) => !e.name.startsWith(".")).map(read))).flat();
}

// The forms of a receipt arrive after this script ran, so listen above them.
addEventListener("change", (event) => {
  const form = event.target.closest?.("[data-drop-form]");
  if (!form || event.target.type !== "file" || event.target.files.length === 0) return;
  const files = [...event.target.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  form.reset();
  take(files);
});
