// Keeps what previews load, so that they work when the server is gone. Pages and
// the API are never kept. Files named by their hash come from here; others are
// asked for, and come from here when nobody answers.
import { files } from "/static/dist/wasm.js";

const name = "smolscope-preview";
const hashed = /-[0-9a-f]{16}\.wasm$/;

addEventListener("install", (event) => event.waitUntil(fill()));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin === location.origin && pathname.startsWith("/static/") && event.request.method === "GET") {
    event.respondWith(answer(event.request, pathname));
  }
});

async function fill() {
  await caches.delete(name); // what other versions kept
  await (await caches.open(name)).addAll(files);
  await skipWaiting();
}

async function answer(request, pathname) {
  const kept = await (await caches.open(name)).match(pathname);
  if (kept && hashed.test(pathname)) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}
