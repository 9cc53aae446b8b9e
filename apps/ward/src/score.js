// ward/score: NEWS2 of one set of vital signs, asked for by a person or another system.

import { news2, notScored } from "./news2.js";

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export async function handler(event) {
  // Through the HTTP route the vital signs are the body of the request.
  const vitals = event?.routeKey !== undefined ? parse(event.body) : event;
  if (vitals === null || typeof vitals !== "object")
    return {
      statusCode: 400,
      headers: { "content-type": "application/json" },
      body: '{"error":"send vital signs: {rr, spo2, scale, oxygen, sbp, hr, acvpu, temp}"}',
    };
  const reason = notScored(vitals);
  return reason === null ? news2(vitals) : { scored: false, reason, total: null, band: null };
}
