// Promises without end, each a job of its own.
export async function handler() {
  for (;;) await null;
}
