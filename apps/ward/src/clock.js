// From the ward's time to the wall's. A demonstration feeds a day in a minute: SPEED says how much
// faster, and TIMER_MS_MIN keeps a short pause of such a feed from looking like a silent monitor.

export function wallMs(wardMs) {
  const { SPEED = "1", TIMER_MS_MIN = "0" } = process.env;
  return Math.max(Math.round(wardMs / Number(SPEED)), Number(TIMER_MS_MIN));
}
