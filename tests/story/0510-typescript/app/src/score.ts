import { check } from "./check";

interface Reading {
  pulse?: number;
}

export async function handler(event: Reading): Promise<{ points: number }> {
  const pulse: number = check(event.pulse);
  return { points: pulse > 130 ? 3 : 0 };
}
