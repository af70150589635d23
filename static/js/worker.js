// Runs the dashboard beside the page: it reads the dropped files and answers
// for their pages.
import "/static/dist/wasm_exec.js";

const moment = 100; // ms between two reports of progress

addEventListener("message", async ({ data }) => {
  if (data.files) return begin(data);
  const { status, type, name, body } = self.smolscope.answer(data.address);
  postMessage({ id: data.id, status, type, name, body }, [body.buffer]);
});

async function begin({ module, files, settings }) {
  try {
    const go = new self.Go();
    const { instance } = await WebAssembly.instantiateStreaming(fetch(module), go.importObject);
    go.run(instance);
    let done = 0, told = 0;
    const open = self.smolscope.read(files, settings, (bytes) => {
      done += bytes;
      if (performance.now() - told < moment) return;
      told = performance.now();
      postMessage({ done });
    });
    postMessage({ open });
  } catch (error) {
    postMessage({ error: String(error) });
  }
}
