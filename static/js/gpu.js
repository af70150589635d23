// The strip of every page that says what the GPUs do now, and the page of the GPUs,
// which is asked for anew as readings come. What gets old says so.
import { on } from "./stream.js";
import { refresh } from "./live.js";

const fresh = 4400; // ms: looked at every 500, so that nothing of 5 s passes for new
const strip = document.querySelector("[data-gpu-strip]");
let heard = null; // when the last reading was taken, on this page's clock
let gone = false; // the GPUs cannot be read, as the server says

const sum = (gpus, name) => gpus.reduce((total, g) => (g[name] === undefined ? total : (total ?? 0) + g[name]), undefined);
const highest = (gpus, name) => gpus.reduce((most, g) => (g[name] === undefined ? most : Math.max(most ?? g[name], g[name])), undefined);

function say({ source, gpus }) {
  const known = gpus.filter((g) => g.gpu_utilization_percent !== undefined).length;
  const whole = (value, unit) => (value === undefined ? [] : [`${Math.round(value).toLocaleString("en-US")} ${unit}`]);
  const name = gpus.length === 1 ? (gpus[0].gpu_name ?? "GPU").replace(/^NVIDIA (GeForce )?/, "") : `${gpus.length} GPUs`;
  const label = { sim: ["simulated"], replay: ["replay"] }[source] ?? [];
  const [first, ...more] = [...(name.startsWith("simulated") ? [] : label), name];
  strip.querySelector("[data-gpu-name]").textContent = [first, ...more].join(" · ");
  strip.querySelector("[data-gpu-figures]").textContent = [
    ...whole(known ? sum(gpus, "gpu_utilization_percent") / known : undefined, "%"),
    ...whole(sum(gpus, "gpu_power_watts"), "W"), ...whole(highest(gpus, "gpu_temperature_celsius"), "°C"),
  ].map((text) => ` · ${text}`).join("");
  strip.hidden = false;
}

function old() {
  const age = heard === null ? null : performance.now() - heard;
  const stale = gone || age === null || age > fresh;
  strip?.classList.toggle("gpu-strip--stale", stale);
  const shown = document.querySelector("[data-gpu-age]");
  if (!shown) return;
  shown.textContent = age === null ? shown.textContent : `${age < 10_000 ? (age / 1000).toFixed(1) : Math.round(age / 1000)} s ago`;
  shown.classList.toggle("gpu-age--stale", stale);
  document.querySelector("[data-gpu-cards]")?.classList.toggle("gpus--stale", stale);
}

const page = () => location.pathname === "/gpu" && document.querySelector("[data-gpu-page]");
let asked = 0;

function renew(now) {
  if (!page() || (!now && performance.now() - asked < page().dataset.gpuPage - 100)) return;
  asked = performance.now();
  refresh();
}

on("gpu", (reading, age) => {
  gone = false;
  heard = performance.now() - age;
  if (strip) say(reading);
  old();
  renew(false);
});
on("status", ({ available }) => {
  gone = !available;
  old();
  renew(true);
});

const shown = document.querySelector("[data-gpu-age]");
if (shown) heard = performance.now() - Number(shown.dataset.gpuAge);
document.addEventListener("page:changed", old);
setInterval(old, 500);
