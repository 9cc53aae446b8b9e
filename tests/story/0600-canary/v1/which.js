export async function handler(event, context) {
  if (!event.data) return 1;
  await context.state.increment("v1", 1);
  await context.state.put(event.data.key + "-v1", true);
}
