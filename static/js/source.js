// Where a page gets what it loads later: from the server, or in a preview from
// the program that runs in the page.
let source = (url, init) => fetch(url, init);

export const get = (url, init) => source(url, init);

export function setSource(other) {
  source = other;
}
