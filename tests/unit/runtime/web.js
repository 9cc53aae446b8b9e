// tests/unit/runtime/web.js: a handler that checks the globals it finds; the result lists what is wrong.
const T = [];
const eq = (a, b, w) => { const x = typeof a === "string" ? a : JSON.stringify(a), y = typeof b === "string" ? b : JSON.stringify(b); if (x !== y) T.push(`${w ?? ""} got ${x} wanted ${y}`); };
export async function handler(e) {
  const u = (s, b) => { try { return new URL(s, b).href } catch (x) { return x.name } };
  eq(u("http://EXAMPLE.com:80/a/../b/./c?x=1 2#f g"), "http://example.com/b/c?x=1%202#f%20g");
  eq(u("https://user:pa ss@h:8443/"), "https://user:pa%20ss@h:8443/");
  eq(u("/x/y?z", "http://a.b/c/d"), "http://a.b/x/y?z");
  eq(u("y", "http://a.b/c/d?q"), "http://a.b/c/y");
  eq(u("?y", "http://a.b/c/d?q"), "http://a.b/c/d?y");
  eq(u("#y", "http://a.b/c/d?q"), "http://a.b/c/d?q#y");
  eq(u("//o/p", "https://a.b/c"), "https://o/p");
  eq(u("http://0x7f.1/"), "http://127.0.0.1/");
  eq(u("http://2130706433/"), "http://127.0.0.1/");
  eq(u("http://[::1]:3000/"), "http://[::1]:3000/");
  eq(u("http://[1:0:0:2::3]/"), "http://[1:0:0:2::3]/");
  eq(u("http://[::ffff:1.2.3.4]/"), "http://[::ffff:102:304]/");
  eq(u("http://münchen.de/ü"), "http://xn--mnchen-3ya.de/%C3%BC");
  eq(u("mailto:a@b.c"), "mailto:a@b.c");
  eq(u("data:text/plain,hi"), "data:text/plain,hi");
  eq(u("nope"), "TypeError");
  eq(u("http://a b/"), "TypeError"); eq(u("http://"), "TypeError"); eq(u("http://a:99999/"), "TypeError"); eq(u("http://1.2.3.256/"), "TypeError");
  eq(u("http:\\\\a\\b"), "http://a/b");
  eq(u("file:///c/../d"), "file:///d");
  eq(u("http://a/%7Efoo/%2e%2E/x"), "http://a/x");
  eq(u("../../z", "http://h/a/b/c"), "http://h/z");
  const U = new URL("https://h/p?a=1&b=2&a=3"); U.searchParams.append("c d", "é&"); eq(U.href, "https://h/p?a=1&b=2&a=3&c+d=%C3%A9%26"); eq(U.searchParams.getAll("a"), ["1","3"]); U.port = "99"; U.pathname = "/q r"; U.hash = "x"; U.protocol = "http"; eq(U.href, "http://h:99/q%20r?a=1&b=2&a=3&c+d=%C3%A9%26#x"); eq(U.origin, "http://h:99");
  eq(new URLSearchParams({a: 1, b: "x y"}).toString(), "a=1&b=x+y"); eq([...new URLSearchParams("?q=%F0%9F%98%80")], [["q", "😀"]]);
  eq([...new TextEncoder().encode("aé€😀\ud800")], [97,195,169,226,130,172,240,159,152,128,239,191,189]);
  eq(new TextDecoder().decode(new Uint8Array([0xef,0xbb,0xbf,97,0xc3,0xa9,0xff,0xe2,0x82,0xf0,0x9f,0x98,0x80,0xed,0xa0,0x80])), "aé\ufffd\ufffd😀\ufffd\ufffd\ufffd");
  const d = new TextDecoder(); eq(d.decode(new Uint8Array([0xe2, 0x82]), {stream:true}) + d.decode(new Uint8Array([0xac])), "€");
  eq(btoa("hello\xff"), "aGVsbG//"); eq(atob("aGVsbG//"), "hello\xff"); eq(btoa("a"), "YQ=="); eq(atob(" Y Q "), "a");
  const h = async (a, s) => [...new Uint8Array(await crypto.subtle.digest(a, new TextEncoder().encode(s)))].map((b) => b.toString(16).padStart(2, "0")).join("");
  eq(await h("SHA-256", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); eq(await h("SHA-1", "abc"), "a9993e364706816aba3e25717850c26c9cd0d89d"); eq((await h("SHA-512", "")).length, 128);
  const m = new Map([[1, { d: new Date(5), s: new Set([1]) }]]); const c = structuredClone({ m, self: null, a: [1, , 3], r: /x/g, t: new Uint8Array([1, 2]) }); eq(c.m.get(1).d.getTime(), 5); eq(c.t, { 0: 1, 1: 2 }); const cyc = {}; cyc.c = cyc; eq(structuredClone(cyc).c.c === undefined, false);
  try { structuredClone(() => 1); T.push("cloned") } catch (x) { eq(x.name, "DataCloneError"); }
  eq(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), true);
  const H = new Headers({ "X-A": " 1 " }); H.append("x-a", "2"); eq([...H], [["x-a", "1, 2"]]);
  const r = await fetch("https://api.example.org/x", { method: "POST", body: JSON.stringify({ a: 1 }), headers: { "content-type": "application/json" } }); eq(await r.json(), { k: 2 }); eq(r.status, 201); eq(r.headers.get("X-B"), "3");
  eq(process.env.WARD, "4B"); eq(Date.now(), 1700000000000); eq(new Date().toISOString(), "2023-11-14T22:13:20.000Z"); eq(new Date(0).getTimezoneOffset(), 0);
  console.log("a", { b: [1, "x"], c: new Error("boom").message }, undefined, null, 10n, Symbol("s"), new Map([[1, 2]]));
  const order = []; setTimeout(() => order.push(2), 20); setTimeout(() => order.push(1), 10); const iv = setInterval(() => { order.push("i"); if (order.length > 4) clearInterval(iv); }, 5); await new Promise((ok) => setTimeout(ok, 100)); eq(order.filter((x) => x !== "i"), [1, 2]); eq(order.length, 6); 
  return T;
}
