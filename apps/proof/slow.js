export async function handler(event) {
  await new Promise((resolve) => setTimeout(resolve, event.ms ?? 200));
  return { waited: event.ms ?? 200 };
}
