export async function handler(event, context) {
  const said = JSON.stringify(event.data ?? event);
  if (context.state) await context.state.put("k", said).catch(() => {});
  if (said.includes("fail")) throw new Error("cannot use " + said);
  if (said.includes("fetch")) await fetch("https://example.org/?" + encodeURIComponent(said));
  return event;
}
