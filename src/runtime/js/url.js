// runtime/js/url.js: URL and URLSearchParams. Part of prelude.js.
//
// The URL Standard's parser (url.spec.whatwg.org) for what handlers meet: special schemes with
// their default ports, IPv4 in all its spellings, IPv6, percent-encode sets, dot segments, opaque
// paths. Hosts beyond ASCII are lower-cased and put into Punycode; UTS 46's mapping tables are not
// here, and characters they would map are refused only where they are forbidden in any host.

const ports = new Map([["http:", "80"], ["https:", "443"], ["ws:", "80"], ["wss:", "443"],
  ["ftp:", "21"], ["file:", ""]]);
const isSpecial = (scheme) => mapHas(ports, scheme);
const badUrl = (what) => new TypeFault(`Invalid URL: ${what}`);

const encodeSet = (extra) => {
  const set = new Set([...extra]);
  return (string) => {
    let out = "";
    for (const c of string) {
      const code = c.codePointAt(0);
      if (code > 0x20 && code < 0x7f && !set.has(c)) out += c;
      else for (const b of utf8(c)) out += `%${hex([b]).toUpperCase()}`;
    }
    return out;
  };
};
const encodeOpaque = (string) => string.replace(/[^\x20-\x7e]+/gu, (c) => encodeQuery(c));
const encodeFragment = encodeSet(' "<>`');
const encodeQuery = encodeSet(' "#<>');
const encodeSpecialQuery = encodeSet(` "#<>'`);
const encodePath = encodeSet(' "#<>?`{}^');
const encodeUser = encodeSet(' "#<>?`{}/:;=@[\\]^|');

const percentBytes = (string) => {
  const bytes = utf8(string), out = [];
  for (let i = 0; i < bytes.length; i++) {
    const pair = bytes[i] === 37 ? fromCodes(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0) : "";
    if (/^[0-9a-f]{2}$/i.test(pair)) {
      out.push(parseInt(pair, 16));
      i += 2;
    } else {
      out.push(bytes[i]);
    }
  }
  return new Uint8Array(out);
};

// RFC 3492 §6.3.
const punycode = (label) => {
  const codes = [...label].map((c) => c.codePointAt(0));
  const basic = codes.filter((c) => c < 128);
  let out = fromCodes(...basic) + (basic.length ? "-" : "");
  let n = 128, delta = 0, bias = 72, done = basic.length;
  const adapt = (d, points, first) => {
    d = first ? floor(d / 700) : d >> 1;
    d += floor(d / points);
    let k = 0;
    for (; d > 455; k += 36) d = floor(d / 35);
    return k + floor((36 * d) / (d + 38));
  };
  while (done < codes.length) {
    const next = Math.min(...codes.filter((c) => c >= n));
    delta += (next - n) * (done + 1);
    n = next;
    for (const c of codes) {
      if (c < n) delta++;
      if (c !== n) continue;
      let q = delta;
      for (let k = 36; ; k += 36) {
        const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
        if (q < t) break;
        const digit = t + ((q - t) % (36 - t));
        out += fromCodes(digit + (digit < 26 ? 97 : 22));
        q = floor((q - t) / (36 - t));
      }
      out += fromCodes(q + (q < 26 ? 97 : 22));
      bias = adapt(delta, done + 1, done === basic.length);
      delta = 0;
      done++;
    }
    delta++;
    n++;
  }
  return `xn--${out}`;
};

const ipv4Number = (part) => {
  if (/^0x[0-9a-f]*$/i.test(part)) return part.length === 2 ? 0 : parseInt(part, 16);
  if (/^0[0-7]+$/.test(part)) return parseInt(part, 8);
  return /^[0-9]+$/.test(part) ? parseInt(part, 10) : NaN;
};
// The host as IPv4, or undefined when its last label is no number.
const ipv4 = (host) => {
  const parts = host.split(".");
  if (parts.length > 1 && parts[parts.length - 1] === "") parts.pop();
  const last = parts[parts.length - 1];
  if (!/^[0-9]+$/.test(last) && !/^0x[0-9a-f]*$/i.test(last)) return undefined;
  const numbers = parts.map(ipv4Number);
  if (parts.length > 4 || numbers.some(Number.isNaN)) throw badUrl(host);
  const tail = numbers.pop();
  if (numbers.some((n) => n > 255) || tail >= 256 ** (4 - numbers.length)) throw badUrl(host);
  let value = tail;
  numbers.forEach((n, i) => (value += n * 256 ** (3 - i)));
  return [24, 16, 8, 0].map((shift) => floor(value / 2 ** shift) % 256).join(".");
};
const ipv6 = (inside) => {
  let source = inside;
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(inside);
  if (dotted) {
    const b = dotted[2].split(".").map(Number);
    if (b.some((n) => n > 255)) throw badUrl(inside);
    source = `${dotted[1]}${(b[0] * 256 + b[1]).toString(16)}:${(b[2] * 256 + b[3]).toString(16)}`;
  }
  const halves = source.split("::");
  const groups = (half) => (half === "" ? [] : half.split(":"));
  const [head, tail] = [groups(halves[0]), halves.length === 2 ? groups(halves[1]) : []];
  const count = head.length + tail.length;
  if (halves.length > 2 || (halves.length === 2 ? count > 7 : count !== 8)) throw badUrl(inside);
  if (![...head, ...tail].every((g) => /^[0-9a-f]{1,4}$/i.test(g))) throw badUrl(inside);
  const all = [...head, ...Array(8 - count).fill("0"), ...tail].map((g) => parseInt(g, 16));
  let best = -1, bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && all[i + length] === 0) length++;
    if (length > bestLength) (best = i), (bestLength = length);
    i += length;
  }
  const shown = all.map((n) => n.toString(16));
  if (best < 0) return `[${shown.join(":")}]`;
  return `[${shown.slice(0, best).join(":")}::${shown.slice(best + bestLength).join(":")}]`;
};
const parseHost = (raw, special) => {
  if (startsWith(raw, "[")) {
    if (!raw.endsWith("]")) throw badUrl(raw);
    return ipv6(slice(raw, 1, -1));
  }
  if (!special) {
    if (/[\0\t\n\r #/<>?@[\\\]^|]/.test(raw)) throw badUrl(raw);
    return encodeOpaque(raw);
  }
  const decoded = fromUtf8(percentBytes(raw)).normalize("NFKC").toLowerCase();
  const ascii = decoded.split(/[.\u3002]/)
    .map((label) => (/[^\0-\x7f]/.test(label) ? punycode(label) : label)).join(".");
  if (ascii === "" || /[\0-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(ascii)) throw badUrl(raw);
  return ipv4(ascii) ?? ascii;
};

const isDot = (s) => /^(\.|%2e)$/i.test(s);
const isDots = (s) => /^(\.|%2e){2}$/i.test(s);
const joinPath = (base, raw, special) => {
  const parts = (special ? raw.replace(/\\/g, "/") : raw).split("/");
  const out = base.slice();
  parts.forEach((part, i) => {
    const isLast = i === parts.length - 1;
    if (isDots(part)) {
      out.pop();
      if (isLast) out.push("");
    } else if (isDot(part)) {
      if (isLast) out.push("");
    } else {
      out.push(encodePath(part));
    }
  });
  return out;
};

// user:password@host:port
const parseAuthority = (url, raw) => {
  const at = raw.lastIndexOf("@");
  if (at >= 0) {
    const user = slice(raw, 0, at), colon = user.indexOf(":");
    url.username = encodeUser(colon < 0 ? user : slice(user, 0, colon));
    url.password = colon < 0 ? "" : encodeUser(slice(user, colon + 1));
  }
  const rest = slice(raw, at + 1);
  const port = /:([0-9]*)$/.exec(rest);
  const hostText = port ? slice(rest, 0, port.index) : rest;
  if (/:/.test(hostText) && !startsWith(hostText, "[")) throw badUrl(raw);
  if (hostText === "" && (at >= 0 || port || (isSpecial(url.protocol) && url.protocol !== "file:")))
    throw badUrl(raw);
  url.host = hostText === "" ? "" : parseHost(hostText, isSpecial(url.protocol));
  if (url.protocol === "file:" && url.host === "localhost") url.host = "";
  setPort(url, port ? port[1] : "");
};
const setPort = (url, digits) => {
  if (digits !== "" && Number(digits) > 65535) throw badUrl(`port ${digits}`);
  url.port = digits === "" || text(Number(digits)) === mapGet(ports, url.protocol) ? ""
    : text(Number(digits));
};

// The record: {protocol, username, password, host (null: none), port, path (array or opaque text),
// query (null: none), fragment (null: none)}.
const parseUrl = (input, base) => {
  let rest = text(input).replace(/^[\0-\x20]+|[\0-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
  const url = { protocol: "", username: "", password: "", host: null, port: "", path: [],
    query: null, fragment: null };
  const hash = rest.indexOf("#");
  if (hash >= 0) {
    url.fragment = encodeFragment(slice(rest, hash + 1));
    rest = slice(rest, 0, hash);
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(rest);
  const protocol = scheme ? scheme[0].toLowerCase() : undefined;
  const relative = !scheme || (base && protocol === base.protocol && isSpecial(protocol) &&
    !/^[/\\]/.test(slice(rest, scheme[0].length)));
  if (scheme) rest = slice(rest, scheme[0].length);
  if (relative && !base) throw badUrl(input);
  url.protocol = protocol ?? base.protocol;
  const special = isSpecial(url.protocol);
  if (relative && typeof base.path === "string" && rest !== "") throw badUrl(input);
  const question = rest.indexOf("?");
  if (question >= 0) {
    url.query = (special ? encodeSpecialQuery : encodeQuery)(slice(rest, question + 1));
    rest = slice(rest, 0, question);
  }
  const slashes = special ? /^[/\\]{2}/ : /^\/\//;
  if (slashes.test(rest) || (scheme && special && url.protocol !== "file:" && !relative)) {
    const after = rest.replace(special && url.protocol !== "file:" ? /^[/\\]*/ : slashes, "");
    const end = after.search(special ? /[/\\]/ : /\//);
    parseAuthority(url, end < 0 ? after : slice(after, 0, end));
    const path = end < 0 ? "" : slice(after, end + 1);
    url.path = end < 0 && !special ? [] : joinPath([], path, special);
    return url;
  }
  if (!relative) {
    if (!special && !startsWith(rest, "/")) {
      url.path = encodeOpaque(rest);
      return url;
    }
    url.host = special ? "" : null;
    url.path = joinPath([], rest.replace(/^[/\\]/, ""), special);
    return url;
  }
  const { username, password, host: baseHost, port } = base;
  Object.assign(url, { username, password, host: baseHost, port });
  if (special ? /^[/\\]/.test(rest) : startsWith(rest, "/")) {
    url.path = joinPath([], slice(rest, 1), special);
  } else if (rest === "") {
    url.path = typeof base.path === "string" ? base.path : base.path.slice();
    if (question < 0) url.query = base.query;
  } else {
    url.path = joinPath(base.path.slice(0, -1), rest, special);
  }
  return url;
};

const pathOf = (url) =>
  typeof url.path === "string" ? url.path : url.path.length ? `/${url.path.join("/")}` : "";
const hostOf = (url) => (url.host ?? "") + (url.port === "" ? "" : `:${url.port}`);
const writeUrl = (url) => {
  let out = url.protocol;
  if (url.host !== null) {
    out += "//" + url.username + (url.password ? `:${url.password}` : "") +
      (url.username || url.password ? "@" : "") + hostOf(url);
  } else if (isArray(url.path) && url.path.length > 1 && url.path[0] === "") {
    out += "/.";
  }
  return out + pathOf(url) + (url.query === null ? "" : `?${url.query}`) +
    (url.fragment === null ? "" : `#${url.fragment}`);
};

// application/x-www-form-urlencoded
const encodeForm = (string) => {
  let out = "";
  for (const b of utf8(string.toWellFormed ? string.toWellFormed() : string)) {
    const c = fromCodes(b);
    out += /[A-Za-z0-9*._-]/.test(c) ? c : b === 32 ? "+" : `%${hex([b]).toUpperCase()}`;
  }
  return out;
};
const decodeForm = (string) => fromUtf8(percentBytes(string.replace(/\+/g, " ")));

class URLSearchParams {
  #list = [];
  #changed = quiet; // tells the URL it belongs to
  static of(query, changed) {
    const params = new URLSearchParams(query);
    params.#changed = changed;
    return params;
  }
  static refill(params, query) {
    params.#list = new URLSearchParams(query).#list;
  }
  constructor(init = "") {
    if (init !== null && typeof init === "object") {
      const pairs = typeof init[Symbol.iterator] === "function" ? [...init] : Object.entries(init);
      for (const pair of pairs) {
        const [key, value, ...more] = pair;
        if (value === undefined || more.length) throw new TypeFault("each pair needs two items");
        this.#list.push([text(key), text(value)]);
      }
      return;
    }
    for (const part of text(init).replace(/^\?/, "").split("&")) {
      if (part === "") continue;
      const [key, ...value] = part.split("=");
      this.#list.push([decodeForm(key), decodeForm(value.join("="))]);
    }
  }
  get size() {
    return this.#list.length;
  }
  append(key, value) {
    this.#list.push([text(key), text(value)]);
    this.#changed();
  }
  delete(key, value) {
    const goes = ([k, v]) => k === text(key) && (value === undefined || v === text(value));
    this.#list = this.#list.filter((pair) => !goes(pair));
    this.#changed();
  }
  get(key) {
    return this.#list.find(([k]) => k === text(key))?.[1] ?? null;
  }
  getAll(key) {
    return this.#list.filter(([k]) => k === text(key)).map(([, v]) => v);
  }
  has(key, value) {
    return this.#list.some(([k, v]) =>
      k === text(key) && (value === undefined || v === text(value)));
  }
  set(key, value) {
    const at = this.#list.findIndex(([k]) => k === text(key));
    if (at < 0) return this.append(key, value);
    this.#list = this.#list.filter(([k], i) => k !== text(key) || i === at);
    this.#list[at][1] = text(value);
    this.#changed();
  }
  sort() {
    this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#changed();
  }
  forEach(callback, self) {
    for (const [key, value] of this.#list) callback.call(self, value, key, this);
  }
  *entries() {
    for (const [key, value] of this.#list) yield [key, value];
  }
  *keys() {
    for (const [key] of this.#list) yield key;
  }
  *values() {
    for (const [, value] of this.#list) yield value;
  }
  [Symbol.iterator]() {
    return this.entries();
  }
  toString() {
    return this.#list.map(([key, value]) => `${encodeForm(key)}=${encodeForm(value)}`).join("&");
  }
  get [Symbol.toStringTag]() {
    return "URLSearchParams";
  }
}

class URL {
  #url;
  #params;
  constructor(input, base) {
    this.#url = parseUrl(input, base === undefined ? undefined : parseUrl(base));
  }
  static canParse(input, base) {
    try {
      return !!new URL(input, base);
    } catch {
      return false;
    }
  }
  static parse(input, base) {
    return URL.canParse(input, base) ? new URL(input, base) : null;
  }
  get href() {
    return writeUrl(this.#url);
  }
  set href(value) {
    this.#url = parseUrl(value);
    if (this.#params) URLSearchParams.refill(this.#params, this.#url.query ?? "");
  }
  get origin() {
    const { protocol } = this.#url;
    if (!isSpecial(protocol) || protocol === "file:") return "null";
    return `${protocol}//${hostOf(this.#url)}`;
  }
  get protocol() {
    return this.#url.protocol;
  }
  set protocol(value) {
    const wanted = /^[a-z][a-z0-9+.-]*/i.exec(text(value))?.[0].toLowerCase();
    if (!wanted || isSpecial(`${wanted}:`) !== isSpecial(this.#url.protocol)) return;
    this.#url.protocol = `${wanted}:`;
    setPort(this.#url, this.#url.port);
  }
  get username() {
    return this.#url.username;
  }
  set username(value) {
    if (this.#url.host) this.#url.username = encodeUser(text(value));
  }
  get password() {
    return this.#url.password;
  }
  set password(value) {
    if (this.#url.host) this.#url.password = encodeUser(text(value));
  }
  get host() {
    return hostOf(this.#url);
  }
  set host(value) {
    this.#setHost(/^(\[[^\]]*\]|[^:/?#\\]*)(?::([0-9]*))?/.exec(text(value)), true);
  }
  get hostname() {
    return this.#url.host ?? "";
  }
  set hostname(value) {
    this.#setHost(/^(\[[^\]]*\]|[^:/?#\\]*)/.exec(text(value)), false);
  }
  #setHost(found, withPort) {
    if (typeof this.#url.path === "string" || !found || found[1] === "") return;
    try {
      const parsed = parseHost(found[1], isSpecial(this.#url.protocol));
      if (withPort && found[2]) setPort(this.#url, found[2]);
      this.#url.host = parsed;
    } catch {} // a setter ignores what does not parse
  }
  get port() {
    return this.#url.port;
  }
  set port(value) {
    const digits = /^[0-9]*/.exec(text(value))[0];
    if (!this.#url.host || (digits === "" && text(value) !== "") || Number(digits) > 65535) return;
    setPort(this.#url, digits);
  }
  get pathname() {
    return pathOf(this.#url);
  }
  set pathname(value) {
    if (typeof this.#url.path === "string") return;
    const special = isSpecial(this.#url.protocol);
    const raw = text(value).replace(special ? /^[/\\]/ : /^\//, "").replace(/[?#]/g, encodePath);
    this.#url.path = joinPath([], raw, special);
  }
  get search() {
    return this.#url.query ? `?${this.#url.query}` : "";
  }
  set search(value) {
    const raw = text(value).replace(/^\?/, "");
    const encode = isSpecial(this.#url.protocol) ? encodeSpecialQuery : encodeQuery;
    this.#url.query = text(value) === "" ? null : encode(raw);
    if (this.#params) URLSearchParams.refill(this.#params, raw);
  }
  get searchParams() {
    return (this.#params ??= URLSearchParams.of(this.#url.query ?? "", () => {
      this.#url.query = this.#params.toString() || null;
    }));
  }
  get hash() {
    return this.#url.fragment ? `#${this.#url.fragment}` : "";
  }
  set hash(value) {
    const raw = text(value).replace(/^#/, "");
    this.#url.fragment = text(value) === "" ? null : encodeFragment(raw);
  }
  toString() {
    return this.href;
  }
  toJSON() {
    return this.href;
  }
  get [Symbol.toStringTag]() {
    return "URL";
  }
}
global("URL", URL);
global("URLSearchParams", URLSearchParams);
