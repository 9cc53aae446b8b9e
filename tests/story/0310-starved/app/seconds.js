export async function handler(event, context) {
  await context.state.increment("second", 1);
}
