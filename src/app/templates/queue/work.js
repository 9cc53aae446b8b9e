// Messages come in batches, in the shape SQS gives them. What cannot be done is named in the
// answer and comes again; the rest of the batch is done.
export async function handler(event, context) {
  const batchItemFailures = [];
  for (const record of event.Records ?? []) {
    try {
      const order = JSON.parse(record.body);
      await context.state.put(`order/${order.id}`, order);
    } catch {
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}
