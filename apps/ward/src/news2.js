// NEWS2: the National Early Warning Score, Royal College of Physicians, 2017.
//
// The table is the whole rule: each row lists where a band of points ends, from low to high.
// Values are rounded to the chart's own resolution first (whole numbers; tenths for temperature),
// so that no value falls between two rows of the chart. A value that is missing is never worth 0
// points: the score is then incomplete and has no total.

const UP_TO = {
  rr: [
    [8, 3],
    [11, 1],
    [20, 0],
    [24, 2],
    [Infinity, 3],
  ],
  spo2: [
    [91, 3],
    [93, 2],
    [95, 1],
    [Infinity, 0],
  ],
  sbp: [
    [90, 3],
    [100, 2],
    [110, 1],
    [219, 0],
    [Infinity, 3],
  ],
  hr: [
    [40, 3],
    [50, 1],
    [90, 0],
    [110, 1],
    [130, 2],
    [Infinity, 3],
  ],
  temp: [
    [35.0, 3],
    [36.0, 1],
    [38.0, 0],
    [39.0, 1],
    [Infinity, 2],
  ],
};

// Scale 2 is for a prescribed target of 88-92 % only. Too much oxygen scores; breathing air does
// not.
const SPO2_SCALE_2_ON_AIR = [
  [83, 3],
  [85, 2],
  [87, 1],
  [Infinity, 0],
];
const SPO2_SCALE_2_ON_OXYGEN = [
  [83, 3],
  [85, 2],
  [87, 1],
  [92, 0],
  [94, 1],
  [96, 2],
  [Infinity, 3],
];

const ACVPU = "ACVPU"; // Alert, (new) Confusion, responds to Voice, to Pain, Unresponsive

export const PARAMETERS = ["rr", "spo2", "oxygen", "sbp", "hr", "acvpu", "temp"];
export const BANDS = ["low", "low-medium", "medium", "high"];
export const STALE_MS = 15 * 60 * 1000;
export const AGE_MIN_YEARS = 16;

function lookup(rows, value) {
  let i = 0;
  while (value > rows[i][0]) i++;
  return rows[i][1];
}

function rounded(name, value) {
  return name === "temp" ? Math.round(value * 10) / 10 : Math.round(value);
}

/** Points of one measured parameter: rr, spo2, sbp, hr or temp. */
export function points(name, value, scale = 1, oxygen = false) {
  const v = rounded(name, value);
  if (name !== "spo2" || scale !== 2) return lookup(UP_TO[name], v);
  return lookup(oxygen ? SPO2_SCALE_2_ON_OXYGEN : SPO2_SCALE_2_ON_AIR, v);
}

/** The band of a total, an index of BANDS; `red` says whether any single parameter scored 3. */
export function bandOf(total, red) {
  if (total >= 7) return 3;
  if (total >= 5) return 2;
  return red ? 1 : 0;
}

function usable(name, value) {
  if (name === "oxygen") return typeof value === "boolean";
  if (name === "acvpu")
    return typeof value === "string" && value.length === 1 && ACVPU.includes(value);
  return typeof value === "number" && Number.isFinite(value);
}

function partPoints(name, vitals) {
  const value = vitals[name];
  if (name === "oxygen") return value ? 2 : 0;
  if (name === "acvpu") return value === "A" ? 0 : 3;
  return points(name, value, vitals.scale, vitals.oxygen);
}

/** Why this patient is not scored, or null. NEWS2 is not for children or in pregnancy. */
export function notScored({ age, pregnant } = {}) {
  if (typeof age === "number" && age < AGE_MIN_YEARS) return "under 16";
  return pregnant === true ? "pregnant" : null;
}

/**
 * Scores one set of vital signs: {rr, spo2, scale, oxygen, sbp, hr, acvpu, temp}.
 * Missing or unusable parameters are named in `missing`; the points of the others are `partial`.
 */
export function news2(vitals) {
  const missing = [];
  const parts = {};
  let sum = 0;
  let red = false;
  for (const name of PARAMETERS) {
    // On scale 2 the points of SpO2 depend on oxygen: without it they are not known either.
    const known =
      usable(name, vitals[name]) &&
      (name !== "spo2" || vitals.scale !== 2 || usable("oxygen", vitals.oxygen));
    if (!known) {
      missing.push(name);
      continue;
    }
    parts[name] = partPoints(name, vitals);
    sum += parts[name];
    red = red || parts[name] === 3;
  }
  if (missing.length > 0)
    return { complete: false, total: null, band: null, missing, partial: sum, parts };
  return { complete: true, total: sum, band: BANDS[bandOf(sum, red)], parts };
}

/**
 * Scores the newest value of each parameter at time `now`: values are {v, t} by name, and one
 * older than 15 minutes counts as missing.
 */
export function news2At(now, values, scale) {
  const vitals = { scale };
  for (const name of PARAMETERS) {
    const newest = values[name];
    if (newest !== undefined && now - newest.t <= STALE_MS) vitals[name] = newest.v;
  }
  return news2(vitals);
}
