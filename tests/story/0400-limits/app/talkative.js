export function handler(event) {
  return "x".repeat(event.bytes);
}
