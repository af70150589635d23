// Draws every [data-chart] figure from the options that the page carries as
// JSON, in the colours of the theme, and draws it again when the theme changes.
import * as echarts from "/static/dist/echarts.js";

const style = () => getComputedStyle(document.documentElement);

// "var(--x)" stands for a colour wherever it occurs in the options.
function coloured(value, css) {
  if (typeof value === "string") {
    const name = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
    return name ? css.getPropertyValue(name).trim() : value;
  }
  if (Array.isArray(value)) return value.map((v) => coloured(v, css));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, css)]));
  }
  return value;
}

function theme() {
  const ink = "var(--ink-2)", line = "var(--line)";
  const axis = {
    axisLine: { lineStyle: { color: "var(--line-strong)" } },
    axisTick: { lineStyle: { color: "var(--line-strong)" } },
    axisLabel: { color: ink },
    nameTextStyle: { color: ink, align: "center" },
    splitLine: { lineStyle: { color: line } },
  };
  return {
    textStyle: { fontFamily: style().getPropertyValue("--sans") },
    legend: { textStyle: { color: ink } },
    categoryAxis: { ...axis, splitLine: { show: false } },
    valueAxis: axis,
    timeAxis: { ...axis, splitLine: { show: false } },
    tooltip: { backgroundColor: "var(--panel)", borderColor: "var(--line-strong)", textStyle: { color: "var(--ink)" } },
  };
}

function draw(figure, option, anew) {
  if (anew) echarts.getInstanceByDom(figure)?.dispose();
  figure.classList.add("chart--drawn");
  const css = style();
  // A chart whose figures have changed stays as it is looked at.
  const chart = echarts.getInstanceByDom(figure) ?? echarts.init(figure, coloured(theme(), css));
  // HTML tooltips need inline styles, which the content security policy forbids.
  const tooltip = { ...option.tooltip, renderMode: "richText" };
  chart.setOption(coloured({ ...option, tooltip }, css), { replaceMerge: ["series"] });
  return chart;
}

const drawn = new WeakSet();

function decorate(figure) {
  const redraw = (anew) => {
    const options = document.getElementById(figure.dataset.chart); // read anew: a live page gets others
    if (options && figure.isConnected) draw(figure, JSON.parse(options.textContent), anew);
  };
  redraw(true);
  document.addEventListener("page:changed", () => redraw(false));
  new ResizeObserver(() => echarts.getInstanceByDom(figure)?.resize()).observe(figure);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(true));
  new MutationObserver(() => redraw(true)).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}

// A live page may get charts that it did not have.
function all() {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    if (drawn.has(figure)) continue;
    drawn.add(figure);
    decorate(figure);
  }
}

all();
document.addEventListener("page:changed", all);
