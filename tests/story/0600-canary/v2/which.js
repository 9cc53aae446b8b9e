export async function handler(event, context) {
  if (!event.data) return 2;
  await context.state.increment("v2", 1);
  await context.state.put(event.data.key + "-v2", true);
}
