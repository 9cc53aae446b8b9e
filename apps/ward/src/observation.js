// FHIR vital-signs Observations to readings: [{name, v}] with the parameter names of NEWS2.

import config from "./rules.js";

const LOINC = "http://loinc.org";
const NEVER_COUNTED = ["entered-in-error", "cancelled", "unknown", "registered"];
const AHEAD_MS_MAX = 5 * 60 * 1000; // a device clock further ahead than this is not believed

// The LOINC codes of vital signs in use; blood pressure is a panel with components.
const CODES = {
  "9279-1": "rr",
  "59408-5": "spo2",
  "2708-6": "spo2",
  "8480-6": "sbp",
  "8867-4": "hr",
  "8310-5": "temp",
  "67775-7": "acvpu",
  "3151-8": "oxygen",
  "3150-6": "oxygen",
};
const BLOOD_PRESSURE = "85354-9";
const UNITS = {
  rr: ["/min"],
  spo2: ["%"],
  sbp: ["mm[Hg]"],
  hr: ["/min"],
  temp: ["Cel", "[degF]"],
  oxygen: ["L/min", "%"],
};
const AIR_PERCENT = 21;

function loinc(concept) {
  return (concept?.coding ?? []).filter((c) => c.system === LOINC).map((c) => c.code);
}

function quantity(name, { value, code }) {
  if (typeof value !== "number" || !UNITS[name].includes(code)) return null;
  if (name === "oxygen") return code === "%" ? value > AIR_PERCENT : value > 0;
  const v = code === "[degF]" ? ((value - 32) * 5) / 9 : value;
  const [low, high] = config.plausible[name];
  return v >= low && v <= high ? v : null;
}

// A value of null is implausible: it was measured, but must not be believed.
function value(name, from) {
  if (from.valueQuantity !== undefined && UNITS[name] !== undefined)
    return quantity(name, from.valueQuantity);
  if (name === "oxygen" && typeof from.valueBoolean === "boolean") return from.valueBoolean;
  if (name !== "acvpu") return null;
  const level = (from.valueCodeableConcept?.coding ?? [])
    .map((c) => c.code)
    .find((code) => typeof code === "string" && /^[ACVPU]$/.test(code));
  return level ?? null;
}

/**
 * Reads one Observation that arrived at time `arrived` (ms).
 * Returns {t, readings: [{name, v}], correction} or {refused: why}.
 */
export function readObservation(observation, arrived) {
  if (observation?.resourceType !== "Observation") return { refused: "no Observation" };
  if (NEVER_COUNTED.includes(observation.status)) return { refused: observation.status };
  const t = Date.parse(observation.effectiveDateTime);
  if (!Number.isFinite(t)) return { refused: "undated" };
  if (t > arrived + AHEAD_MS_MAX) return { refused: "implausible" };
  const codes = loinc(observation.code);
  const parts = codes.includes(BLOOD_PRESSURE)
    ? (observation.component ?? []).map((part) => [loinc(part.code), part])
    : [[codes, observation]];
  const readings = [];
  for (const [own, from] of parts) {
    const name = own.map((code) => CODES[code]).find((known) => known !== undefined);
    if (name !== undefined) readings.push({ name, v: value(name, from) });
  }
  if (readings.length === 0) return { refused: "not a parameter of NEWS2" };
  if (readings.every((reading) => reading.v === null)) return { refused: "implausible" };
  const correction = observation.status === "corrected" || observation.status === "amended";
  return { t, readings: readings.filter((reading) => reading.v !== null), correction };
}
