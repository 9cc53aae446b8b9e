let calls = 0;
export async function handler(event, context) {
  calls++;
  if (event.loop) for (;;) {}
  await context.state.increment("seen", 1);
  return calls;
}
