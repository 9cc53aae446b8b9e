// runtime/js/fetch.js: fetch with Headers, Request and Response: the effect "fetch" in the web's
// clothes. Part of prelude.js.
//
// The effect's payload is {url, method, headers: [[name, value]...], body, encoding}; its answer
// {status, statusText, url, headers, body, encoding}. Bodies are whole: there are no streams.

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

class Headers {
  #map = new Map(); // lower-case name → list of values
  constructor(init) {
    if (init === undefined || init === null) return;
    const pairs = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }
  #name(name) {
    if (!token.test(text(name))) throw new TypeFault(`"${name}" is no header name`);
    return text(name).toLowerCase();
  }
  #value(value) {
    const clean = text(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
    if (/[\0\r\n]/.test(clean)) throw new TypeFault("a header value cannot hold line ends");
    return clean;
  }
  append(name, value) {
    const key = this.#name(name);
    mapSet(this.#map, key, [...(mapGet(this.#map, key) ?? []), this.#value(value)]);
  }
  set(name, value) {
    mapSet(this.#map, this.#name(name), [this.#value(value)]);
  }
  get(name) {
    return mapGet(this.#map, this.#name(name))?.join(", ") ?? null;
  }
  getSetCookie() {
    return [...(mapGet(this.#map, "set-cookie") ?? [])];
  }
  has(name) {
    return mapHas(this.#map, this.#name(name));
  }
  delete(name) {
    mapDelete(this.#map, this.#name(name));
  }
  *entries() {
    for (const name of [...this.#map.keys()].sort()) {
      const list = mapGet(this.#map, name);
      if (name === "set-cookie") for (const value of list) yield [name, value];
      else yield [name, list.join(", ")];
    }
  }
  *keys() {
    for (const [name] of this.entries()) yield name;
  }
  *values() {
    for (const [, value] of this.entries()) yield value;
  }
  [Symbol.iterator]() {
    return this.entries();
  }
  forEach(callback, self) {
    for (const [name, value] of this.entries()) callback.call(self, value, name, this);
  }
}

// What both messages have: a body read once.
class Message {
  #bytes; // undefined: no body
  #used = false;
  constructor(body, headers) {
    this.headers = new Headers(headers);
    if (body === undefined || body === null) return;
    let type = "text/plain;charset=UTF-8";
    if (body instanceof URLSearchParams) type = "application/x-www-form-urlencoded;charset=UTF-8";
    if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
      this.#bytes = bytesOf(body).slice();
      return;
    }
    this.#bytes = utf8(text(body));
    if (!this.headers.has("content-type")) this.headers.set("content-type", type);
  }
  static bytes(message) {
    return message.#bytes;
  }
  get bodyUsed() {
    return this.#used;
  }
  #take() {
    if (this.#used) throw new TypeFault("the body was read already");
    this.#used = this.#bytes !== undefined;
    return this.#bytes ?? new Uint8Array(0);
  }
  async bytes() {
    return this.#take();
  }
  async arrayBuffer() {
    return this.#take().buffer;
  }
  async text() {
    return new TextDecoder().decode(this.#take());
  }
  async json() {
    return parse(await this.text());
  }
}

class Request extends Message {
  constructor(input, init = {}) {
    const from = input instanceof Request ? input : undefined;
    const body = init.body ?? (from && Message.bytes(from));
    super(body, init.headers ?? from?.headers);
    this.url = from ? from.url : new URL(text(input)).href;
    this.method = text(init.method ?? from?.method ?? "GET").toUpperCase();
    this.signal = init.signal ?? from?.signal ?? null;
    if (body !== undefined && body !== null && (this.method === "GET" || this.method === "HEAD"))
      throw new TypeFault(`a ${this.method} request has no body`);
  }
  clone() {
    return new Request(this);
  }
}

class Response extends Message {
  constructor(body, init = {}) {
    super(body, init.headers);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? "";
    this.url = init.url ?? "";
    this.redirected = init.redirected ?? false;
    this.type = "default";
  }
  get ok() {
    return this.status >= 200 && this.status < 300;
  }
  clone() {
    return new Response(Message.bytes(this), this);
  }
  static json(value, init = {}) {
    const response = new Response(stringify(value), init);
    response.headers.set("content-type", "application/json");
    return response;
  }
}

// A signal that is aborted rejects the promise; the request itself has gone out.
const withSignal = (signal, promise) => {
  if (!signal) return promise;
  return new Promised((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
    then(promise, resolve, reject);
  });
};

class AbortSignal {
  aborted = false;
  reason = undefined;
  onabort = null;
  #listeners = [];
  addEventListener(type, listener) {
    if (type === "abort") push(this.#listeners, listener);
  }
  removeEventListener(type, listener) {
    this.#listeners = this.#listeners.filter((l) => l !== listener);
  }
  throwIfAborted() {
    if (this.aborted) throw this.reason;
  }
  static set(signal, reason) {
    if (signal.aborted) return;
    signal.aborted = true;
    signal.reason = reason ?? new DOMException("it was aborted", "AbortError");
    for (const listener of [...signal.#listeners, signal.onabort])
      if (typeof listener === "function") listener.call(signal, { type: "abort", target: signal });
  }
  static abort(reason) {
    const signal = new AbortSignal();
    AbortSignal.set(signal, reason);
    return signal;
  }
  static timeout(ms) {
    const signal = new AbortSignal();
    addTimer("AbortSignal.timeout", false)(() =>
      AbortSignal.set(signal, new DOMException("it took too long", "TimeoutError")), ms);
    return signal;
  }
}
class AbortController {
  signal = new AbortSignal();
  abort(reason) {
    AbortSignal.set(this.signal, reason);
  }
}

const asResponse = (answer) => {
  const { body, encoding, ...init } = answer ?? {};
  const content = body === undefined || body === null ? undefined
    : encoding === "base64" ? unbase64(body) : utf8(text(body));
  return new Response(content, init);
};

global("fetch", async (input, init) => {
  const request = new Request(input, init);
  const bytes = Message.bytes(request);
  const payload = { url: request.url, method: request.method, headers: [...request.headers] };
  if (bytes) {
    try {
      payload.body = fromUtf8(bytes, true);
    } catch {
      payload.body = base64(bytes);
      payload.encoding = "base64";
    }
  }
  return withSignal(request.signal, call("fetch", payload, asResponse));
});
global("Headers", Headers);
global("Request", Request);
global("Response", Response);
global("AbortController", AbortController);
global("AbortSignal", AbortSignal);
