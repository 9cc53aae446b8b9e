// runtime/js/web.js: the web's globals that the engine lacks: bytes, text, crypto, clones. Part of
// prelude.js, whose names it uses.

// ---- UTF-8 and base64 ----

const codeUnit = uncurry(String.prototype.charCodeAt);
const fromCodes = String.fromCharCode;

const utf8 = (string) => {
  let bytes = new Uint8Array(string.length), at = 0;
  for (let i = 0; i < string.length; i++) {
    let c = codeUnit(string, i);
    if (at + 4 > bytes.length) {
      const more = new Uint8Array(bytes.length * 2 + 8);
      more.set(bytes);
      bytes = more;
    }
    if (c < 0x80) {
      bytes[at++] = c;
      continue;
    }
    if (c >= 0xd800 && c < 0xe000) {
      const low = c < 0xdc00 && i + 1 < string.length ? codeUnit(string, i + 1) : 0;
      if (low >= 0xdc00 && low < 0xe000) {
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        i++;
      } else {
        c = 0xfffd;
      }
    }
    if (c < 0x800) {
      bytes[at++] = 0xc0 | (c >> 6);
    } else if (c < 0x10000) {
      bytes[at++] = 0xe0 | (c >> 12);
      bytes[at++] = 0x80 | ((c >> 6) & 63);
    } else {
      bytes[at++] = 0xf0 | (c >> 18);
      bytes[at++] = 0x80 | ((c >> 12) & 63);
      bytes[at++] = 0x80 | ((c >> 6) & 63);
    }
    bytes[at++] = 0x80 | (c & 63);
  }
  return bytes.slice(0, at);
};

// WHATWG Encoding, UTF-8 decoder: a broken sequence gives one U+FFFD and its next byte starts anew.
const fromUtf8 = (bytes, fatal) => {
  let out = "", codes = [];
  let c = 0, needed = 0, lower = 0x80, upper = 0xbf;
  const emit = (code) => {
    if (code > 0xffff) codes.push(0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
    else codes.push(code);
    if (codes.length >= 2048) {
      out += apply(fromCodes, undefined, codes);
      codes = [];
    }
  };
  const broken = () => {
    if (fatal) throw new TypeFault("the bytes are not UTF-8");
    emit(0xfffd);
  };
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    if (needed === 0) {
      if (b < 0x80) emit(b);
      else if (b >= 0xc2 && b <= 0xdf) (needed = 1), (c = b & 31);
      else if (b >= 0xe0 && b <= 0xef) {
        if (b === 0xe0) lower = 0xa0;
        if (b === 0xed) upper = 0x9f;
        (needed = 2), (c = b & 15);
      } else if (b >= 0xf0 && b <= 0xf4) {
        if (b === 0xf0) lower = 0x90;
        if (b === 0xf4) upper = 0x8f;
        (needed = 3), (c = b & 7);
      } else broken();
      continue;
    }
    const fits = b >= lower && b <= upper;
    lower = 0x80;
    upper = 0xbf;
    if (!fits) {
      needed = 0;
      broken();
      i--;
      continue;
    }
    c = (c << 6) | (b & 63);
    if (--needed === 0) emit(c);
  }
  if (needed) broken();
  return out + apply(fromCodes, undefined, codes);
};

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const base64 = (bytes) => {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const n = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += alphabet[n >> 18] + alphabet[(n >> 12) & 63] +
      (left > 1 ? alphabet[(n >> 6) & 63] : "=") + (left > 2 ? alphabet[n & 63] : "=");
  }
  return out;
};
const values = new Map([...alphabet].map((c, i) => [c, i]));
const unbase64 = (string) => {
  let s = text(string).replace(/[\t\n\f\r ]/g, "");
  if (s.length % 4 === 0) s = s.replace(/==?$/, "");
  if (s.length % 4 === 1) throw new DOMException("not base64", "InvalidCharacterError");
  const bytes = new Uint8Array(floor((s.length * 3) / 4));
  let bits = 0, held = 0, at = 0;
  for (let i = 0; i < s.length; i++) {
    const value = mapGet(values, s[i]);
    if (value === undefined) throw new DOMException("not base64", "InvalidCharacterError");
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) bytes[at++] = (held >> (bits -= 8)) & 255;
  }
  return bytes;
};

class TextEncoder {
  get encoding() {
    return "utf-8";
  }
  encode(string = "") {
    return utf8(text(string));
  }
  encodeInto(string, into) {
    const whole = text(string);
    let read = 0, written = 0;
    for (const c of whole) {
      const bytes = utf8(c);
      if (written + bytes.length > into.length) break;
      into.set(bytes, written);
      written += bytes.length;
      read += c.length;
    }
    return { read, written };
  }
}

class TextDecoder {
  #fatal;
  #keepMark;
  #held = [];
  constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
    if (!["utf-8", "utf8", "unicode-1-1-utf-8"].includes(text(label).trim().toLowerCase()))
      throw new RangeError(`TextDecoder: "${label}" is not supported, only utf-8 is`);
    this.#fatal = !!fatal;
    this.#keepMark = !!ignoreBOM;
  }
  get encoding() {
    return "utf-8";
  }
  get fatal() {
    return this.#fatal;
  }
  get ignoreBOM() {
    return this.#keepMark;
  }
  decode(source, { stream = false } = {}) {
    let bytes = source === undefined ? new Uint8Array(0) : bytesOf(source);
    if (this.#held.length) bytes = new Uint8Array([...this.#held, ...bytes]);
    this.#held = [];
    if (stream) {
      const whole = bytes.length - unfinished(bytes);
      this.#held = [...bytes.subarray(whole)];
      bytes = bytes.subarray(0, whole);
    }
    const string = fromUtf8(bytes, this.#fatal);
    return !this.#keepMark && codeUnit(string, 0) === 0xfeff ? slice(string, 1) : string;
  }
}
// How many bytes at the end begin a sequence that may go on.
const unfinished = (bytes) => {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const b = bytes[bytes.length - back];
    if (b >= 0xc0) return b >= (back === 1 ? 0xc2 : back === 2 ? 0xe0 : 0xf0) ? back : 0;
    if (b < 0x80) return 0;
  }
  return 0;
};

global("TextEncoder", TextEncoder);
global("TextDecoder", TextDecoder);
global("btoa", (string) => {
  const s = text(string);
  const bytes = new Uint8Array(s.length);
  for (let i = 0; i < s.length; i++) {
    const c = codeUnit(s, i);
    if (c > 255) throw new DOMException("btoa: a character above 255", "InvalidCharacterError");
    bytes[i] = c;
  }
  return base64(bytes);
});
global("atob", (string) => {
  const bytes = unbase64(string);
  let out = "";
  for (let i = 0; i < bytes.length; i++) out += fromCodes(bytes[i]);
  return out;
});

// ---- crypto ----

const randomBytes = (count) => {
  inRun("crypto");
  return new Uint8Array(host.bytes(count));
};
const hex = (bytes) => {
  let out = "";
  for (let i = 0; i < bytes.length; i++) out += "0123456789abcdef"[bytes[i] >> 4] +
    "0123456789abcdef"[bytes[i] & 15];
  return out;
};
const digests = new Map([["SHA-1", 1], ["SHA-256", 256], ["SHA-384", 384], ["SHA-512", 512]]);

global("crypto", {
  getRandomValues: (array) => {
    if (!ArrayBuffer.isView(array) || array.byteLength > 65536)
      throw new DOMException("getRandomValues: a typed array of at most 65536 bytes",
        "QuotaExceededError");
    bytesOf(array).set(randomBytes(array.byteLength));
    return array;
  },
  randomUUID: () => {
    const bytes = randomBytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const h = hex(bytes);
    const cuts = [0, 8, 12, 16, 20, 32];
    return join(cuts.slice(1).map((to, i) => slice(h, cuts[i], to)), "-");
  },
  subtle: {
    digest: async (algorithm, data) => {
      const name = text(typeof algorithm === "object" ? algorithm.name : algorithm).toUpperCase();
      const which = mapGet(digests, name);
      if (!which) throw new DOMException(`digest: unknown algorithm ${name}`, "NotSupportedError");
      return host.digest(which, bytesOf(data).slice().buffer);
    },
  },
});

// ---- structuredClone ----

const cloned = (value, seen) => {
  if (typeof value === "function" || typeof value === "symbol")
    throw new DOMException(`a ${typeof value} cannot be cloned`, "DataCloneError");
  if (value === null || typeof value !== "object") return value;
  if (mapHas(seen, value)) return mapGet(seen, value);
  const keep = (copy) => (mapSet(seen, value, copy), copy);
  if (value instanceof When) return keep(new When(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Boolean || value instanceof Number || value instanceof String)
    return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = cloned(value.buffer, seen);
    const length = value instanceof DataView ? value.byteLength : value.length;
    return keep(new value.constructor(buffer, value.byteOffset, length));
  }
  if (value instanceof Map) {
    const copy = keep(new Map());
    value.forEach((v, k) => mapSet(copy, cloned(k, seen), cloned(v, seen)));
    return copy;
  }
  if (value instanceof Set) {
    const copy = keep(new Set());
    value.forEach((v) => copy.add(cloned(v, seen)));
    return copy;
  }
  if (value instanceof Promised || value instanceof WeakMap || value instanceof WeakSet)
    throw new DOMException("this object cannot be cloned", "DataCloneError");
  let copy;
  if (isArray(value)) copy = keep(new Array(value.length));
  else if (value instanceof Fault) {
    copy = keep(construct(globalThis[value.name] ?? Fault, [value.message]));
    for (const key of ["stack", "cause"])
      if (key in value)
        defineProperty(copy, key,
          { value: cloned(value[key], seen), configurable: true, writable: true });
    return copy;
  } else copy = keep({});
  const keys = Object.keys(value);
  for (let i = 0; i < keys.length; i++) copy[keys[i]] = cloned(value[keys[i]], seen);
  return copy;
};
global("structuredClone", (value) => cloned(value, new Map()));
