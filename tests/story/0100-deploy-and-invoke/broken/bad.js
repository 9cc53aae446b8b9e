export function handler() {
  return 1 +;
}
