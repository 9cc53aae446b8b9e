// What the ward reads: enough to act on at the bedside, and nothing that names the patient.

import { BANDS, PARAMETERS } from "./news2.js";

const LABELS = {
  rr: ["breathing rate", "/min"],
  spo2: ["oxygen saturation", " %"],
  oxygen: ["oxygen", ""],
  sbp: ["systolic blood pressure", " mmHg"],
  hr: ["pulse", "/min"],
  acvpu: ["consciousness", ""],
  temp: ["temperature", " °C"],
};
const LEVELS = {
  A: "alert",
  C: "new confusion",
  V: "responds to voice",
  P: "responds to pain",
  U: "unresponsive",
};
// The Royal College's clinical response to each band.
const RESPONSE = {
  "low-medium": "urgent assessment by a ward nurse or doctor",
  medium: "urgent assessment by a clinician within 1 hour",
  high: "emergency assessment now, by a team with critical care skills; monitor continuously",
};

function shown(name, v) {
  if (name === "oxygen") return v ? "yes" : "no, on air";
  if (name === "acvpu") return LEVELS[v];
  return `${name === "temp" ? v.toFixed(1) : Math.round(v)}${LABELS[name][1]}`;
}

function clock(t) {
  return `${new Date(t).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

function scoreWord(score) {
  return score.complete ? `NEWS2 ${score.total}` : `NEWS2 at least ${score.partial} (incomplete)`;
}

function parameterLine(name, values, score, before, t) {
  if (score.parts[name] === undefined) {
    const age = values[name] && Math.round((t - values[name].t) / 60000);
    const absent = age === undefined ? "never measured" : `nothing for ${age} min`;
    return `  ${LABELS[name][0]}: ${absent}`;
  }
  const was = before?.[name];
  const changed = was !== undefined && was !== score.parts[name] ? `, was ${was}` : "";
  const worth = score.parts[name];
  const points = `${worth} ${worth === 1 ? "point" : "points"}${changed}`;
  return `  ${LABELS[name][0]}: ${shown(name, values[name].v)} (${points})`;
}

/** An alert that fires or got worse: {subject, text}. */
export function alertText({ bed, alert, score, values, before, signal, t }) {
  const band = BANDS[alert.level];
  const was = before ? ` (was ${before.total})` : "";
  const lines = [
    `Bed ${bed}: ${scoreWord(score)}${was}, ${band}.`,
    `Since ${clock(alert.startedAt)}${signal === "worse" ? ", and it has got worse" : ""}.`,
    "",
    ...PARAMETERS.map((name) => parameterLine(name, values, score, before?.parts, t)),
    "",
    `Response: ${RESPONSE[band]}.`,
    `Acknowledge: POST /fn/ward/ack {"bed":"${bed}","by":"..."}`,
  ];
  return { subject: `Bed ${bed}: ${scoreWord(score)}, ${band}`, text: lines.join("\n") };
}

export function resolvedText({ bed, score }) {
  return { subject: `Bed ${bed}: resolved`, text: `Bed ${bed}: ${scoreWord(score)}, low again.` };
}

export function escalatedText({ bed, alert, minutes }) {
  const band = BANDS[alert.level];
  return {
    subject: `Bed ${bed}: nobody has acknowledged`,
    text:
      `Bed ${bed}: the ${band} alert since ${clock(alert.startedAt)} has not been ` +
      `acknowledged for ${minutes} minutes.\nResponse: ${RESPONSE[band]}.`,
  };
}

export function silentText({ bed, newest, minutes }) {
  return {
    subject: `Bed ${bed}: monitor silent`,
    text:
      `Bed ${bed}: technical alarm. The monitor has sent nothing for ${minutes} minutes; its ` +
      `last value is of ${clock(newest)}. The score is not kept up to date.`,
  };
}

export function backText({ bed }) {
  return { subject: `Bed ${bed}: monitor back`, text: `Bed ${bed}: the monitor sends again.` };
}
