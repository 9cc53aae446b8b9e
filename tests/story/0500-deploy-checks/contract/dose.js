export const handler = (event) => ({ mg: event.weight > 100 ? "much" : event.weight * 2 });
