export async function handler(event, context) {
  return Promise.all(["first", "second"].map((key) => context.state.get(key)));
}
