export async function handler(event, context) {
  await context.state.increment("sum", event.data.n);
  await context.state.increment("events", 1);
}
