export async function handler(event, context) {
  if (event.cancel) return context.cancel(event.cancel);
  const ring = { type: "org.example.ring", source: "sets", data: { n: event.n } };
  await context.emit(ring, { after: event.after, key: event.key });
}
