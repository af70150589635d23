// The filter bar completes the word that is being written: a list of a browser
// completes a whole field only, so what stands before the word goes into each offer.
const words = new Map(); // of each list, as the page came

function offer(input) {
  const list = input.list;
  if (!list) return;
  if (!words.has(list)) words.set(list, [...list.options].map((o) => o.value));
  const at = input.value.lastIndexOf(" ") + 1;
  const before = input.value.slice(0, at), word = input.value.slice(at).replace(/^-/, "");
  const sign = input.value.startsWith("-", at) ? "-" : "";
  list.replaceChildren(...words.get(list).filter((w) => w.startsWith(word)).map((w) => {
    const option = document.createElement("option");
    option.value = before + sign + w;
    return option;
  }));
}

addEventListener("input", (event) => {
  if (event.target.matches?.("[data-filter]")) offer(event.target);
});
