// Appends the number to the key's list; numbers named in `broken` fail.
export async function handler(event, context) {
  const { key, n } = event.data;
  if (event.data.fails && !(await context.state.get("mended"))) throw new Error(`no ${n}`);
  const list = (await context.state.get(event.type + key)) ?? [];
  await context.state.put(event.type + key, [...list, n]);
}
