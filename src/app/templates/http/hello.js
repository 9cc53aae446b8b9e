// GET /fn/APP/hello?name=Ada: greets, and counts how often it did.
export async function handler(event, context) {
  const name = event.queryStringParameters?.name ?? "world";
  const count = ((await context.state.get("greetings")) ?? 0) + 1;
  await context.state.put("greetings", count);
  return { hello: name, count };
}
