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
    tooltip: { backgroundColor: "var(--panel)", borderColor: "var(--line-strong)", textStyle: { color: "var(--ink)" } },
  };
}

function draw(figure, option) {
  echarts.getInstanceByDom(figure)?.dispose();
  figure.classList.add("chart--drawn");
  const css = style();
  const chart = echarts.init(figure, coloured(theme(), css));
  // HTML tooltips need inline styles, which the content security policy forbids.
  const tooltip = { ...option.tooltip, renderMode: "richText" };
  chart.setOption(coloured({ ...option, tooltip }, css));
  return chart;
}

for (const figure of document.querySelectorAll("[data-chart]")) {
  const redraw = () => {
    const options = document.getElementById(figure.dataset.chart); // read anew: a live page gets others
    if (options) draw(figure, JSON.parse(options.textContent));
  };
  redraw();
  document.addEventListener("page:changed", redraw);
  new ResizeObserver(() => echarts.getInstanceByDom(figure)?.resize()).observe(figure);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
