// ward/vitals: everything that happens to one patient's monitoring, in order: a vital sign, a
// change of context, a timer. One run reads the patient, takes one step and writes the patient
// back.

import { nextAlert } from "./alert.js";
import { wallMs } from "./clock.js";
import { news2At, notScored } from "./news2.js";
import { readObservation } from "./observation.js";
import { bedKey, eligibility, newPatient, patientKey, readContext } from "./patient.js";
import { alertText, backText, escalatedText, resolvedText, silentText } from "./words.js";

const MINUTE_MS = 60 * 1000;
const ESCALATE_MS = 5 * MINUTE_MS;
const SILENT_INTERVALS = 2;
const TIMER = "org.example.ward.timer";
const ALERT = "org.example.ward.alert";

function startTimer(context, subject, kind, afterMs, more = {}) {
  const event = {
    type: TIMER,
    source: "ward/timers",
    data: { subject: { reference: subject }, kind, ...more },
  };
  context.emit(event, { after: afterMs, key: `${kind}/${subject}` });
}

function alertId(patient) {
  return `${patient.bed}-${patient.alert.startedAt}`;
}

// The e-mail is for a person; the webhook also carries the figures, for the ward's board.
function tell(context, contact, { subject, text }, data) {
  context.notify(
    contact,
    { subject, text, data },
    { key: `${data.alert}/${data.signal}/${data.level}` },
  );
}

function signalAlert(context, patient, subject, signal, score, t, cause) {
  const { alert, bed } = patient;
  const decidedAt = Date.now();
  const data = {
    alert: alertId(patient),
    bed,
    signal,
    level: alert.level,
    total: score.total,
    complete: score.complete,
    t,
    conditionDelayMs: alert.conditionDelayMs,
    signalDelayMs: alert.signalDelayMs,
    decidedAt,
    event: cause,
  };
  const words =
    signal === "resolve"
      ? resolvedText({ bed, score })
      : alertText({ bed, alert, score, values: patient.values, before: patient.before, signal, t });
  if (signal !== "resolve" && alert.level >= 2) tell(context, "on-call", words, data);
  tell(context, "charge", words, data);
  context.emit({
    type: ALERT,
    source: `ward/${bed}`,
    data: { subject: { reference: subject }, ...data },
  });
}

// The delay of the condition is the patient's time from its first sample to the decision; that of
// the signal is the wall's time from the arrival of the deciding sample until the signal is handed
// over.
function withDelays(alert, signal, admittedAt) {
  return signal === "fire" || signal === "worse"
    ? { ...alert, signalDelayMs: Math.max(0, Date.now() - admittedAt) }
    : alert;
}

function score(context, patient, subject, t, cause, admittedAt) {
  if (notScored(eligibility(patient.context, t)) !== null) return { scored: false };
  const now = news2At(t, patient.values, patient.context.scale);
  const before = patient.alert;
  const { alert, signal } = nextAlert(before, now, t);
  // A resolved alert is told under the name it had.
  patient.alert = signal === "resolve" ? before : withDelays(alert, signal, admittedAt);
  if (signal !== null) signalAlert(context, patient, subject, signal, now, t, cause);
  patient.alert = signal === "resolve" ? alert : patient.alert;
  if (signal === "fire" || signal === "worse")
    startTimer(context, subject, "escalate", wallMs(ESCALATE_MS), { alert: alertId(patient) });
  if (signal === "resolve") context.cancel(`escalate/${subject}`);
  if (now.complete && alert.state === "inactive")
    patient.before = { total: now.total, parts: now.parts };
  return { total: now.total, band: now.band, complete: now.complete, alert: alert.state };
}

function heard(context, patient, subject) {
  const { monitor } = patient;
  monitor.last = Date.now();
  // One timer per monitor, not one per sample: when it fires and finds a newer sample it goes on.
  if (!monitor.armed) {
    const limit = wallMs(SILENT_INTERVALS * patient.context.interval * 1000);
    startTimer(context, subject, "silent", limit);
    monitor.armed = true;
  }
  if (!monitor.silent) return;
  monitor.silent = false;
  const data = {
    alert: `${patient.bed}-monitor-${monitor.last}`,
    bed: patient.bed,
    signal: "back",
    level: 0,
  };
  tell(context, "charge", backText(patient), data);
}

function accept(patient, { t, readings, correction }) {
  let accepted = 0;
  for (const { name, v } of readings) {
    const newest = patient.values[name];
    if (newest !== undefined && (t < newest.t || (t === newest.t && !correction))) continue;
    patient.values[name] = { v, t };
    accepted++;
  }
  return accepted;
}

async function onVitals(event, context) {
  const subject = event.data.subject.reference;
  const arrived = event.time === undefined ? Date.now() : Date.parse(event.time);
  const read = readObservation(event.data, arrived);
  if (read.refused !== undefined) return { accepted: 0, refused: read.refused };
  const bed = event.source.slice("ward/".length);
  const kept = await context.state.get(patientKey(subject));
  const patient = kept ?? newPatient(bed);
  if (kept === null || patient.bed !== bed) {
    patient.bed = bed;
    context.state.put(bedKey(bed), subject);
  }
  if (accept(patient, read) === 0) return { accepted: 0, refused: "late or duplicate" };
  heard(context, patient, subject);
  const result = score(
    context,
    patient,
    subject,
    read.t,
    event.id,
    context.admittedMs ?? Date.now(),
  );
  context.state.put(patientKey(subject), patient);
  return { accepted: read.readings.length, ...result };
}

function discharge(context, patient, subject) {
  context.state.delete(patientKey(subject));
  context.state.delete(bedKey(patient.bed));
  context.cancel(`silent/${subject}`);
  context.cancel(`escalate/${subject}`);
  return { discharged: true };
}

async function onPatient(event, context) {
  const subject = event.data.subject.reference;
  const bed = event.source.slice("ward/".length);
  const patient = (await context.state.get(patientKey(subject))) ?? newPatient(bed);
  if (event.data.discharged === true) return discharge(context, patient, subject);
  patient.context = readContext(event.data);
  context.state.put(patientKey(subject), patient);
  context.state.put(bedKey(bed), subject);
  return { bed };
}

function onSilent(context, patient, subject) {
  const { monitor } = patient;
  const limit = wallMs(SILENT_INTERVALS * patient.context.interval * 1000);
  const left = monitor.last + limit - Date.now();
  if (left > 0) return startTimer(context, subject, "silent", left);
  monitor.armed = false;
  monitor.silent = true;
  const last = Math.max(...Object.values(patient.values).map((value) => value.t));
  const minutes = Math.round((SILENT_INTERVALS * patient.context.interval) / 60);
  const data = {
    alert: `${patient.bed}-monitor-${monitor.last}`,
    bed: patient.bed,
    signal: "silent",
    level: 0,
    silentMs: Date.now() - monitor.last,
    decidedAt: Date.now(),
  };
  const words = silentText({ bed: patient.bed, last, minutes });
  tell(context, "on-call", words, data);
  tell(context, "charge", words, data);
}

function onEscalate(context, patient, alert) {
  if (patient.alert.state !== "firing" || alertId(patient) !== alert) return;
  const words = escalatedText({
    bed: patient.bed,
    alert: patient.alert,
    minutes: ESCALATE_MS / MINUTE_MS,
  });
  tell(context, "charge", words, {
    alert,
    bed: patient.bed,
    signal: "escalate",
    level: patient.alert.level,
  });
}

async function onTimer(event, context) {
  const subject = event.data.subject.reference;
  const patient = await context.state.get(patientKey(subject));
  if (patient === null) return { gone: true }; // discharged meanwhile
  if (event.data.kind === "silent") onSilent(context, patient, subject);
  else onEscalate(context, patient, event.data.alert);
  context.state.put(patientKey(subject), patient);
  return { timer: event.data.kind };
}

const HANDLERS = {
  "org.example.vitals": onVitals,
  "org.example.patient": onPatient,
  [TIMER]: onTimer,
};

export async function handler(event, context) {
  return HANDLERS[event.type](event, context);
}
