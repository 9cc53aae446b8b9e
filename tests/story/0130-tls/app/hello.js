export async function handler(event) {
  return { hello: event.name ?? "world" };
}
