// ward/score: NEWS2 of one set of vital signs, asked for by a person or another system.

import { news2, notScored } from "./news2.js";

export async function handler(event) {
  // Through the HTTP route the vital signs are the body of the request.
  const vitals = typeof event.body === "string" ? JSON.parse(event.body) : event;
  const reason = notScored(vitals);
  return reason === null ? news2(vitals) : { scored: false, reason, total: null, band: null };
}
