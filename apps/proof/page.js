export async function handler(event, context) {
  await context.notify("board", { text: "page", data: { event: event.id }, key: event.id });
}
