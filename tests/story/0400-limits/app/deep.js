function down(n) {
  return down(n + 1) + 1;
}
export function handler() {
  return down(0);
}
