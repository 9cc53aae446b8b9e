let count = 0;
Array.prototype.seen = 0;

export async function handler() {
  count++;
  Array.prototype.seen++;
  globalThis.left = (globalThis.left ?? 0) + 1;
  return [count, Array.prototype.seen, globalThis.left];
}
