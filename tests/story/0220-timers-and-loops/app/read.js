export async function handler(event, context) {
  return context.state.get(event.key);
}
