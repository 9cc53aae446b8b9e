// Uses every part of the declarations; tests/sdk type-checks it, and checks that each line marked
// as an expected error is one.
import type {
  CloudEvent,
  Context,
  Handler,
  HttpEvent,
  HttpReply,
  MedullaError,
  QueueEvent,
  QueueReply,
  TelemetryEvent,
} from "../medulla";

interface Reading {
  subject: { reference: string };
  value: number;
}

export const vitals: Handler<CloudEvent<Reading>> = async (event, context) => {
  const last = await context.state.get<number>(event.data.subject.reference);
  const change: number = event.data.value - (last ?? 0);
  await Promise.all([
    context.state.put(event.data.subject.reference, event.data.value),
    context.state.increment("seen"),
    context.notify("on-call", { text: `changed by ${change}`, key: event.id }),
  ]);
  const { id } = await context.emit({ type: "org.example.later" }, { after: 60_000, key: "later" });
  await context.cancel("later");
  return { id };
};

export const http: Handler<HttpEvent, HttpReply> = async (event, context) => {
  const answer = await context.fetch("https://api.example.org/", {
    method: "POST",
    body: event.body,
  });
  return { statusCode: answer.status, body: await answer.text() };
};

export async function queue(event: QueueEvent, context: Context): Promise<QueueReply> {
  const failed = [];
  for (const record of event.Records) {
    try {
      await context.object.put("inbox", record.messageId, record.body);
      await context.queue.send("next", { id: record.messageId });
    } catch (error) {
      context.log((error as MedullaError).code);
      failed.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures: failed };
}

export const telemetry: Handler<TelemetryEvent, number> = (event) =>
  event.data.samples.reduce((sum, sample) => sum + sample.v, 0);

export const wrong: Handler = async (event, context) => {
  // @ts-expect-error a message has a text
  await context.notify("on-call", { subject: "nothing else" });
  // @ts-expect-error there is no such effect
  await context.teleport(event.id);
  // @ts-expect-error a delay is a number of milliseconds
  await context.emit({ type: "x" }, { after: "5m" });
};
