// runtime/js/prelude.js: what a handler finds around it, evaluated once, before the base snapshot.
//
// A function of the host object (runtime/js_host.c) that gives the functions runtime/js.c calls.
// Everything it uses later is taken now, so that a handler that changes Array.prototype or JSON
// breaks its own run at most; the restore after the run undoes even that.
(function (host) {
"use strict";

const { parse, stringify } = JSON;
const { apply, construct, ownKeys } = Reflect;
const { defineProperty, defineProperties, freeze, create, getPrototypeOf } = Object;
const isArray = Array.isArray;
const text = String;
const uncurry = (method) => (self, ...args) => apply(method, self, args);
const then = uncurry(Promise.prototype.then);
const resolved = Promise.resolve.bind(Promise);
const mapGet = uncurry(Map.prototype.get), mapSet = uncurry(Map.prototype.set);
const mapDelete = uncurry(Map.prototype.delete), mapHas = uncurry(Map.prototype.has);
const mapSize = uncurry(Object.getOwnPropertyDescriptor(Map.prototype, "size").get);
const split = uncurry(String.prototype.split), trim = uncurry(String.prototype.trim);
const includes = uncurry(String.prototype.includes), slice = uncurry(String.prototype.slice);
const startsWith = uncurry(String.prototype.startsWith);
const join = uncurry(Array.prototype.join), push = uncurry(Array.prototype.push);
const { Promise: Promised, Error: Fault, TypeError: TypeFault, Date: When } = globalThis;
const now = Date.now;
const floor = Math.floor;
const Engine = globalThis.InternalError;

// Set by the first call of a run. The snapshot holds false: each run starts so.
let running = false;
let ended = false;
let entry; // the default handler
let exported; // all that the code exports

const fault = (name, message, more) => {
  const error = new Fault(message);
  defineProperty(error, "name", { value: name, configurable: true, writable: true });
  for (const key in more) error[key] = more[key];
  return error;
};
const inRun = (what) => {
  if (running) return;
  throw fault("Medulla.AtDeploy", `${what} cannot be used while the function is deployed: its ` +
    "top level runs once and every run starts from its result; use it inside the handler");
};

// ---- results and errors ----

const frames = (stack) => {
  const found = [];
  const lines = split(text(stack), "\n");
  for (let i = 0; i < lines.length; i++) {
    const line = trim(lines[i]);
    if (startsWith(line, "at ") && !includes(line, "medulla:")) push(found, line);
  }
  return found;
};

// Reads a thrown value, which may be anything, with getters that throw.
const facts = (thrown) => {
  let type = "Error", message = "", stack = [];
  try {
    if (thrown !== null && (typeof thrown === "object" || typeof thrown === "function")) {
      type = text(thrown.name ?? "Error");
      message = text(thrown.message ?? "");
      stack = frames(thrown.stack ?? "");
    } else {
      type = thrown === null ? "null" : typeof thrown;
      message = text(thrown);
    }
  } catch {
    message = "the thrown value cannot be read";
  }
  return { type, message, stack };
};

// How host.end names the end: 1 threw, 2 out of memory, 3 out of stack.
const ending = (thrown) => {
  try {
    if (thrown instanceof Engine && thrown.message === "out of memory") return 2;
    if (thrown instanceof RangeError && includes(thrown.message, "call stack")) return 3;
  } catch {}
  return 1;
};

const end = (how, body) => {
  if (ended) return;
  ended = true;
  host.end(how, body);
};
const fail = (thrown) => {
  const { type, message, stack } = facts(thrown);
  end(ending(thrown), stringify({ errorMessage: message, errorType: type, stackTrace: stack }));
};

const written = (result) => {
  if (result === undefined) return "null";
  let json;
  try {
    json = stringify(result);
  } catch (error) {
    if (ending(error) !== 1) throw error;
    throw fault("Medulla.Unserializable",
      `the result cannot be written as JSON: ${facts(error).message}`);
  }
  if (json === undefined)
    throw fault("Medulla.Unserializable", `a ${typeof result} cannot be written as JSON`);
  return json;
};
const finish = (result) => {
  try {
    end(0, written(result));
  } catch (error) {
    fail(error);
  }
};

// For deploy: one line that says what and where.
const describe = (thrown) => {
  const { type, message, stack } = facts(thrown);
  return `${type}: ${message}${stack.length ? ` (${stack[0]})` : ""}`;
};

// ---- effects ----

const pending = new Map(); // ordinal → {resolve, reject, shape}

const call = (effect, payload, shape) => {
  inRun(`context.${effect}`);
  return new Promised((resolve, reject) => {
    const ordinal = host.request(text(effect), stringify(payload ?? {}));
    if (ordinal === 0)
      throw fault("Medulla.Limit", "a run may ask for 10000 effects, and this one did");
    mapSet(pending, ordinal, { resolve, reject, shape });
  });
};

const settle = (ordinal, ok, body) => {
  const waiting = mapGet(pending, ordinal);
  if (!waiting) return;
  mapDelete(pending, ordinal);
  let value;
  try {
    value = body === "" ? undefined : parse(body);
    if (ok && waiting.shape) value = waiting.shape(value);
  } catch (error) {
    waiting.reject(error);
    return;
  }
  if (ok) return waiting.resolve(value);
  const { name, message, code, ...more } = value ?? {};
  waiting.reject(fault(text(name ?? "Error"), text(message ?? "the effect failed"),
    code === undefined ? more : { code, ...more }));
};

// ---- timers ----

let timers = []; // {id, at, every, callback, args}; few, so a list in order of time
let timerId = 0;

const schedule = (timer) => {
  let i = timers.length;
  while (i > 0 && timers[i - 1].at > timer.at) i--;
  timers = [...timers.slice(0, i), timer, ...timers.slice(i)];
};
const addTimer = (name, every) => (callback, delay, ...args) => {
  inRun(name);
  if (typeof callback !== "function") throw new TypeFault(`${name}: the callback is no function`);
  const ms = Math.max(1, Math.min(2147483647, floor(+delay) || 0));
  const timer = { id: ++timerId, at: host.elapsed() + ms, every: every ? ms : 0, callback, args };
  schedule(timer);
  return timer.id;
};
const clearTimer = (id) => {
  timers = timers.filter((timer) => timer.id !== id);
};

// Runs what is due. Gives the milliseconds to the next timer; Infinity: only answers are waited
// for; -1: nothing is.
const poll = () => {
  if (timers.length && timers[0].at <= host.elapsed()) {
    const timer = timers[0];
    timers = timers.slice(1);
    if (timer.every) schedule({ ...timer, at: timer.at + timer.every });
    try {
      apply(timer.callback, undefined, timer.args);
    } catch (error) {
      fail(error);
    }
    return 0;
  }
  if (timers.length) return Math.max(0, timers[0].at - host.elapsed());
  return mapSize(pending) ? Infinity : -1;
};

// ---- context ----

let info; // the run's facts, parsed when the handler first looks
const facet = (name) => (info ??= parse(host.input(0)))[name];

const bodyOf = (body) => {
  if (body === undefined || body === null) return {};
  if (typeof body === "string") return { body };
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body))
    return { body: base64(bytesOf(body)), encoding: "base64" };
  return { body: stringify(body) };
};
const readable = (answer) => {
  if (answer === null || typeof answer !== "object") return answer;
  const { body = "", encoding, ...rest } = answer;
  const bytes = () => (encoding === "base64" ? unbase64(body) : utf8(body));
  return defineProperties(rest, {
    bytes: { value: async () => bytes() },
    arrayBuffer: { value: async () => bytes().buffer },
    text: { value: async () => (encoding === "base64" ? fromUtf8(bytes()) : body) },
    json: { value: async () => parse(encoding === "base64" ? fromUtf8(bytes()) : body) },
  });
};

// One line for each effect: what its arguments become. A new one needs no more than this.
const effects = {
  emit: (event, options) => call("emit", { event, ...options }),
  cancel: (key) => call("cancel", { key }),
  notify: (contact, message) => call("notify", { contact, ...message }),
  queue: {
    send: (queue, body, options) => call("queue.send", { queue, body, ...options }),
  },
  object: {
    get: (bucket, key, options) => call("object.get", { bucket, key, ...options }, readable),
    put: (bucket, key, body, options) =>
      call("object.put", { bucket, key, ...bodyOf(body), ...options }),
    head: (bucket, key) => call("object.head", { bucket, key }),
    delete: (bucket, key) => call("object.delete", { bucket, key }),
    list: (bucket, options) => call("object.list", { bucket, ...options }),
  },
  state: {
    get: (key) => call("state.get", { key }),
    put: (key, value) => call("state.put", { key, value: value === undefined ? null : value }),
    delete: (key) => call("state.delete", { key }),
    increment: (key, by = 1) => call("state.increment", { key, by }),
    list: (options) => call("state.list", typeof options === "string" ? { prefix: options }
                                                                       : { ...options }),
  },
  call: (effect, payload) => call(effect, payload),
};

const name = () => facet("functionName") ?? "function";
const derived = {
  awsRequestId: () => facet("awsRequestId"),
  deliveryId: () => facet("deliveryId"),
  attempt: () => facet("attempt") ?? 1,
  receivedMs: () => facet("receivedMs"),
  functionName: name,
  functionVersion: () => facet("functionVersion") ?? "$LATEST",
  invokedFunctionArn: () => facet("invokedFunctionArn") ??
    `arn:aws:lambda:local:000000000000:function:${name()}:${facet("functionVersion") ?? "$LATEST"}`,
  memoryLimitInMB: () => facet("memoryLimitInMB") ?? "128",
  logGroupName: () => facet("logGroupName") ?? `/aws/lambda/${name()}`,
  logStreamName: () => facet("logStreamName") ?? text(facet("awsRequestId") ?? ""),
  deliveryId: () => facet("deliveryId"),
  attempt: () => facet("attempt") ?? 1,
  receivedMs: () => facet("receivedMs"),
  traceparent: () => facet("traceparent"),
  identity: () => facet("identity"),
  clientContext: () => facet("clientContext"),
};

const context = { callbackWaitsForEmptyEventLoop: true };
for (const key of ownKeys(derived))
  defineProperty(context, key, { enumerable: true, configurable: true, get: derived[key] });
Object.assign(context, effects, {
  getRemainingTimeInMillis: () => host.remaining(),
  log: (...args) => write(1, args),
  fetch: (...args) => globalThis.fetch(...args),
  succeed: finish,
  fail,
  done: (error, result) => (error ? fail(error) : finish(result)),
});

// ---- console ----

const show = (value, depth, seen) => {
  if (typeof value === "string") return depth ? stringify(value) : value;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "symbol") return text(value);
  if (typeof value === "function") return `[Function: ${value.name || "(anonymous)"}]`;
  if (value === null || typeof value !== "object") return text(value);
  if (value instanceof Fault)
    return `${value.name}: ${value.message}\n${join(frames(value.stack), "\n")}`;
  if (seen.includes(value)) return "[Circular]";
  if (depth > 4) return isArray(value) ? "[Array]" : "[Object]";
  const inside = [...seen, value];
  if (value instanceof When) return stringify(value);
  if (isArray(value))
    return `[ ${value.slice(0, 100).map((v) => show(v, depth + 1, inside)).join(", ")} ]`;
  if (value instanceof Map) return `Map ${show([...value], depth + 1, inside)}`;
  if (value instanceof Set) return `Set ${show([...value], depth + 1, inside)}`;
  const members = Object.keys(value).slice(0, 100)
    .map((key) => `${key}: ${show(value[key], depth + 1, inside)}`);
  return members.length ? `{ ${members.join(", ")} }` : "{}";
};
const write = (level, args) => {
  if (!running) return;
  let line = "";
  for (let i = 0; i < args.length; i++) {
    let shown;
    try {
      shown = show(args[i], 0, []);
    } catch {
      shown = "[cannot be shown]";
    }
    line += i ? ` ${shown}` : shown;
  }
  host.log(level, line);
};
const printer = (level) => (...args) => write(level, args);
const counts = new Map();
const quiet = () => {};
defineProperty(globalThis, "console", {
  configurable: true, writable: true, enumerable: false,
  value: {
    debug: printer(0), trace: printer(0), log: printer(1), info: printer(1), dir: printer(1),
    table: printer(1), warn: printer(2), error: printer(3), group: printer(1), groupEnd: quiet,
    assert: (ok, ...args) => ok || write(3, ["Assertion failed:", ...args]),
    count: (label = "default") => {
      const count = (mapGet(counts, label) ?? 0) + 1;
      mapSet(counts, label, count);
      write(1, [`${label}: ${count}`]);
    },
    time: (label = "default") => void mapSet(counts, `time ${label}`, host.elapsed()),
    timeEnd: (label = "default") =>
      write(1, [`${label}: ${host.elapsed() - (mapGet(counts, `time ${label}`) ?? 0)}ms`]),
  },
});

// ---- globals ----

const global = (name, value) =>
  defineProperty(globalThis, name, { value, configurable: true, writable: true });

let environment;
global("process", {
  get env() {
    return running ? (environment ??= parse(host.input(1))) : {};
  },
  set env(value) {
    environment = value;
  },
  argv: [], platform: "linux", version: "v22.0.0", versions: { node: "22.0.0" }, pid: 1,
  cwd: () => "/", nextTick: (f, ...args) => queueMicrotask(() => f(...args)),
  uptime: () => host.elapsed() / 1000, hrtime: Object.assign(
    () => [floor(host.elapsed() / 1000), (host.elapsed() % 1000) * 1e6],
    { bigint: () => BigInt(host.elapsed()) * 1000000n }),
  on: quiet, once: quiet, off: quiet, emitWarning: quiet,
});
global("global", globalThis);
global("setTimeout", addTimer("setTimeout", false));
global("setInterval", addTimer("setInterval", true));
global("setImmediate", (f, ...args) => globalThis.setTimeout(f, 0, ...args));
global("clearTimeout", clearTimer);
global("clearInterval", clearTimer);
global("clearImmediate", clearTimer);
global("queueMicrotask", (callback) => {
  if (typeof callback !== "function") throw new TypeFault("queueMicrotask: no function");
  then(resolved(), callback);
});
defineProperty(Math, "random", {
  value: function random() {
    inRun("Math.random");
    return host.random();
  },
  configurable: true, writable: true,
});
global("performance", {
  now: () => host.elapsed(),
  get timeOrigin() {
    return now() - host.elapsed();
  },
});

// ---- bytes and text ----

const bytesOf = (source) =>
  ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
                             : new Uint8Array(source);
INCLUDE("web.js");
INCLUDE("url.js");
INCLUDE("fetch.js");

// ---- what runtime/js.c calls ----

const missing = (wanted) => fault("Runtime.HandlerNotFound",
  `the code exports no function "${wanted}"`);

// The function called `wanted`, as an export or inside the default export.
const pick = (wanted) => {
  for (const from of [exported, exported?.default]) {
    if (from === null || (typeof from !== "object" && typeof from !== "function")) continue;
    if (typeof from[wanted] === "function") return from[wanted];
  }
  return undefined;
};

// The end of a run comes by return value where it can: one call less.
const enter = (json, wanted) => {
  running = true;
  ended = false; // matters where a guest is reused, in benches
  try {
    const handler = wanted === undefined ? entry : pick(wanted);
    if (!handler) throw missing(wanted ?? "handler");
    const event = json === "" ? null : parse(json);
    const result = handler.length > 2 ? handler(event, context, context.done)
                                      : handler(event, context);
    if (ended) return;
    if (result !== null && typeof result === "object" && typeof result.then === "function") {
      then(resolved(result), finish, fail);
      return;
    }
    if (handler.length > 2 && result === undefined) return; // its callback will tell
    const json_ = written(result);
    ended = true;
    return json_;
  } catch (error) {
    fail(error);
  }
};

// The code's top level has run: keep what it exports.
let loading = "";
let failure;
const load = (value, how) => {
  const keep = (namespace) => {
    exported = namespace;
    entry = pick("handler") ?? (typeof namespace?.default === "function" ? namespace.default
      : typeof namespace === "function" ? namespace : undefined);
    loading = "done";
  };
  loading = "waiting";
  if (how === "script") {
    const module = { exports: {} };
    const require = (what) => {
      throw fault("Medulla.NoModule", `require("${what}"): modules are bundled when a folder ` +
        "with package.json is deployed; at run time there is nothing to load");
    };
    apply(value, module.exports, [module.exports, require, module, "/function.js", "/"]);
    keep(module.exports);
  } else if (value instanceof Promised) {
    then(value, keep, (error) => { failure = { error }; });
  } else {
    keep(value);
  }
};
const loaded = () => {
  if (failure) throw failure.error;
  if (loading !== "done")
    throw fault("Medulla.AtDeploy", "the top level waits for something that never comes");
  const functions = (from) => from !== null && typeof from === "object" &&
    ownKeys(from).some((key) => typeof from[key] === "function");
  if (!entry && !functions(exported) && !functions(exported?.default))
    throw missing("handler");
};

return { enter, poll, settle, load, loaded, describe };
})
