// One patient as the ward keeps it: who is monitored where, the newest values, the alert, the
// monitor. It is one value of the app's state, so that a run reads one key and writes one key.

import { INACTIVE } from "./alert.js";

const YEAR_MS = 365.25 * 24 * 60 * 60 * 1000;
export const INTERVAL_S = 600; // how often a monitor sends, unless the context says

export function patientKey(subject) {
  return `patient/${subject}`;
}

export function bedKey(bed) {
  return `bed/${bed}`;
}

export function newPatient(bed) {
  return {
    bed,
    context: { scale: 1, interval: INTERVAL_S },
    values: {},
    before: null, // the last complete score that was low: what an alert is compared with
    alert: { ...INACTIVE },
    monitor: { last: 0, armed: 0, silent: false },
  };
}

/** The part of the patient's context that decides about scoring, at sample time t. */
export function eligibility({ born, age, pregnant }, t) {
  const years = born === undefined ? age : Math.floor((t - born) / YEAR_MS);
  return { age: years, pregnant };
}

/** Context from an org.example.patient event's data. */
export function readContext(data) {
  const born = Date.parse(data.birthDate);
  return {
    scale: data.spo2Scale === 2 ? 2 : 1,
    interval: data.interval > 0 ? data.interval : INTERVAL_S,
    pregnant: data.pregnant === true,
    ...(Number.isFinite(born) ? { born } : {}),
    ...(typeof data.age === "number" ? { age: data.age } : {}),
  };
}
