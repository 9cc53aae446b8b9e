const { double } = require("./lib/double");
exports.handler = async (event) => double(event.n);
