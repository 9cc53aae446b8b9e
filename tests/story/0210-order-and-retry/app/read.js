export async function handler(event, context) {
  if (event.mend) await context.state.put("mended", true);
  return event.key ? context.state.get(event.key) : null;
}
