// The top level fails.
throw new TypeError("no table");
export function handler() {}
