function dose(event) {
  if (!event.weight) {
    throw new TypeError("a weight is needed");
  }
  return event.weight * 2;
}

export async function handler(event) {
  return dose(event);
}
