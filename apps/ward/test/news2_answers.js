// Scores every combination of the lists given and writes two bytes for each: total and band.

import { BANDS, news2 } from "../src/news2.js";

const [rr, spo2, scale, oxygen, sbp, hr, acvpu, temp] = JSON.parse(process.argv[2]);
const lists = [rr, spo2, scale, oxygen, sbp, hr, acvpu, temp];
const answers = Buffer.alloc(2 * lists.reduce((n, list) => n * list.length, 1));
let at = 0;

function score(values) {
  const [r, s, sc, o, b, h, c, tenths] = values;
  const vitals = {
    rr: r,
    spo2: s,
    scale: sc,
    oxygen: o,
    sbp: b,
    hr: h,
    acvpu: c,
    temp: tenths / 10,
  };
  const { total, band } = news2(vitals);
  answers[at++] = total;
  answers[at++] = BANDS.indexOf(band);
}

function walk(depth, values) {
  if (depth === lists.length) return score(values);
  for (const value of lists[depth]) {
    values[depth] = value;
    walk(depth + 1, values);
  }
}

walk(0, new Array(lists.length));
process.stdout.write(answers);
