// Counts twice: in the state at once, and through an event of its own.
export async function handler(event, context) {
  await context.state.increment("first", 1);
  await context.emit({ type: "org.example.second", source: "counts", data: event.data });
}
