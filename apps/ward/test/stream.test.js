// Replays the recorded device stream: the log must be the expected one, line for line.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  applySamples,
  compile,
  keptDevices,
  loadDevices,
  newCounts,
  newDevice,
} from "../src/stream.js";
import { done, equal, ok, skip } from "./tap.js";

const folder = join(process.env.MEDULLA_SHARED ?? "", "data/clinical/examples-alert-stream");
const CASES = 86; // 83 log lines, three counts

function ndjson(name) {
  return readFileSync(join(folder, name), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((l) => JSON.parse(l));
}

function replay(engine, samples, batch) {
  let kept = "null"; // what the platform keeps between runs: JSON text
  const counts = newCounts();
  const out = [];
  for (let i = 0; i < samples.length; i += batch) {
    const devices = loadDevices(engine, JSON.parse(kept));
    applySamples(engine, devices, samples.slice(i, i + batch), counts, out);
    kept = JSON.stringify(keptDevices(engine, devices));
  }
  return { counts, out };
}

function replayRecorded() {
  const engine = compile(JSON.parse(readFileSync(join(folder, "rules.json"), "utf8")));
  const samples = ndjson("stream.ndjson");
  const expected = ndjson("expected_events.ndjson");
  const counts = JSON.parse(readFileSync(join(folder, "expected_counts.json"), "utf8"));
  for (const batch of [1, 7, 100, samples.length]) {
    const got = replay(engine, samples, batch);
    equal(got.counts, counts, `counts, batches of ${batch}`);
    equal(got.out.length, expected.length, `number of events, batches of ${batch}`);
    expected.forEach((e, i) => equal(got.out[i], e, `event ${i}, batches of ${batch}`));
  }
}

const CONFIG = {
  rules: [
    {
      id: "high",
      m: "hr",
      cmp: ">",
      limit: 130,
      for_ms: 10000,
      clear: "<=",
      clear_limit: 120,
      clear_for_ms: 5000,
      severity: "high",
    },
  ],
  plausible: { hr: [0, 350] },
  gap_ms: { hr: 30000 },
};

function heart(times) {
  const engine = compile(CONFIG);
  const samples = times.map(([t, v], seq) => ({ seq, dev: "a", t, m: "hr", v }));
  return replay(engine, samples, 1);
}

function rules() {
  equal(
    heart([
      [0, 140],
      [9999, 140],
    ]).out.length,
    0,
    "pending is not yet firing",
  );
  equal(
    heart([
      [0, 140],
      [10000, 140],
    ]).out[0].ev,
    "fire",
    "fires when the pending time is reached",
  );
  equal(
    heart([
      [0, 140],
      [5000, 130],
      [10000, 140],
    ]).out.length,
    0,
    "a good sample drops pending",
  );
  equal(
    heart([
      [0, 140],
      [30001, 140],
    ]).out.length,
    0,
    "a gap restarts pending",
  );
  equal(
    heart([
      [0, 140],
      [30000, 140],
    ]).out.length,
    1,
    "gap_ms itself is no gap",
  );
  equal(
    heart([
      [0, 140],
      [10000, 140],
      [15000, 140],
      [20000, 150],
    ]).out.length,
    1,
    "no repeat while firing",
  );
  equal(
    heart([
      [0, 140],
      [10000, 140],
      [11000, 121],
      [17000, 120],
      [22000, 120],
    ]).out.map((e) => e.ev),
    ["fire", "resolve"],
    "clears only below the clear limit",
  );
  const bad = heart([
    [0, 351],
    [0, NaN],
    [0, null],
    [NaN, 80],
    [1, 350],
    [1, 80],
    [0, 80],
  ]).counts;
  equal(bad, { accepted: 1, late_or_duplicate: 2, implausible: 4 }, "bounds are inclusive");
}

function epochs() {
  const start = 1767225600000;
  const days = [0, 5, 13, 26].map((day) => day * 86400000);
  const held = days.flatMap((day) => [
    [start + day, 140],
    [start + day + 10000, 140],
    [start + day + 11000, 100],
    [start + day + 16000, 100],
  ]);
  equal(
    heart(held).out.map((e) => e.ev),
    days.flatMap(() => ["fire", "resolve"]),
    "weeks later the clock is still right",
  );
  const pending = [
    [start + 12.5 * 86400000, 140],
    [start + 12.5 * 86400000 + 10000, 140],
  ];
  equal(heart([[start, 80], ...pending]).out.length, 1, "pending survives the move of the epoch");
  equal(
    heart([
      [5000, 140],
      [0, 140],
      [15000, 140],
    ]).counts.late_or_duplicate,
    1,
    "late is late",
  );
}

function edges() {
  const engine = compile(CONFIG);
  const counts = newCounts();
  const devices = new Map();
  for (const m of ["mood", "constructor", "__proto__", undefined])
    applySamples(engine, devices, [{ seq: 1, dev: "a", t: 1, m, v: 3 }], counts, []);
  equal(counts.implausible, 4, "an unknown metric changes nothing");
  equal(devices.get("a"), newDevice(engine, "a"), "nor its device");
  for (const dev of ["__proto__", "constructor"])
    applySamples(engine, devices, [{ seq: 1, dev, t: 1, m: "hr", v: 80 }], counts, []);
  const kept = JSON.parse(JSON.stringify(keptDevices(engine, devices)));
  equal(loadDevices(engine, kept).size, 3, "a device may have any name");
  const other = compile({ ...CONFIG, rules: [] });
  equal(loadDevices(other, kept).size, 0, "state of other rules is not read");
  let threw = "";
  try {
    compile({ ...CONFIG, rules: [{ ...CONFIG.rules[0], cmp: "~" }] });
  } catch (e) {
    threw = e.message;
  }
  equal(threw, "unknown comparison ~", "a wrong comparison is refused");
}

rules();
epochs();
edges();
if (existsSync(folder)) replayRecorded();
else skip("recorded stream", `${CASES} cases: no shared test data`);
done();
