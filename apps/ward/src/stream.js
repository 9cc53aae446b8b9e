// The rule engine for device samples. It is written for an interpreter, where every allocation and
// property look-up counts: rules are compiled once into flat arrays (they are part of the snapshot)
// and a device is one flat array of numbers, which is also the JSON that is kept.
//
//   device = [name, epoch, band, newest t per metric…, points per metric…,
//             firing per rule…, since per rule…]
//
// "since" is the start of the pending time while a rule is inactive and of the clearing time while
// it is firing. All times are the sample's own, kept as milliseconds after the device's epoch (in
// seconds): small whole numbers are several times cheaper to read and write as JSON. NONE means
// there is none.
//
//              violated for for_ms
//   inactive ───────────────────────▶ firing      one sample that is not violating drops the
//      ▲                                │         pending start; one that does not clear drops
//      └────────────────────────────────┘         the clearing start; a gap restarts both
//              clear for clear_for_ms

import { BANDS, STALE_MS, bandOf, points } from "./news2.js";

const NONE = null;
const NAME = 0;
const EPOCH = 1;
const BAND = 2;
const HEADER = 3;
const EPOCH_AGE_MS_MAX = 2 ** 30; // 12 days; then the epoch moves, so that times stay small
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
    index,
    id: rule.id,
    severity: rule.severity,
    sign: raise.sign,
    bound: raise.bound,
    equal: raise.equal,
    forMs: rule.for_ms,
    clearSign: clear.sign,
    clearBound: clear.bound,
    clearEqual: clear.equal,
    clearForMs: rule.clear_for_ms,
  };
}

// FNV-1a: state written under other rules must not be read as if it were of these.
function signatureOf(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 1;
}

// Points by value at the chart's resolution, so that a sample costs one look-up.
function pointsTable(metric, scale, oxygen) {
  const table = [];
  for (let i = 0; i <= metric.high * metric.resolution; i++)
    table.push(points(metric.name, i / metric.resolution, scale, oxygen));
  return table;
}

function compileDevice(metrics, device) {
  const scale = device.spo2_scale === 2 ? 2 : 1;
  const oxygen = Boolean(device.on_oxygen);
  const scored = SCORED.map((name) => metrics[name]).filter((metric) => metric !== undefined);
  return {
    tables: scored.map((metric) => pointsTable(metric, scale, oxygen)),
    base: (oxygen ? 2 : 0) + (device.acvpu === "A" ? 0 : 3),
    red: device.acvpu !== "A",
  };
}

function compileMetrics(config) {
  // The scored ones come first, so that their times and points lie side by side.
  const others = Object.keys(config.plausible).filter((name) => !SCORED.includes(name));
  const names = SCORED.filter((name) => name in config.plausible).concat(others);
  const metrics = Object.create(null); // by name; no prototype: "constructor" is no metric
  names.forEach((name, index) => {
    const [low, high] = config.plausible[name];
    metrics[name] = {
      name,
      index,
      low,
      high,
      gapMs: config.gap_ms[name],
      resolution: name === "temp" ? 10 : 1,
      scored: SCORED.includes(name),
      rules: [],
    };
  });
  config.rules.forEach((rule, index) => {
    if (metrics[rule.m] === undefined) throw new Error(`rule ${rule.id}: unknown metric ${rule.m}`);
    metrics[rule.m].rules.push(compileRule(rule, index));
  });
  return metrics;
}

/** Turns {rules, plausible, gap_ms, devices} into the engine's tables. */
export function compile(config) {
  const metrics = compileMetrics(config);
  const names = Object.keys(metrics);
  const devices = new Map();
  for (const device of config.devices ?? [])
    devices.set(device.dev, compileDevice(metrics, device));
  const firing = HEADER + 2 * names.length;
  return {
    metrics,
    devices,
    ordinary: compileDevice(metrics, { spo2_scale: 1, on_oxygen: 0, acvpu: "A" }),
    scores: SCORED.every((name) => name in metrics),
    times: HEADER,
    points: HEADER + names.length,
    firing,
    since: firing + config.rules.length,
    length: firing + 2 * config.rules.length,
    signature: signatureOf(JSON.stringify([names, config.rules])),
  };
}

/** A device that has sent nothing yet. */
export function newDevice(engine, name) {
  const device = new Array(engine.length).fill(NONE);
  device[NAME] = name;
  device.fill(0, engine.firing, engine.since);
  return device;
}

/** The devices of a shard by name. State that was written under other rules is not read. */
export function loadDevices(engine, kept) {
  const devices = new Map();
  if (kept === null || kept.rules !== engine.signature) return devices;
  for (const device of kept.devices) devices.set(device[NAME], device);
  return devices;
}

/** What loadDevices reads again. */
export function keptDevices(engine, devices) {
  return { rules: engine.signature, devices: [...devices.values()] };
}

export function newCounts() {
  return { accepted: 0, late_or_duplicate: 0, implausible: 0 };
}

function moveEpoch(engine, device, t) {
  const epoch = Math.floor(t / 1000);
  const by = device[EPOCH] === NONE ? 0 : (epoch - device[EPOCH]) * 1000;
  for (let i = engine.times; i < engine.points; i++) if (device[i] !== NONE) device[i] -= by;
  for (let i = engine.since; i < engine.length; i++) if (device[i] !== NONE) device[i] -= by;
  device[EPOCH] = epoch;
}

function record(out, sample, rule, ev, v, severity) {
  out.push({ seq: sample.seq, t: sample.t, dev: sample.dev, rule, ev, v, severity });
}

function applyRule(engine, device, rule, sample, t, gap, out) {
  const since = engine.since + rule.index;
  const firing = engine.firing + rule.index;
  const wasFiring = device[firing] === 1;
  const x = (wasFiring ? rule.clearSign : rule.sign) * sample.v;
  const bound = wasFiring ? rule.clearBound : rule.bound;
  if (x < bound || (x === bound && !(wasFiring ? rule.clearEqual : rule.equal))) {
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

function applyScore(engine, device, traits, sample, t, out) {
  const times = engine.times;
  const pointsAt = engine.points;
  const oldest = t - STALE_MS;
  let total = traits.base;
  let red = traits.red;
  for (let i = 0; i < SCORED.length; i++) {
    const newest = device[times + i];
    if (newest === NONE || newest < oldest) return;
    const p = device[pointsAt + i];
    total += p;
    if (p === 3) red = true;
  }
  const now = bandOf(total, red);
  if (now === device[BAND]) return;
  device[BAND] = now;
  record(out, sample, "news2", "band", total, BANDS[now]);
}

function plausible(metric, sample) {
  if (metric === undefined) return false;
  const { v, t } = sample;
  // Comparisons that NaN fails; a sample without a value or a time in whole ms is none.
  if (typeof v !== "number" || !(v >= metric.low && v <= metric.high)) return false;
  return t >= 0 && Math.floor(t) === t;
}

/** The device of a sample, new where it has not been heard of. */
function deviceOf(engine, devices, name) {
  let device = devices.get(name);
  if (device === undefined) {
    device = newDevice(engine, name);
    devices.set(name, device);
  }
  return device;
}

/** Applies samples {seq, dev, t, m, v} in their order; what happened is appended to `out`. */
export function applySamples(engine, devices, samples, counts, out) {
  for (let i = 0; i < samples.length; i++)
    step(engine, deviceOf(engine, devices, samples[i].dev), samples[i], counts, out);
}

function step(engine, device, sample, counts, out) {
  const metric = engine.metrics[sample.m];
  if (!plausible(metric, sample)) {
    counts.implausible++;
    return;
  }
  let t = sample.t - device[EPOCH] * 1000;
  if (device[EPOCH] === NONE || t > EPOCH_AGE_MS_MAX) {
    moveEpoch(engine, device, sample.t);
    t = sample.t - device[EPOCH] * 1000;
  }
  const at = engine.times + metric.index;
  const previous = device[at];
  if (previous !== NONE && t <= previous) {
    counts.late_or_duplicate++;
    return;
  }
  counts.accepted++;
  device[at] = t;
  const gap = previous !== NONE && t - previous > metric.gapMs;
  const rules = metric.rules;
  for (let i = 0; i < rules.length; i++) applyRule(engine, device, rules[i], sample, t, gap, out);
  if (!metric.scored || !engine.scores) return;
  const traits = engine.devices.get(sample.dev) ?? engine.ordinary;
  device[engine.points + metric.index] =
    traits.tables[metric.index][(sample.v * metric.resolution + 0.5) | 0];
  applyScore(engine, device, traits, sample, t, out);
}
