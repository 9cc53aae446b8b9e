// ward/telemetry: a batch of device samples through the rules.
//
// The platform batches samples by shard and keeps the batches of a shard in order. A shard's
// devices are one value of state: one read and one write for a batch, however many samples and
// devices it has. What fires goes to the ward's board, in the order it happened.

import config from "./rules.js";
import { applySamples, compile, keptDevices, loadDevices, newCounts } from "./stream.js";

const engine = compile(config);

function message(data) {
  const text = `Device ${data.dev}: ${data.rule} ${data.ev} at ${data.v}, ${data.severity}.`;
  const key = `${data.dev}/${data.rule}/${data.ev}/${data.t}`;
  return { subject: `Device ${data.dev}: ${data.rule} ${data.ev}`, text, data, key };
}

export async function handler(event, context) {
  const key = `devices/${event.subject ?? "all"}`;
  const devices = loadDevices(engine, await context.state.get(key));
  const counts = newCounts();
  const events = [];
  applySamples(engine, devices, event.data.samples, counts, events);
  const effects = [context.state.put(key, keptDevices(engine, devices))];
  for (const data of events) effects.push(context.notify("charge", message(data)));
  for (const name of Object.keys(counts))
    effects.push(context.state.increment(`samples/${name}`, counts[name]));
  await Promise.all(effects);
  return { ...counts, events: events.length };
}
