export async function handler(event, context) {
  await context.state.increment("also", 1);
}
