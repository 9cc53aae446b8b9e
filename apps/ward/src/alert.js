// The alert of one patient, as a pure step from one score to the next.
//
//              level held long enough              acknowledged by a person
//   inactive ──▶ pending ──▶ firing ─────────────────────────▶ acknowledged
//      ▲            │          │ ▲            got worse            │
//      │            │          │ └─────────────────────────────────┘
//      └────────────┴──────────┴── low for CLEAR_MS: resolved ─────┘
//
// A level is an index of BANDS. Each level has its own waiting time, counted from the first sample
// at or above it. While an alert is firing nothing is repeated; only a higher level signals again.
// An incomplete score may raise an alert, because its points are a lower bound; it never clears
// one.

import { BANDS, bandOf } from "./news2.js";

const MINUTE_MS = 60 * 1000;
const HOLD_MS = [0, 5 * MINUTE_MS, 2 * MINUTE_MS, 0];
const CLEAR_MS = 30 * MINUTE_MS;

export const INACTIVE = {
  state: "inactive",
  level: 0,
  since: [null, null, null, null],
  below: null,
};

function levelOf(score) {
  if (score.complete) return BANDS.indexOf(score.band);
  return bandOf(score.partial, Object.values(score.parts).includes(3));
}

// Since when each level has been reached or passed. A lower bound that is lower says nothing.
function sinceOf(since, level, complete, t) {
  return since.map((start, l) => {
    if (l > 0 && level >= l) return start ?? t;
    return complete ? null : start;
  });
}

function dueLevel(since, level, t) {
  for (let l = level; l > 0; l--) if (t - since[l] >= HOLD_MS[l]) return l;
  return 0;
}

function fire(alert, since, due, t) {
  const first = alert.state !== "firing" && alert.state !== "acknowledged";
  const next = {
    state: "firing",
    level: due,
    since,
    below: null,
    startedAt: first ? since[due] : alert.startedAt,
    firedAt: t,
    conditionDelayMs: t - since[due],
  };
  return { alert: next, signal: first ? "fire" : "worse" };
}

function stepDown(alert, since, level, below, t) {
  if (level === 0) return { alert: { ...INACTIVE }, signal: "resolve" };
  return { alert: { ...alert, since, level, below: null }, signal: null };
}

/** One score at sample time t. Returns {alert, signal}: "fire", "worse", "resolve" or null. */
export function nextAlert(alert, score, t) {
  const level = levelOf(score);
  const since = sinceOf(alert.since, level, score.complete, t);
  const due = dueLevel(since, level, t);
  const active = alert.state === "firing" || alert.state === "acknowledged";
  if (due > (active ? alert.level : 0)) return fire(alert, since, due, t);
  if (!active) {
    const waiting = since.some((start) => start !== null);
    return { alert: { ...INACTIVE, state: waiting ? "pending" : "inactive", since }, signal: null };
  }
  if (level >= alert.level) return { alert: { ...alert, since, below: null }, signal: null };
  const below = score.complete ? (alert.below ?? t) : alert.below;
  if (score.complete && t - below >= CLEAR_MS) return stepDown(alert, since, level, below, t);
  return { alert: { ...alert, since, below }, signal: null };
}

/** A person has seen it. Null when there is nothing to acknowledge. */
export function acknowledge(alert, by, now) {
  if (alert.state !== "firing") return null;
  return { ...alert, state: "acknowledged", by, acknowledgedAt: now };
}
