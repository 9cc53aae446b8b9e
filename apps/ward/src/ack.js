// ward/ack: POST /fn/ward/ack {"bed": "4B-07", "by": "nurse in charge"}: somebody has seen the
// alert.

import { acknowledge } from "./alert.js";
import { bedKey, patientKey } from "./patient.js";

function reply(statusCode, body) {
  return {
    statusCode,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

export async function handler(event, context) {
  const asked = parse(event.body);
  if (typeof asked?.bed !== "string" || typeof asked.by !== "string" || asked.by === "")
    return reply(400, { error: 'send {"bed": "...", "by": "who acknowledges"}' });
  const subject = await context.state.get(bedKey(asked.bed));
  const patient = subject === null ? null : await context.state.get(patientKey(subject));
  if (patient === null) return reply(404, { error: `no patient is monitored in bed ${asked.bed}` });
  const alert = acknowledge(patient.alert, asked.by, Date.now());
  if (alert === null)
    return reply(409, { error: `nothing to acknowledge: the alert is ${patient.alert.state}` });
  await Promise.all([
    context.state.put(patientKey(subject), { ...patient, alert }),
    context.cancel(`escalate/${subject}`),
  ]);
  return reply(200, { bed: asked.bed, state: alert.state });
}
