// runtime/js/web.js: the web's globals that the engine lacks. The build puts this expression in the
// place of WEB_PARTS in prelude.js, whose names it may use; it gives the byte functions back.
(() => {

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
  if (s.length % 4 === 1) throw new web.DOMException("not base64", "InvalidCharacterError");
  const bytes = new Uint8Array(floor((s.length * 3) / 4));
  let bits = 0, held = 0, at = 0;
  for (let i = 0; i < s.length; i++) {
    const value = mapGet(values, s[i]);
    if (value === undefined) throw new web.DOMException("not base64", "InvalidCharacterError");
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) bytes[at++] = (held >> (bits -= 8)) & 255;
  }
  return bytes;
};

return { utf8, fromUtf8, base64, unbase64 };
})()
