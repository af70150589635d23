// What the server tells as it happens. All tabs of a browser share one stream, which
// a shared worker holds while one of them is looked at: browsers allow a server few
// connections. Where there are no shared workers, a tab has its own while it is seen.
const listeners = { run: [], gpu: [], status: [] };

// on calls hear with the data of each event of a name, and how old it is in ms.
export function on(name, hear) {
  listeners[name].push(hear);
}

function tell({ name, data, age }) {
  for (const hear of listeners[name]) hear(JSON.parse(data), age);
}

let port, own;

function connect() {
  if (globalThis.SharedWorker) {
    if (!port) {
      port = new SharedWorker("/static/js/streams.js", { name: "smolscope" }).port;
      port.onmessage = (event) => tell(event.data);
    }
    port.postMessage("seen");
  } else if (!own) {
    own = new EventSource("/gpu/events");
    for (const name in listeners) own.addEventListener(name, (event) => tell({ name, data: event.data, age: 0 }));
  }
}

function disconnect() {
  port?.postMessage("hidden");
  own?.close();
  own = null;
}

const follow = () => (document.hidden ? disconnect() : connect());
document.addEventListener("visibilitychange", follow);
addEventListener("pagehide", disconnect);
addEventListener("pageshow", follow);
follow();
