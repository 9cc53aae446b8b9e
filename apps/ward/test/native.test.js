// The engine in WebAssembly does exactly what the reference does: same events, counts and state.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import rules from "../src/rules.js";
import { applySamples, compile, keptDevices, loadDevices, newCounts } from "../src/stream.js";
import { done, equal, skip } from "./tap.js";

const CASES = 13;
const BATCH = 50;
const work = mkdtempSync(join(tmpdir(), "ward-native-"));
const recorded = join(process.env.MEDULLA_SHARED ?? "", "data/clinical/examples-alert-stream");

function has(...names) {
  return names.some((name) => {
    try {
      execFileSync("which", [name]);
      return true;
    } catch {
      return false;
    }
  });
}

function build(config) {
  const from = join(work, "rules.json");
  const to = join(work, "stream.wasm");
  writeFileSync(from, JSON.stringify(config));
  execFileSync(new URL("../native/build", import.meta.url).pathname, [to, from]);
  return new WebAssembly.Module(readFileSync(to));
}

// The platform's side of the imports, for one run: state is {text}.
function run(module, event, state) {
  const sent = [];
  let answer = Buffer.alloc(0);
  let result = "";
  const input = Buffer.from(JSON.stringify(event));
  const memory = () => Buffer.from(instance.exports.memory.buffer);
  const text = (at, len) => memory().toString("utf8", at, at + len);
  const read = (from) => (to, at, len) => from().copy(memory(), to, at, at + len);
  const imports = {
    event_size: () => input.length,
    event_read: read(() => input),
    result_write: (at, len) => void (result += text(at, len)),
    fail: (at, len) => {
      throw new Error(text(at, len));
    },
    send: (effect, effectLen, payload, len) => {
      sent.push([text(effect, effectLen), JSON.parse(text(payload, len))]);
      return BigInt(sent.length);
    },
    wait: (ordinal) => {
      const [effect] = sent[Number(ordinal) - 1];
      answer = Buffer.from(effect === "state.get" ? state.text : "null");
      return 0;
    },
    answer_size: () => answer.length,
    answer_read: read(() => answer),
  };
  const instance = new WebAssembly.Instance(module, { medulla: imports });
  instance.exports.handler();
  for (const [effect, { value }] of sent)
    if (effect === "state.put") state.text = JSON.stringify(value);
  return { result: JSON.parse(result), sent };
}

// Both engines over the same samples, in batches; the state must agree after each of them.
function compare(config, samples, name) {
  const engine = compile(config);
  const module = build(config);
  const state = { text: "null" };
  let kept = "null";
  let differ = 0;
  const [expected, events] = [[], []];
  const counts = newCounts();
  const have = newCounts();
  for (let i = 0; i < samples.length; i += BATCH) {
    const batch = samples.slice(i, i + BATCH);
    const devices = loadDevices(engine, JSON.parse(kept));
    applySamples(engine, devices, batch, counts, expected);
    kept = JSON.stringify(keptDevices(engine, devices));
    const { result, sent } = run(
      module,
      { id: "b", subject: "7", data: { samples: batch } },
      state,
    );
    for (const count of Object.keys(have)) have[count] += result[count];
    for (const [effect, { data }] of sent) if (effect === "notify") events.push(data);
    if (state.text !== kept) differ++;
  }
  equal(differ, 0, `${name}: the same state after every batch`);
  equal(have, counts, `${name}: the same counts`);
  equal(events, expected, `${name}: the same ${expected.length} events`);
  return events;
}

// A stream with everything in it: drifts, gaps, late and repeated samples, values that cannot be.
function* anything(count) {
  const metrics = { rr: [8, 40], spo2: [70, 100], sbp: [70, 230], hr: [30, 180], temp: [34, 41] };
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  let t = 1767225600000;
  for (let seq = 0; seq < count; seq++) {
    const names = Object.keys(metrics);
    const m = random() < 0.01 ? "mood" : names[Math.floor(random() * names.length)];
    const [low, high] = metrics[m] ?? [0, 1];
    t += Math.floor(random() * 4000);
    if (random() < 0.002) t += 40 * 60 * 1000;
    if (random() < 0.0005) t += 13 * 24 * 3600 * 1000;
    const wave = Math.sin(seq / 90) * 0.5 + 0.5;
    let v = Math.round((low + (high - low) * (wave * 0.8 + random() * 0.2)) * 10) / 10;
    if (random() < 0.01) v = [-5, 999, null, "80"][Math.floor(random() * 4)];
    const late = random() < 0.02 ? Math.floor(random() * 60000) : 0;
    yield { seq, dev: `d${Math.floor(random() * 5)}`, t: t - late, m, v };
  }
}

function ndjson(name) {
  const lines = readFileSync(join(recorded, name), "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line));
}

function all() {
  compare(rules, [...anything(20000)], "ward");
  const scale2 = [{ dev: "d1", spo2_scale: 2, on_oxygen: 1, acvpu: "A" }];
  const drowsy = [{ dev: "d2", spo2_scale: 1, on_oxygen: 0, acvpu: "V" }];
  compare({ ...rules, devices: [...scale2, ...drowsy] }, [...anything(20000)], "devices");
  if (!existsSync(recorded)) {
    skip("recorded stream", "7 cases: no shared test data");
    return;
  }
  const config = JSON.parse(readFileSync(join(recorded, "rules.json"), "utf8"));
  const events = compare(config, ndjson("stream.ndjson"), "recorded");
  equal(events, ndjson("expected_events.ndjson"), "recorded: the expected log");
  const odd = [{ seq: 1, dev: 'a"\\', t: 5, m: "hr", v: 80 }];
  compare(config, odd, "a name with escapes");
}

if (has("clang-14", "clang") && has("wasm-ld", "wasm-ld-14")) all();
else skip("native engine", `${CASES} cases: no clang with wasm-ld`);
rmSync(work, { recursive: true });
done();
