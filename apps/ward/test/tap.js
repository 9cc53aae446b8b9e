// Just enough of the Test Anything Protocol for the app's tests.

let count = 0;
let failed = 0;

export function ok(condition, name, detail = "") {
  count++;
  if (!condition) failed++;
  console.log(`${condition ? "ok" : "not ok"} ${count} - ${name}`);
  if (!condition && detail) console.log(`# ${detail}`);
}

export function equal(actual, expected, name) {
  const a = JSON.stringify(actual);
  const b = JSON.stringify(expected);
  ok(a === b, name, `expected ${b}, have ${a}`);
}

export function skip(name, why) {
  count++;
  console.log(`ok ${count} - ${name} # SKIP ${why}`);
}

export function done() {
  console.log(`1..${count}`);
  process.exitCode = failed === 0 ? 0 : 1;
}
