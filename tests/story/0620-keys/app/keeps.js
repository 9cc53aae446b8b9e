// canary-in-code
export async function handler(event, context) {
  const text = event.data?.text ?? event.text;
  console.log(text);
  await context.state.put("last", text);
  await context.object.put("notes", "last.txt", text);
  if (event.fail) throw new Error(text);
  return { text };
}
