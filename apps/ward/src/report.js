// ward/report: the ward at a glance. Each bed's score is as of its newest value.

import { news2At, notScored } from "./news2.js";
import { eligibility } from "./patient.js";

function bedLine({ bed, context, values, alert, monitor }) {
  const newest = Math.max(...Object.values(values).map((value) => value.t));
  const reason = notScored(eligibility(context, newest));
  const line = { bed, alert: alert.state, silent: monitor.silent };
  if (reason !== null) return { ...line, notScored: reason };
  const { total, band, complete, missing } = news2At(newest, values, context.scale);
  return { ...line, total, band, complete, ...(missing ? { missing } : {}) };
}

async function counts(state, prefix) {
  const rows = await state.list(prefix);
  return Object.fromEntries(rows.map(({ key, value }) => [key.slice(prefix.length), value]));
}

export async function handler(event, context) {
  const [patients, handled, samples] = await Promise.all([
    context.state.list("patient/"),
    counts(context.state, "handled/"),
    counts(context.state, "samples/"),
  ]);
  const beds = patients.map(({ value }) => bedLine(value));
  return { beds: beds.sort((a, b) => (a.bed < b.bed ? -1 : 1)), handled, samples };
}
