export async function handler(event) {
  console.log("hello from", event.data?.bed ?? event.bed);
  console.error("second line");
  if (event.fail) throw new Error("as asked");
  return { bed: event.bed };
}
