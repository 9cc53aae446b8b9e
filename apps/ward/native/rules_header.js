// Writes the rules as C tables for stream.c: node rules_header.js [RULES.js|RULES.json] > rules.h
//
// The tables come from the compiled JavaScript engine, so both engines stand on one reading of the
// rules and can continue each other's state.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { compile } from "../src/stream.js";

const path = process.argv[2] ?? new URL("../src/rules.js", import.meta.url).pathname;
const config = path.endsWith(".json")
  ? JSON.parse(readFileSync(path, "utf8"))
  : (await import(pathToFileURL(path))).default;
const engine = compile(config);
const metrics = Object.values(engine.metrics);
const rules = metrics.flatMap((metric) => metric.rules);
const tables = []; // distinct tables of points

function tableIndex(table) {
  const text = table.join(",");
  if (!tables.includes(text)) tables.push(text);
  return tables.indexOf(text);
}

function traitsRow(name, { tables: own, base, red }) {
  const indices = own.map(tableIndex).join(", ");
  return `    {${JSON.stringify(name)}, ${name.length}, ${base}, ${red}, {${indices}}},`;
}

function metricRow({ name, low, high, gapMs, resolution, scored, rules: own }) {
  const first = own.length > 0 ? rules.indexOf(own[0]) : 0;
  const bounds = `${low}, ${high}, ${gapMs}, ${resolution}, ${scored}`;
  return `    {"${name}", ${name.length}, ${bounds}, ${first}, ${own.length}},`;
}

function ruleRow(rule) {
  const raise = `${rule.sign}, ${rule.bound}, ${rule.equal}, ${rule.forMs}`;
  const clear = `${rule.clearSign}, ${rule.clearBound}, ${rule.clearEqual}, ${rule.clearForMs}`;
  return `    {"${rule.id}", "${rule.severity}", ${rule.index}, {${raise}}, {${clear}}},`;
}

const traits = [traitsRow("", engine.ordinary)];
for (const [name, device] of engine.devices) traits.push(traitsRow(name, device));

console.log(`/* Written by rules_header.js: do not edit. */
#define METRIC_COUNT ${metrics.length}
#define RULE_COUNT ${rules.length}
#define SCORES ${engine.scores ? 1 : 0}
#define SIGNATURE ${engine.signature}
#define TRAITS_COUNT ${traits.length}
static const struct metric metrics[METRIC_COUNT] = {
${metrics.map(metricRow).join("\n")}
};
static const struct rule rules[RULE_COUNT + 1] = {
${rules.map(ruleRow).join("\n")}
};
/* The first is for devices that are not listed. */
static const struct traits traits[TRAITS_COUNT] = {
${traits.join("\n")}
};
${tables.map((t, i) => `static const uint8_t points_${i}[] = {${t}};`).join("\n")}
static const uint8_t *const points[] = {${tables.map((_, i) => `points_${i}`).join(", ")}};`);
