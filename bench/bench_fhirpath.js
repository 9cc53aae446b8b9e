// fhirpath.js over the same expressions and resource as bench_fhirpath.c: compiled evaluations a
// second, and the results, so that both are known to have done the same.
//   node bench/bench_fhirpath.js FOLDER-WITH-node_modules bench/fhirpath.json
const fs = require("fs");
const path = require("path");
const [folder, file] = process.argv.slice(2);
const modules = path.resolve(folder, "node_modules");
const fhirpath = require(path.join(modules, "fhirpath"));
const model = require(path.join(modules, "fhirpath/fhir-context/r4"));
const { expressions, resource } = JSON.parse(fs.readFileSync(file));
const ROUND_MS = 1000;

const programs = expressions.map((expression) => fhirpath.compile(expression, model));
const round = () => programs.map((program) => program(resource));
const end = Date.now() + ROUND_MS / 2; // let the engine warm up
while (Date.now() < end) round();
let count = 0;
const begin = process.hrtime.bigint();
while (process.hrtime.bigint() - begin < BigInt(ROUND_MS) * 1000000n) {
  round();
  count += programs.length;
}
const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
const results = round().map((values) => values.map((value) => value.toString()));
console.log(JSON.stringify({ rate: Math.round(count / seconds), results }));
