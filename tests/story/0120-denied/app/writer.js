export async function handler(event, context) {
  const before = await context.state.get("key");
  await context.state.put("key", 1);
  return before;
}
