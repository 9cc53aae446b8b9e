export async function handler(event) {
  await new Promise((resolve) => setTimeout(resolve, event.ms ?? 1000));
  return "waited";
}
