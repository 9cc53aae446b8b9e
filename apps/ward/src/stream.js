// The rule engine for device samples. It is written for an interpreter, where every allocation and
// property look-up counts: rules are compiled once into flat arrays (they are part of the snapshot)
// and a device is one flat array of numbers, which is also the JSON that is kept.
//
//   device = [signature, band, newest t per metric…, points per metric…, firing per rule…, since per rule…]
//
// "since" is the start of the pending time while a rule is inactive and of the clearing time while
// it is firing. All times are the sample's own; NONE means there is none.
//
//              violated for for_ms
//   inactive ───────────────────────▶ firing      one sample that is not violating drops the
//      ▲                                │         pending start; one that does not clear drops
//      └────────────────────────────────┘         the clearing start; a gap restarts both
//              clear for clear_for_ms

import { BANDS, STALE_MS, band, points } from "./news2.js";

const NONE = -1;
const SIGNATURE = 0;
const BAND = 1;
const HEADER = 2;
const SCORED = ["rr", "spo2", "sbp", "hr", "temp"];

// v > limit, v >= limit, v < limit and v <= limit all become sign * v > bound, or equal if allowed.
function comparison(operator, limit) {
  const sign = operator[0] === ">" ? 1 : -1;
  if (!["<", "<=", ">", ">="].includes(operator)) throw new Error(`unknown comparison ${operator}`);
  return { sign, bound: sign * limit, equal: operator.length === 2 };
}

function compileRule(rule, index) {
  const raise = comparison(rule.cmp, rule.limit);
  const clear = comparison(rule.clear, rule.clear_limit);
  return {
    index, id: rule.id, severity: rule.severity,
    sign: raise.sign, bound: raise.bound, equal: raise.equal, forMs: rule.for_ms,
    clearSign: clear.sign, clearBound: clear.bound, clearEqual: clear.equal,
    clearForMs: rule.clear_for_ms,
  };
}

// FNV-1a: state written under other rules must not be read as if it were of these.
function signatureOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 1;
}

function compileDevice(device) {
  return {
    scale: device.spo2_scale === 2 ? 2 : 1,
    oxygen: Boolean(device.on_oxygen),
    base: (device.on_oxygen ? 2 : 0) + (device.acvpu === "A" ? 0 : 3),
    red: device.acvpu !== "A",
  };
}

/** Turns {rules, plausible, gap_ms, devices} into the engine's arrays. */
export function compile(config) {
  const names = Object.keys(config.plausible);
  const metrics = new Map();
  names.forEach((name, i) => {
    const own = config.rules.map((rule, r) => [rule, r]).filter(([rule]) => rule.m === name);
    metrics.set(name, {
      name, t: HEADER + i, points: HEADER + names.length + i, scored: SCORED.includes(name),
      low: config.plausible[name][0], high: config.plausible[name][1], gapMs: config.gap_ms[name],
      rules: own.map(([rule, r]) => compileRule(rule, r)),
    });
  });
  for (const rule of config.rules)
    if (!metrics.has(rule.m)) throw new Error(`rule ${rule.id}: unknown metric ${rule.m}`);
  const devices = new Map();
  for (const device of config.devices ?? []) devices.set(device.dev, compileDevice(device));
  return {
    metrics, devices,
    ordinary: compileDevice({ spo2_scale: 1, on_oxygen: 0, acvpu: "A" }),
    scored: SCORED.filter((name) => metrics.has(name)).map((name) => metrics.get(name)),
    firing: HEADER + 2 * names.length,
    since: HEADER + 2 * names.length + config.rules.length,
    length: HEADER + 2 * names.length + 2 * config.rules.length,
    signature: signatureOf(JSON.stringify([names, config.rules])),
  };
}

/** A device that has sent nothing yet. */
export function newDevice(engine) {
  const device = new Array(engine.length).fill(NONE);
  device[SIGNATURE] = engine.signature;
  device.fill(0, engine.firing, engine.since);
  return device;
}

/** The kept state, or a new one where there is none or it was written under other rules. */
export function loadDevice(engine, kept) {
  const fits = Array.isArray(kept) && kept.length === engine.length &&
    kept[SIGNATURE] === engine.signature;
  return fits ? kept : newDevice(engine);
}

export function newCounts() {
  return { accepted: 0, late_or_duplicate: 0, implausible: 0 };
}

function record(out, sample, rule, ev, v, severity) {
  out.push({ seq: sample.seq, t: sample.t, dev: sample.dev, rule, ev, v, severity });
}

function applyRule(engine, device, rule, sample, gap, out) {
  const since = engine.since + rule.index;
  const firing = engine.firing + rule.index;
  const t = sample.t;
  const wasFiring = device[firing] === 1;
  const x = (wasFiring ? rule.clearSign : rule.sign) * sample.v;
  const bound = wasFiring ? rule.clearBound : rule.bound;
  if (!(x > bound || (x === bound && (wasFiring ? rule.clearEqual : rule.equal)))) {
    device[since] = NONE;
    return;
  }
  let start = device[since];
  if (start === NONE || gap) start = t;
  if (t - start < (wasFiring ? rule.clearForMs : rule.forMs)) {
    device[since] = start;
    return;
  }
  device[firing] = wasFiring ? 0 : 1;
  device[since] = NONE;
  record(out, sample, rule.id, wasFiring ? "resolve" : "fire", sample.v, rule.severity);
}

function applyScore(engine, device, traits, sample, out) {
  const scored = engine.scored;
  const oldest = sample.t - STALE_MS;
  let total = traits.base;
  let red = traits.red;
  for (let i = 0; i < scored.length; i++) {
    const metric = scored[i];
    const t = device[metric.t];
    if (t === NONE || t < oldest) return;
    const p = device[metric.points];
    total += p;
    if (p === 3) red = true;
  }
  const now = BANDS.indexOf(band(total, red));
  if (now === device[BAND]) return;
  device[BAND] = now;
  record(out, sample, "news2", "band", total, BANDS[now]);
}

/** Applies one sample {seq, dev, t, m, v} to its device; what happened is appended to `out`. */
export function step(engine, device, sample, counts, out) {
  const metric = engine.metrics.get(sample.m);
  const v = sample.v;
  const t = sample.t;
  // Written so that NaN, a missing value or time, or an unknown metric is implausible, too.
  if (metric === undefined || typeof v !== "number" || !(v >= metric.low && v <= metric.high) ||
      typeof t !== "number" || !(t >= 0)) {
    counts.implausible++;
    return;
  }
  const previous = device[metric.t];
  if (t <= previous) {
    counts.late_or_duplicate++;
    return;
  }
  counts.accepted++;
  device[metric.t] = t;
  const gap = previous !== NONE && t - previous > metric.gapMs;
  const rules = metric.rules;
  for (let i = 0; i < rules.length; i++) applyRule(engine, device, rules[i], sample, gap, out);
  if (!metric.scored || engine.scored.length < SCORED.length) return;
  const traits = engine.devices.get(sample.dev) ?? engine.ordinary;
  device[metric.points] = points(metric.name, v, traits.scale, traits.oxygen);
  applyScore(engine, device, traits, sample, out);
}
