// One body temperature arrives as a FHIR Observation. A fever is told once, until it is over.
const FEVER_CELSIUS = 38.5;
const OVER_CELSIUS = 37.5;

export async function handler(event, context) {
  const patient = event.data?.subject?.reference;
  const celsius = event.data?.valueQuantity?.value;
  if (typeof patient !== "string" || typeof celsius !== "number") {
    throw new TypeError("an Observation with a subject and a temperature is needed");
  }
  const key = `fever/${patient}`;
  const since = await context.state.get(key);
  if (celsius >= FEVER_CELSIUS && !since) {
    await context.state.put(key, event.time ?? "now");
    await context.emit({ type: "org.example.fever", subject: patient, data: { celsius } });
    return { fever: true, told: true };
  }
  if (celsius < OVER_CELSIUS && since) await context.state.delete(key);
  return { fever: celsius >= FEVER_CELSIUS, told: false };
}
