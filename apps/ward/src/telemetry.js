// ward/telemetry: a batch of device samples through the rules.
//
// One run has a whole batch, with the devices it names: one read and one write of state for each of
// them, however many samples they sent. What fires goes to the ward's board, in the order it
// happened.

import config from "./rules.js";
import { compile, loadDevice, newCounts, step } from "./stream.js";

const engine = compile(config);

async function loadDevices(samples, state) {
  const devices = new Map();
  for (let i = 0; i < samples.length; i++) devices.set(samples[i].dev, null);
  const names = [...devices.keys()];
  const kept = await Promise.all(names.map((name) => state.get(`device/${name}`)));
  for (let i = 0; i < names.length; i++) devices.set(names[i], loadDevice(engine, kept[i]));
  return devices;
}

function message(data) {
  const text = `Device ${data.dev}: ${data.rule} ${data.ev} at ${data.v}, ${data.severity}.`;
  const key = `${data.dev}/${data.rule}/${data.ev}/${data.t}`;
  return { subject: `Device ${data.dev}: ${data.rule} ${data.ev}`, text, data, key };
}

export async function handler(event, context) {
  const samples = event.data.samples;
  const devices = await loadDevices(samples, context.state);
  const counts = newCounts();
  const events = [];
  for (let i = 0; i < samples.length; i++)
    step(engine, devices.get(samples[i].dev), samples[i], counts, events);
  const effects = [];
  for (const [name, device] of devices) effects.push(context.state.put(`device/${name}`, device));
  for (const data of events) effects.push(context.notify("charge", message(data)));
  for (const name of Object.keys(counts))
    effects.push(context.state.increment(`samples/${name}`, counts[name]));
  await Promise.all(effects);
  return { ...counts, events: events.length };
}
