// Bundles libraries into static/dist and compresses the results, so that the
// server never does (run by `make assets`).
import { readFile, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const version = async (name) => JSON.parse(await readFile(`node_modules/${name}/package.json`)).version;

const bundles = {
  echarts: `Apache ECharts ${await version("echarts")}, Apache-2.0, and ZRender, BSD-3-Clause: see docs/third-party.md`,
  morph: `Idiomorph ${await version("idiomorph")}, 0BSD: see docs/third-party.md`,
};

for (const [name, notice] of Object.entries(bundles)) {
  const bundle = `static/dist/${name}.js`;
  await build({
    entryPoints: [`static/assets/${name}.js`],
    outfile: bundle,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "inline",
    banner: { js: `/*! ${notice} */` },
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const body = await readFile(bundle);
  await writeFile(`${bundle}.gz`, gzipSync(body, { level: 9 }));
  await writeFile(`${bundle}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }));
}
