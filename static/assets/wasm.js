// Names the WebAssembly modules in static/dist by their hashes, compresses them,
// and writes down what previews need (run by `make assets`).
import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dist = "static/dist";
for (const name of await readdir(dist)) {
  if (/-[0-9a-f]{16}\.wasm/.test(name)) await rm(`${dist}/${name}`);
}

const modules = {};
for (const name of ["preview", "parquet"]) {
  const body = await readFile(`${dist}/${name}.wasm`);
  const hashed = `${name}-${createHash("sha256").update(body).digest("hex").slice(0, 16)}.wasm`;
  modules[name] = `/static/dist/${hashed}`;
  await rm(`${dist}/${name}.wasm`); // the compressed forms are all that is served
  await writeFile(`${dist}/${hashed}.gz`, gzipSync(body, { level: 9 }));
  await writeFile(`${dist}/${hashed}.br`, brotliCompressSync(body, { params: {
    [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24, [constants.BROTLI_PARAM_SIZE_HINT]: body.length,
  } }));
}

const files = ["/static/favicon.svg", "/static/dist/echarts.js", "/static/dist/wasm_exec.js", "/static/dist/wasm.js", modules.preview];
for (const folder of ["css", "js"]) {
  for (const name of await readdir(`static/${folder}`)) files.push(`/static/${folder}/${name}`);
}
await writeFile(`${dist}/wasm.js`, `export const modules = ${JSON.stringify(modules)};\nexport const files = ${JSON.stringify(files)};\n`);
