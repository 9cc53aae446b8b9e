export async function handler(event, context) {
  if (event.caught) {
    try {
      await context.emit({ type: "org.example.secret", source: "x", data: {} });
    } catch (error) {
      return { name: error.name, code: error.code, message: error.message };
    }
  }
  const answer = await fetch("https://other.example.org/patients");
  return { status: answer.status };
}
