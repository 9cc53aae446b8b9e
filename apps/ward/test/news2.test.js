// NEWS2 beside the chart itself (news2_check.py): what is missing, stale, not scored or odd.

import { handler } from "../src/score.js";
import { news2, news2At, notScored, points } from "../src/news2.js";
import { done, equal } from "./tap.js";

const WELL = {
  rr: 16,
  spo2: 97,
  scale: 1,
  oxygen: false,
  sbp: 120,
  hr: 70,
  acvpu: "A",
  temp: 37.0,
};

function complete() {
  equal(
    news2(WELL),
    {
      complete: true,
      total: 0,
      band: "low",
      parts: { rr: 0, spo2: 0, oxygen: 0, sbp: 0, hr: 0, acvpu: 0, temp: 0 },
    },
    "a well adult scores 0",
  );
  equal(news2({ ...WELL, acvpu: "C" }).band, "low-medium", "new confusion alone is a red score");
  equal(news2({ ...WELL, rr: 25, oxygen: true }).band, "medium", "five points are medium");
  equal(news2({ ...WELL, rr: 25, oxygen: true, hr: 111 }).band, "high", "seven points are high");
}

function missing() {
  for (const name of ["rr", "spo2", "oxygen", "sbp", "hr", "acvpu", "temp"]) {
    const without = { ...WELL, rr: 25 };
    delete without[name];
    const got = news2(without);
    equal(
      [got.complete, got.total, got.band, got.missing],
      [false, null, null, [name]],
      `without ${name}`,
    );
  }
  equal(news2({ ...WELL, hr: NaN }).missing, ["hr"], "NaN is missing");
  equal(news2({ ...WELL, hr: "70" }).missing, ["hr"], "text is missing");
  equal(news2({ ...WELL, acvpu: "X" }).missing, ["acvpu"], "an unknown level is missing");
  equal(news2({ ...WELL, acvpu: "AC" }).missing, ["acvpu"], "two levels are missing");
  equal(news2({ ...WELL, acvpu: "" }).missing, ["acvpu"], "no level is missing");
  equal(news2({ ...WELL, oxygen: 1 }).missing, ["oxygen"], "oxygen is yes or no");
  equal(news2({ ...WELL, rr: 25, temp: undefined }).partial, 3, "the points that are known");
  equal(
    news2({ ...WELL, scale: 2, oxygen: undefined }).missing,
    ["spo2", "oxygen"],
    "scale 2 needs oxygen",
  );
  equal(news2({}).missing.length, 7, "nothing known");
}

function stale() {
  const now = 1e12;
  const values = {};
  for (const name of ["rr", "spo2", "oxygen", "sbp", "hr", "acvpu", "temp"])
    values[name] = { v: WELL[name], t: now - 900000 };
  equal(news2At(now, values, 1).total, 0, "15 minutes old still counts");
  equal(news2At(now + 1, values, 1).missing.length, 7, "a millisecond older does not");
  values.hr.t = now - 900001;
  equal(news2At(now, values, 1).missing, ["hr"], "one stale value is named");
}

function rounding() {
  equal(points("temp", 35.04), 3, "35.04 is 35.0");
  equal(points("temp", 35.05), 1, "35.05 is 35.1");
  equal(points("temp", 38.1 - 1e-9), 1, "binary noise does not move a boundary");
  equal(points("spo2", 91.4), 3, "91.4 is 91");
  equal(points("hr", 130.5), 3, "130.5 is 131");
}

async function asked() {
  equal(notScored({ age: 15 }), "under 16", "a child is not scored");
  equal(notScored({ age: 16 }), null, "at 16 it is");
  equal(notScored({ pregnant: true }), "pregnant", "pregnancy is not scored");
  equal((await handler({ ...WELL, age: 12 })).total, null, "ward/score says so");
  const asked = (body) => handler({ routeKey: "POST /fn/ward/score", body });
  equal((await asked(JSON.stringify(WELL))).total, 0, "ward/score over HTTP");
  for (const body of [undefined, "", "{", "null", "7"])
    equal((await asked(body)).statusCode, 400, `a body that is no vital signs: ${body}`);
}

complete();
missing();
stale();
rounding();
await asked();
done();
