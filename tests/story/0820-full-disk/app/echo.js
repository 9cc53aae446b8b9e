export const handler = (event) => event.body ?? event;
