export async function handler(event, context) {
  await context.state.increment(event.type, 1);
}
