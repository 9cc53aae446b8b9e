// ward/vitals: everything that happens to one patient's monitoring, in order: a vital sign, a
// change of context, a timer. One run reads the patient, takes one step and writes it back.

import { nextAlert } from "./alert.js";
import { wallMs } from "./clock.js";
import { news2At, notScored } from "./news2.js";
import { readObservation } from "./observation.js";
import { bedKey, eligibility, newPatient, patientKey, readContext } from "./patient.js";
import { alertText, backText, escalatedText, resolvedText, silentText } from "./words.js";

const MINUTE_MS = 60 * 1000;
const ESCALATE_MS = 5 * MINUTE_MS;
const SILENT_INTERVALS = 2;
const MAIL_LEVEL_MIN = 2; // medium; what is lower goes to the ward's board alone
const TIMER = "org.example.ward.timer";
const ALERT = "org.example.ward.alert";

// What a step does besides changing the patient. Effects start at once and are awaited together at
// the end, so that one that is refused fails the run.
class Step {
  constructor(event, context, patient) {
    this.subject = event.data.subject.reference;
    this.event = event;
    this.context = context;
    this.patient = patient;
    this.effects = [];
  }

  tell(contact, { subject, text }, data, key) {
    this.effects.push(this.context.notify(contact, { subject, text, data, key }));
  }

  startTimer(kind, afterMs, more = {}) {
    const data = { subject: { reference: this.subject }, kind, ...more };
    const options = { after: afterMs, key: `${kind}/${this.subject}` };
    const event = { type: TIMER, source: "ward/timers", data };
    this.effects.push(this.context.emit(event, options));
  }

  stopTimer(kind) {
    this.effects.push(this.context.cancel(`${kind}/${this.subject}`));
  }

  async keep() {
    this.effects.push(this.context.state.put(patientKey(this.subject), this.patient));
    await Promise.all(this.effects);
  }

  async forget() {
    this.effects.push(this.context.state.delete(patientKey(this.subject)));
    this.effects.push(this.context.state.delete(bedKey(this.patient.bed)));
    await Promise.all(this.effects);
  }
}

function alertId(bed, alert) {
  return `${bed}-${alert.startedAt}`;
}

// The e-mail is for a person; the webhook also carries the figures, for the ward's board.
function signalAlert(step, alert, signal, score, t) {
  const { bed, values, before } = step.patient;
  const data = {
    alert: alertId(bed, alert),
    bed,
    signal,
    level: alert.level,
    total: score.total,
    complete: score.complete,
    t,
    conditionDelayMs: alert.conditionDelayMs,
    signalDelayMs: alert.signalDelayMs,
    decidedAt: Date.now(),
    event: step.event.id,
  };
  const key = `${data.alert}/${signal}/${t}`;
  const resolved = signal === "resolve";
  const words = resolved
    ? resolvedText({ bed, score })
    : alertText({ bed, alert, score, values, before, signal, t });
  if (!resolved && alert.level >= MAIL_LEVEL_MIN) step.tell("on-call", words, data, key);
  step.tell("charge", words, data, key);
  const event = { type: ALERT, source: `ward/${bed}`, data };
  step.effects.push(step.context.emit(event));
}

function score(step, t) {
  const { patient, context } = step;
  if (notScored(eligibility(patient.context, t)) !== null) return { scored: false };
  const now = news2At(t, patient.values, patient.context.scale);
  const was = patient.alert;
  const { alert, signal } = nextAlert(was, now, t);
  patient.alert = alert;
  if (signal === "resolve") {
    signalAlert(step, was, signal, now, t);
    step.stopTimer("escalate");
  } else if (signal !== null) {
    // The condition's delay is the patient's time from its first sample to the decision; the
    // signal's is the wall's time from the arrival of the deciding sample to its hand-over.
    alert.signalDelayMs = Math.max(0, Date.now() - (context.receivedMs ?? Date.now()));
    signalAlert(step, alert, signal, now, t);
    step.startTimer("escalate", wallMs(ESCALATE_MS), { alert: alertId(patient.bed, alert) });
  }
  if (now.complete && alert.state === "inactive")
    patient.before = { total: now.total, parts: now.parts };
  return { total: now.total, band: now.band, complete: now.complete, alert: alert.state };
}

function silentAfter(patient) {
  return wallMs(SILENT_INTERVALS * patient.context.interval * 1000);
}

function heard(step) {
  const { bed, monitor } = step.patient;
  const limit = silentAfter(step.patient);
  monitor.last = Date.now();
  // The timer moves once a round, not with every sample; when it fires it looks for newer ones.
  if (monitor.last - monitor.armed >= limit / 8) {
    step.startTimer("silent", limit);
    monitor.armed = monitor.last;
  }
  if (!monitor.silent) return;
  monitor.silent = false;
  const data = { alert: `${bed}-monitor`, bed, signal: "back", level: 0 };
  step.tell("charge", backText({ bed }), data, `${bed}/back/${monitor.last}`);
}

function accept(patient, { t, readings, correction }) {
  let accepted = 0;
  for (const { name, v } of readings) {
    const newest = patient.values[name];
    const known = newest !== undefined && (t < newest.t || (t === newest.t && !correction));
    if (known) continue;
    patient.values[name] = { v, t };
    accepted++;
  }
  return accepted;
}

function bedOf(event) {
  return event.source.slice("ward/".length);
}

// The patient of an event, in the bed the event comes from; the bed's own key serves ward/ack.
async function open(event, context) {
  const bed = bedOf(event);
  const kept = await context.state.get(patientKey(event.data.subject.reference));
  const step = new Step(event, context, kept ?? newPatient(bed));
  if (kept !== null && kept.bed === bed) return step;
  step.patient.bed = bed;
  step.effects.push(context.state.put(bedKey(bed), step.subject));
  return step;
}

async function onVitals(event, context) {
  const arrived = event.time === undefined ? Date.now() : Date.parse(event.time);
  const read = readObservation(event.data, arrived);
  if (read.refused !== undefined) return { accepted: 0, refused: read.refused };
  const step = await open(event, context);
  const accepted = accept(step.patient, read);
  if (accepted === 0) return { accepted, refused: "late or duplicate" };
  heard(step);
  const result = score(step, read.t);
  await step.keep();
  return { accepted, ...result };
}

async function onPatient(event, context) {
  const step = await open(event, context);
  if (event.data.discharged === true) {
    step.stopTimer("silent");
    step.stopTimer("escalate");
    await step.forget();
    return { discharged: true };
  }
  step.patient.context = readContext(event.data);
  await step.keep();
  return { bed: step.patient.bed };
}

function onSilent(step) {
  const { patient } = step;
  const { bed, monitor } = patient;
  const left = monitor.last + silentAfter(patient) - Date.now();
  if (left > 0) {
    step.startTimer("silent", left);
    return;
  }
  monitor.armed = 0;
  monitor.silent = true;
  const newest = Math.max(...Object.values(patient.values).map((value) => value.t));
  const minutes = Math.round((SILENT_INTERVALS * patient.context.interval) / 60);
  const words = silentText({ bed, newest, minutes });
  const silentMs = Date.now() - monitor.last;
  const data = { alert: `${bed}-monitor`, bed, signal: "silent", level: 0, silentMs };
  const key = `${bed}/silent/${monitor.last}`;
  step.tell("on-call", words, data, key);
  step.tell("charge", words, data, key);
}

function onEscalate(step, id) {
  const { bed, alert } = step.patient;
  if (alert.state !== "firing" || alertId(bed, alert) !== id) return;
  const words = escalatedText({ bed, alert, minutes: ESCALATE_MS / MINUTE_MS });
  const data = { alert: id, bed, signal: "escalate", level: alert.level };
  step.tell("charge", words, data, `${id}/escalate/${alert.firedAt}`);
}

async function onTimer(event, context) {
  const patient = await context.state.get(patientKey(event.data.subject.reference));
  if (patient === null) return { gone: true }; // discharged meanwhile
  const step = new Step(event, context, patient);
  if (event.data.kind === "silent") onSilent(step);
  else onEscalate(step, event.data.alert);
  await step.keep();
  return { timer: event.data.kind };
}

const HANDLERS = {
  "org.example.vitals": onVitals,
  "org.example.patient": onPatient,
  [TIMER]: onTimer,
};

export async function handler(event, context) {
  // Counted in the same commit as everything else the run does; increments never conflict.
  const counted = context.state.increment(`handled/${event.type}`);
  const result = await HANDLERS[event.type](event, context);
  await counted;
  return result;
}
