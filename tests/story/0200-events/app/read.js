export async function handler(event, context) {
  const names = ["sum", "events", "also"];
  return Promise.all(names.map((name) => context.state.get(name)));
}
