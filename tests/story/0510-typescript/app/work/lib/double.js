exports.double = (n) => {
  if (typeof n !== "number") throw new TypeError("no number");
  return 2 * n;
};
