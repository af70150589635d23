// The one stream of a browser; see stream.js. It is open while a tab is seen.
const seen = new Set();
const last = new Map(); // of each kind that says how things stand now
const caughtUp = 10_000; // ms, for which a run that changed is told to tabs that come later
let runs = [], stream;

function hear(name, event) {
  const heard = { name, data: event.data, at: performance.now() };
  if (name !== "run") last.set(name, heard);
  else runs = [...runs.filter(({ at, data }) => heard.at - at < caughtUp && data !== heard.data), heard];
  for (const port of seen) port.postMessage({ name, data: event.data, age: 0 });
}

function follow() {
  if (!seen.size) {
    stream?.close();
    stream = null;
    last.clear();
    runs = [];
  } else if (!stream || stream.readyState === EventSource.CLOSED) {
    stream = new EventSource("/gpu/events");
    for (const name of ["run", "gpu", "status"]) stream.addEventListener(name, (event) => hear(name, event));
  }
}

addEventListener("connect", ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data === "hidden") {
      seen.delete(port);
    } else if (!seen.has(port)) {
      seen.add(port);
      const now = performance.now();
      for (const { name, data: text, at } of [...last.values(), ...runs.filter((run) => now - run.at < caughtUp)]) {
        port.postMessage({ name, data: text, age: now - at });
      }
    }
    follow();
  };
});
