export function handler() { for (;;); }
