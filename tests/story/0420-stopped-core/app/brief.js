export function handler() { return "here"; }
