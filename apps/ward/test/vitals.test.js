// One patient from admission to discharge: scores, alerts, timers, acknowledgement, delays.

import { handler as ack } from "../src/ack.js";
import { handler as report } from "../src/report.js";
import { handler as vitals } from "../src/vitals.js";
import { TestContext } from "./context.js";
import { done, equal, ok } from "./tap.js";

const MINUTE = 60000;
const START = Date.UTC(2026, 0, 5, 8);
const LOINC = {
  rr: ["9279-1", "/min"],
  spo2: ["59408-5", "%"],
  sbp: ["85354-9", "mm[Hg]"],
  hr: ["8867-4", "/min"],
  temp: ["8310-5", "Cel"],
  oxygen: ["3151-8", "L/min"],
  acvpu: ["67775-7"],
};
const WELL = { rr: 16, spo2: 97, oxygen: 0, sbp: 120, hr: 70, acvpu: "A", temp: 37.0 };

let wall = START;
let ids = 0;
Date.now = () => wall;

function coded(code) {
  return { coding: [{ system: "http://loinc.org", code }] };
}

function observation(name, v, t, more = {}) {
  const [code, unit] = LOINC[name];
  const value =
    name === "acvpu"
      ? { valueCodeableConcept: { coding: [{ code: v }] } }
      : { valueQuantity: { value: v, system: "http://unitsofmeasure.org", code: unit } };
  const body = name === "sbp" ? { component: [{ code: coded("8480-6"), ...value }] } : value;
  return {
    resourceType: "Observation",
    status: "final",
    code: coded(code),
    effectiveDateTime: new Date(t).toISOString(),
    subject: { reference: "Patient/p1" },
    ...body,
    ...more,
  };
}

function event(data, t, type = "org.example.vitals") {
  return {
    specversion: "1.0",
    id: `e${++ids}`,
    type,
    source: "ward/4B-07",
    time: new Date(t).toISOString(),
    data,
  };
}

async function send(context, name, v, t, more) {
  return vitals(event(observation(name, v, t, more), t), context);
}

async function round(context, values, t) {
  wall = t;
  let result;
  for (const [name, v] of Object.entries({ ...WELL, ...values }))
    result = await send(context, name, v, t);
  return result;
}

async function patient(context, data, t = START) {
  return vitals(
    event({ subject: { reference: "Patient/p1" }, ...data }, t, "org.example.patient"),
    context,
  );
}

function kept(context) {
  return JSON.parse(context.kept.get("patient/Patient/p1"));
}

function signals(context, contact) {
  return context.sent.filter((m) => m.contact === contact).map((m) => m.data.signal);
}

async function fireTimer(context, kind) {
  const key = `${kind}/Patient/p1`;
  const { event: due, at } = context.timers.get(key);
  context.timers.delete(key);
  wall = Math.max(wall, at);
  return vitals({ specversion: "1.0", id: `t${++ids}`, ...due }, context);
}

async function reading() {
  const c = new TestContext();
  const first = await send(c, "rr", 16, START);
  equal([first.complete, first.total], [false, null], "one value is an incomplete score");
  equal((await send(c, "rr", 16, START)).refused, "late or duplicate", "a duplicate is refused");
  equal(
    (await send(c, "rr", 30, START - 1)).refused,
    "late or duplicate",
    "a late value is refused",
  );
  equal(
    (await send(c, "hr", 500, START)).refused,
    "implausible",
    "an implausible value is refused",
  );
  equal(
    (await send(c, "hr", 70, START + 6 * MINUTE)).accepted,
    1,
    "each event has its own arrival",
  );
  const ahead = event(observation("hr", 70, START + 60 * MINUTE), START);
  equal((await vitals(ahead, c)).refused, "implausible", "a clock far ahead is not believed");
  equal(
    (await send(c, "spo2", 97, START, { status: "entered-in-error" })).refused,
    "entered-in-error",
    "what was entered in error does not count",
  );
  equal(
    (await send(c, "spo2", 97, START, { effectiveDateTime: undefined })).refused,
    "undated",
    "undated",
  );
  equal(
    (await send(c, "spo2", 97, START, { code: coded("1-8") })).refused,
    "not a parameter of NEWS2",
    "other code",
  );
  equal(
    (await vitals(event({ subject: { reference: "Patient/p1" } }, START), c)).refused,
    "no Observation",
    "no resource",
  );
  await send(c, "rr", 18, START + MINUTE);
  await send(c, "rr", 20, START + MINUTE, { status: "corrected" });
  equal(kept(c).values.rr.v, 20, "a correction replaces the value it corrects");
  const hot = { valueQuantity: { value: 98.6, code: "[degF]" } };
  await send(c, "temp", 0, START + MINUTE, hot);
  equal(kept(c).values.temp.v, 37, "Fahrenheit is converted");
  const inStones = { valueQuantity: { value: 70, code: "[stone_av]" } };
  equal(
    (await send(c, "hr", 0, START + 9 * MINUTE, inStones)).refused,
    "implausible",
    "a wrong unit is refused",
  );
}

async function life() {
  const c = new TestContext();
  equal((await round(c, {}, START)).total, 0, "a whole round is a score");
  equal(c.sent.length, 0, "nothing is sent about a well patient");
  const ill = { rr: 26, spo2: 91, oxygen: 2, hr: 115 };
  const high = await round(c, ill, START + 10 * MINUTE);
  equal([high.total, high.alert], [10, "firing"], "deterioration fires");
  ok(signals(c, "on-call").includes("fire"), "the on-call contact is told");
  equal(signals(c, "on-call").filter((s) => s === "fire").length, 1, "once");
  const mail = c.sent.findLast((m) => m.contact === "on-call");
  ok(
    /^Bed 4B-07: NEWS2/.test(mail.text) && /\(was 0\)/.test(mail.text),
    "the text says where, what and what it was",
  );
  ok(!/Patient|p1/.test(mail.text + mail.subject), "and does not name the patient");
  const sent = c.sent.length;
  await round(c, ill, START + 20 * MINUTE);
  equal(c.sent.length, sent, "no repeat while firing");
  ok(c.timers.has("escalate/Patient/p1"), "a timer waits for an acknowledgement");
  await fireTimer(c, "escalate");
  equal(signals(c, "charge").at(-1), "escalate", "nobody acknowledged: escalated");
  const seen = await ack({ body: JSON.stringify({ bed: "4B-07", by: "n1" }) }, c);
  equal([seen.statusCode, kept(c).alert.state], [200, "acknowledged"], "acknowledged");
  const again = await ack({ body: JSON.stringify({ bed: "4B-07", by: "n1" }) }, c);
  equal(again.statusCode, 409, "a second acknowledgement has nothing to do");
  for (let i = 3; i < 7; i++) await round(c, {}, START + i * 10 * MINUTE);
  equal(
    [signals(c, "charge").at(-1), kept(c).alert.state],
    ["resolve", "inactive"],
    "resolved when low for long enough",
  );
  await patient(c, { discharged: true });
  equal([c.kept.size, c.timers.size], [0, 0], "discharge leaves nothing behind");
}

async function waiting() {
  const c = new TestContext();
  await round(c, {}, START);
  const medium = { rr: 22, spo2: 94, hr: 95, temp: 38.5 };
  equal((await round(c, medium, START + 10 * MINUTE)).alert, "pending", "medium waits");
  equal((await round(c, medium, START + 11 * MINUTE)).alert, "pending", "a minute is not enough");
  equal((await round(c, medium, START + 12 * MINUTE)).alert, "firing", "two are");
  const fired = kept(c).alert;
  equal(
    [fired.conditionDelayMs, fired.signalDelayMs],
    [2 * MINUTE, 0],
    "condition and signal delay, apart",
  );
  await ack({ body: JSON.stringify({ bed: "4B-07", by: "n1" }) }, c);
  ok(!c.timers.has("escalate/Patient/p1"), "an acknowledgement stops the escalation");
  await round(c, { ...medium, spo2: 88, sbp: 95 }, START + 13 * MINUTE);
  equal(kept(c).alert.state, "firing", "worse after the acknowledgement fires again");
  equal(signals(c, "on-call").at(-1), "worse", "and is told");
  const brief = new TestContext();
  await round(brief, {}, START);
  await round(brief, medium, START + MINUTE);
  equal(
    (await round(brief, {}, START + 2 * MINUTE)).alert,
    "inactive",
    "a passing condition never fires",
  );
}

async function incomplete() {
  const c = new TestContext();
  await round(c, {}, START);
  const later = START + 16 * MINUTE;
  const result = await send(c, "rr", 16, later);
  equal([result.complete, result.total], [false, null], "stale values make the score incomplete");
  for (const [name, v] of [
    ["rr", 26],
    ["spo2", 90],
    ["hr", 135],
  ])
    await send(c, name, v, later + MINUTE);
  equal(kept(c).alert.state, "firing", "known points that are high already fire");
  ok(/at least 9 \(incomplete\)/.test(c.sent.at(-1).text), "and the text says what is missing");
}

async function notScored() {
  for (const [why, data] of [
    ["under 16", { birthDate: "2012-01-01" }],
    ["pregnant", { pregnant: true }],
  ]) {
    const c = new TestContext();
    await patient(c, data);
    const result = await round(c, { rr: 30, spo2: 80 }, START);
    equal([result.scored, c.sent.length], [false, 0], `${why}: not scored, no alert`);
    ok(c.timers.has("silent/Patient/p1"), `${why}: the monitor is still watched`);
  }
  const c = new TestContext();
  await patient(c, { birthDate: "1950-06-01", spo2Scale: 2 });
  equal((await round(c, { spo2: 89 }, START)).total, 0, "scale 2 by the patient's context");
}

async function silence() {
  const c = new TestContext();
  const timer = () => c.timers.get("silent/Patient/p1");
  await round(c, {}, START);
  equal(timer().at, START + 20 * MINUTE, "twice the interval after the first sample");
  await round(c, {}, START + MINUTE);
  equal(timer().at, START + 20 * MINUTE, "a timer is not written for every sample");
  await fireTimer(c, "silent");
  equal([c.sent.length, timer().at], [0, START + 21 * MINUTE], "it finds the newer sample");
  await round(c, {}, START + 20.5 * MINUTE);
  equal(timer().at, START + 40.5 * MINUTE, "the next round moves it");
  await fireTimer(c, "silent");
  equal(signals(c, "on-call"), ["silent"], "a silent monitor alarms once");
  equal(c.timers.size, 0, "and waits for the monitor");
  await round(c, {}, START + 50 * MINUTE);
  equal(signals(c, "charge").at(-1), "back", "the monitor is back");
  ok(timer() !== undefined, "and watched again");
}

async function badAsk() {
  const c = new TestContext();
  equal((await ack({ body: "{" }, c)).statusCode, 400, "a body that is no JSON");
  equal((await ack({ body: '{"bed":1}' }, c)).statusCode, 400, "a body without bed and name");
  equal((await ack({ body: '{"bed":"9","by":"x"}' }, c)).statusCode, 404, "an unknown bed");
}

async function overview() {
  const c = new TestContext();
  await round(c, {}, START);
  await round(c, { rr: 30, spo2: 85, hr: 140 }, START + 10 * MINUTE);
  const { beds } = await report({}, c);
  equal(beds.length, 1, "the report lists the beds");
  equal(
    [beds[0].bed, beds[0].total, beds[0].alert],
    ["4B-07", 9, "firing"],
    "with score and alert",
  );
  equal(c.counters.get("handled/org.example.vitals"), 14, "every event is counted once");
}

await reading();
await overview();
await life();
await waiting();
await incomplete();
await notScored();
await silence();
await badAsk();
done();
