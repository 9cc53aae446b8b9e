export async function handler(event, context) {
  await context.state.increment("rung", event.data.n);
}
