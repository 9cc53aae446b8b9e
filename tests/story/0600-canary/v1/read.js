export async function handler(event, context) {
  const keys = Array.from({ length: 200 }, (_, n) => `k${n}`);
  let both = 0;
  for (const key of keys)
    if ((await context.state.get(key + "-v1")) && (await context.state.get(key + "-v2"))) both++;
  return { v1: await context.state.get("v1"), v2: await context.state.get("v2"), both };
}
