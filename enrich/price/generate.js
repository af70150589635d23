// Turns the prices of the npm package @pydantic/genai-prices into list.tsv (run
// by `make prices`): exact names only, providers under OpenTelemetry's names.
import { readFile, writeFile } from "node:fs/promises";
import { calcPrice, waitForUpdate } from "@pydantic/genai-prices";

// published has the day each version came out, which the package does not say.
const published = { "0.1.8": "2026-09-23" };

// renamed has the providers whose names differ from OpenTelemetry's (spec §2.4).
const renamed = {
  aws: "aws.bedrock",
  azure: "azure.ai.openai",
  google: "gcp.gemini",
  mistral: "mistral_ai",
  moonshotai: "moonshot_ai",
  together: "together_ai",
  "x-ai": "x_ai",
};
const nameOf = (id) => renamed[id] ?? id;

// What Hugging Face passes on is left out: a trace that says huggingface does
// not say who ran the model, nor whether it ran at home.
const left = (provider) => provider.id.startsWith("huggingface_");

// Fees that tokens do not show: such a price would be too low.
const fees = ["requests_kcount", "output_citation_mtok"];

const columns = ["input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "output_reasoning_mtok"];
const cmp = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

// The package itself says which model a name leads to, so that a name counts
// only for the model that wins it.
function owner(provider, name) {
  return calcPrice({}, name, { providerId: provider.id, timestamp: new Date(0) })?.model;
}

function equals(clause) {
  return clause.or ? clause.or.flatMap(equals) : clause.equals ? [clause.equals] : [];
}

// names returns the exact names of a model: its id, what its clauses equal, and
// the id without what only the list's authors or a release put there, where
// the package agrees.
function names(provider, model) {
  const bare = model.id.replace(/^regional\./, "");
  const sure = [...equals(model.match), bare].filter((name) => [model, undefined].includes(owner(provider, name)));
  const short = [bare.replace(/-v\d+(:\d+)?$/, ""), bare.replace(/-(latest|\d{8}|\d{4}-\d{2}-\d{2})$/, "")];
  return [...sure, ...short.filter((name) => owner(provider, name) === model)]
    .map((name) => name.trim().toLowerCase())
    .filter((name) => !/[-.:]$/.test(name));
}

const base = (price) => price?.base ?? price;

// tiers writes what changes above each number of input tokens.
function tiers(prices) {
  const starts = new Set(columns.flatMap((c) => prices[c]?.tiers?.map((t) => t.start) ?? []));
  return [...starts]
    .sort((a, b) => a - b)
    .map((start) => `${start}:` + columns.map((c) => prices[c]?.tiers?.find((t) => t.start === start)?.price ?? "").join("/"))
    .join(" ");
}

// dated returns what a model cost from which day on, and in which hours. A
// window of the day came with the price before it in the package's list.
function* dated(model) {
  let from = "";
  for (const { constraint: when, prices } of Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }]) {
    let hours = "";
    if (when?.type === "start_date") from = when.start_date;
    if (when?.type === "time_of_date") {
      hours = [when.start_time, when.end_time].map((time) => /^(\d\d:\d\d):00Z$/.exec(time)[1]).join("-");
    }
    yield { from, hours, prices };
  }
}

function priced(name, prices) {
  if (fees.some((fee) => fee in prices)) return null;
  if (Object.keys(prices).length === 0 && name.endsWith(":free")) return { input_mtok: 0, output_mtok: 0 };
  return base(prices.input_mtok) === undefined ? null : prices;
}

const { version } = JSON.parse(await readFile("node_modules/@pydantic/genai-prices/package.json"));
if (!published[version]) throw new Error(`say in ${import.meta.filename} when version ${version} was published`);

const data = (await waitForUpdate()).filter((provider) => !left(provider));
const fallbacks = data
  .filter((provider) => provider.fallback_model_providers)
  .map((provider) => [nameOf(provider.id), ...provider.fallback_model_providers.map(nameOf)]);
const google = fallbacks.find(([name]) => name === "gcp.gemini");
fallbacks.push(["gcp.vertex_ai", ...google]); // the package has one provider for both

const lines = new Map(); // of what stands behind the names, to the names
const seen = new Map();
for (const provider of data) {
  for (const model of provider.models) {
    for (const name of new Set(names(provider, model))) {
      if (/[\t\n, ]/.test(name)) continue;
      const owned = `${name}\t${provider.id}`;
      if ((seen.get(owned) ?? model) !== model) throw new Error(`${owned}: both ${seen.get(owned).id} and ${model.id}`);
      seen.set(owned, model);
      for (const { from, hours, prices } of dated(model)) {
        const known = priced(name, prices);
        if (!known) continue;
        const rest = [nameOf(provider.id), ...columns.map((c) => base(known[c]) ?? ""), from, hours, tiers(known)];
        const line = rest.join("\t").trimEnd();
        lines.set(line, [...(lines.get(line) ?? []), name]);
      }
    }
  }
}

const rows = [...lines].map(([line, names]) => [line.split("\t")[0], names.sort(cmp).join(","), line]);
rows.sort((a, b) => cmp(a[0], b[0]) || cmp(a[1], b[1]) || cmp(a[2], b[2]));
const text = [
  `source\t@pydantic/genai-prices ${version}`,
  `as_of\t${published[version]}`,
  ...fallbacks.map((f) => `fallback\t${f.join("\t")}`),
  "",
  ...rows.map(([, names, line]) => `${names}\t${line}`),
];
await writeFile("enrich/price/list.tsv", text.join("\n") + "\n");
