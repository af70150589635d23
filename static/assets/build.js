// Bundles ECharts into static/dist and compresses the result, so that the
// server never does (run by `make assets`).
import { readFile, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const bundle = "static/dist/echarts.js";
const { version } = JSON.parse(await readFile("node_modules/echarts/package.json"));

await build({
  entryPoints: ["static/assets/echarts.js"],
  outfile: bundle,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "inline",
  banner: { js: `/*! Apache ECharts ${version}, Apache-2.0, and ZRender, BSD-3-Clause: see docs/third-party.md */` },
  define: { "process.env.NODE_ENV": '"production"' },
});

const body = await readFile(bundle);
await writeFile(`${bundle}.gz`, gzipSync(body, { level: 9 }));
await writeFile(`${bundle}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }));
