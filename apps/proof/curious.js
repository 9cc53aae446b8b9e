export async function handler() {
  const answer = await fetch("https://other-ward.example.org/patients");
  return { status: answer.status };
}
