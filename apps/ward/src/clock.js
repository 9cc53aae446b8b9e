// From the ward's time to the wall's. A demonstration feeds a day in a minute: SPEED says how much
// faster, and TIMER_MS_MIN keeps a short pause of such a feed from looking like a silent monitor.

const speed = Number(process.env.SPEED ?? 1);
const waitMin = Number(process.env.TIMER_MS_MIN ?? 0);

export function wallMs(wardMs) {
  return Math.max(Math.round(wardMs / speed), waitMin);
}
