// The one stream of a browser; see stream.js. It is open while a tab is seen.
const seen = new Set();
const last = new Map(); // of each kind that says how things stand now
let stream;

function hear(name, event) {
  if (name !== "run") last.set(name, { name, data: event.data, at: performance.now() });
  for (const port of seen) port.postMessage({ name, data: event.data, age: 0 });
}

function follow() {
  if (!seen.size) {
    stream?.close();
    stream = null;
    last.clear();
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
      for (const { name, data: text, at } of last.values()) port.postMessage({ name, data: text, age: performance.now() - at });
    }
    follow();
  };
});
