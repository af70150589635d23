// The theme is the system's unless the reader chose one; the choice is kept in
// this browser only.
const key = "smolscope-theme";
const root = document.documentElement;

function apply(choice) {
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;
  else delete root.dataset.theme;
}

function remembered() {
  try {
    return localStorage.getItem(key) ?? "system";
  } catch {
    return "system"; // storage is switched off
  }
}

apply(remembered());

for (const label of document.querySelectorAll("[data-theme-switch]")) {
  const select = label.querySelector("select");
  select.value = remembered();
  label.hidden = false;
  select.addEventListener("change", () => {
    apply(select.value);
    try {
      localStorage.setItem(key, select.value);
    } catch {
      // the choice holds for this page
    }
  });
}
