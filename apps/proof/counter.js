let count = 0;

export async function handler() {
  count++;
  return { count, version: "one" };
}
