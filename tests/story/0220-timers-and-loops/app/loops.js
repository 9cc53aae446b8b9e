export async function handler(event, context) {
  await context.state.increment("looped", 1);
  await context.emit({ type: "org.example.loop", source: "loops", data: {} });
}
