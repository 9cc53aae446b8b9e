"""What tools/bench stands on: a server, its peers, load that ends, and a table."""
import asyncio
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from demo_world import ROOT, descendants, free_port, until

START_S_MAX = 20
STOP_S_MAX = 20
CLI_S_MAX = 120
REQUEST_S_MAX = 60

# The handler of every comparison: parses an event, scores it, answers JSON.
SCORE = """let score = 0;
  for (const o of e.obs) {
    if (o.c == 'hr') score += o.v >= 131 ? 3 : o.v >= 111 ? 2 : o.v >= 91 ? 1
      : o.v <= 40 ? 3 : o.v <= 50 ? 1 : 0;
    if (o.c == 'spo2') score += o.v <= 91 ? 3 : o.v <= 93 ? 2 : o.v <= 95 ? 1 : 0;
  }
  const answer = { patient: e.patient, score, alert: score >= 5 };
"""
BODY = '{"patient":"p1","obs":[{"c":"hr","v":135},{"c":"spo2","v":91}]}'


class Broken(Exception):
    """A part of the bench cannot go on."""


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def answers(port, path="/"):
    try:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        link.request("GET", path)
        link.getresponse().read()
        return True
    except (OSError, http.client.HTTPException):
        return False


class Process:
    """A program with a port, started and ended here."""

    def __init__(self, command, port, cwd, path="/"):
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.log = open(pathlib.Path(cwd) / f"log-{port}", "wb")
        self.process = subprocess.Popen(command, cwd=cwd, stdout=self.log, stderr=self.log)
        until(lambda: answers(port, path) or self.process.poll() is not None, START_S_MAX)
        if self.process.poll() is not None or not answers(port, path):
            self.stop()
            raise Broken(f"{command[0]} does not answer: {self.said()}")

    def said(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")[-200:].strip()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def start_workerd(folder):
    program = ROOT / "build-bench/node_modules/.bin/workerd"
    if not program.exists():
        raise Broken("workerd is not installed")
    port = free_port()
    folder = pathlib.Path(folder)
    (folder / "worker.js").write_text(
        "export default { async fetch(request) {\n  const e = await request.json();\n  " + SCORE
        + "  return new Response(JSON.stringify(answer),"
        " { headers: { 'content-type': 'application/json' } });\n} };\n")
    (folder / "bench.capnp").write_text(f"""using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .score)],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")]);
const score :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2024-09-01");
""")
    return Process([str(program), "serve", "bench.capnp"], port, folder)


def start_nginx(folder):
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program:
        raise Broken("nginx is not installed")
    port = free_port()
    (pathlib.Path(folder) / "nginx.conf").write_text(f"""daemon off; worker_processes 1;
pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; default_type application/json;
  server {{ listen 127.0.0.1:{port};
    location / {{ return 200 '{{"patient":"p1","score":6,"alert":true}}'; }} }} }}
""")
    return Process([program, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"], port, folder)


class Server(Process):
    """medulla serve with a data folder of its own."""

    def __init__(self, build, folder):
        self.medulla = pathlib.Path(build).resolve() / "medulla"
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="data-", dir=folder))
        self.folder = pathlib.Path(folder)
        os.environ["XDG_CONFIG_HOME"] = str(self.folder)  # for its root key
        port = free_port()
        super().__init__([str(self.medulla), "serve", "--data", str(self.data), "--listen",
                          f"127.0.0.1:{port}"], port, folder, "/healthz")
        self.token = (self.data / "admin.token").read_text().strip()

    def cli(self, *words, stdin=None):
        env = dict(os.environ, MEDULLA_URL=self.url, MEDULLA_TOKEN=self.token)
        done = subprocess.run([str(self.medulla), *words], env=env, input=stdin, text=True,
                              capture_output=True, timeout=CLI_S_MAX, check=False)
        if done.returncode:
            raise Broken(f"medulla {words[0]}: {(done.stderr or done.stdout)[-300:]}")
        return done.stdout

    def app(self, name, functions, tail=""):
        """A folder with an app: functions is {name: (source, lines of the manifest)}."""
        at = self.folder / f"app-{name}"
        shutil.rmtree(at, ignore_errors=True)
        at.mkdir()
        lines = [f"app: {name}", "functions:"]
        for function, (source, settings) in functions.items():
            (at / f"{function}.js").write_text(source)
            lines += [f"  {function}:", f"    code: {function}.js"]
            lines += [f"    {setting}" for setting in settings]
        (at / "medulla.yaml").write_text("\n".join(lines) + "\n" + tail)
        return at

    def deploy(self, at):
        self.cli("deploy", str(at))

    def link(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_S_MAX)

    def ask(self, link, method, path, body=None, kind="application/json"):
        link.request(method, path, body, {"authorization": f"Bearer {self.token}",
                                          "content-type": kind})
        reply = link.getresponse()
        text = reply.read()
        if reply.status >= 400:
            raise Broken(f"{method} {path}: {reply.status} {text[:200]!r}")
        return text

    def invoke(self, link, function, body=BODY):
        return self.ask(link, "POST", f"/2015-03-31/functions/{function}/invocations", body)

    def owed(self, link):
        listed = json.loads(self.ask(link, "GET", "/admin/functions"))["functions"]
        return sum(entry["owed"] + entry["running"] for entry in listed)

    def memory(self):
        """(resident, proportional) MiB of the server and all below it."""
        sums = [0, 0]
        for pid in [self.process.pid, *descendants(self.process.pid)]:
            with contextlib.suppress(OSError):
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                for i, word in enumerate(("Rss", "Pss")):
                    sums[i] += int(re.search(rf"^{word}:\s+(\d+)", text, re.M)[1])
        return [kib / 1024 for kib in sums]


# ---- Load ----

def wrk(url, connections, seconds, lua, folder):
    """One wrk thread; {rate, p50_us, p99_us, bad}."""
    script = pathlib.Path(folder) / "load.lua"
    script.write_text(lua + """
done = function(summary, latency, requests)
  io.write(string.format("RESULT %f %f %f %d\\n", summary.requests * 1e6 / summary.duration,
    latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.read
    + summary.errors.write + summary.errors.connect + summary.errors.timeout))
end
""")
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
                           "-s", str(script), url], capture_output=True, text=True,
                          timeout=seconds + 30, check=False)
    found = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+)", done.stdout)
    if not found:
        raise Broken(f"wrk: {done.stdout[-200:]} {done.stderr[-200:]}")
    rate, p50, p99 = map(float, found.groups()[:3])
    return {"rate": rate, "p50_us": p50, "p99_us": p99, "bad": int(found[4])}


def lua_post(token, body, kind="application/json"):
    return f"""wrk.method = "POST"
wrk.body = [==[{body}]==]
wrk.headers["content-type"] = "{kind}"
wrk.headers["authorization"] = "Bearer {token}"
"""


def lua_events(token, batch, run):
    """Events of some 300 bytes; every id is new. `run` tells the loads of one bench apart."""
    kind = "cloudevents-batch" if batch > 1 else "cloudevents"
    opening, closing = ("[", "]") if batch > 1 else ("", "")
    return lua_post(token, "", f"application/{kind}+json") + f"""
local n = 0
request = function()
  local parts = {{}}
  for i = 1, {batch} do
    n = n + 1
    parts[i] = string.format('{{"specversion":"1.0","id":"{run}-%d","source":"bench/ward",' ..
      '"type":"org.example.vitals","subject":"bed-%d","datacontenttype":"application/json",' ..
      '"data":{{"resourceType":"Observation","status":"final","code":"8867-4","value":%d,' ..
      '"unit":"/min","device":"monitor-%d"}}}}', n, n % 500, 60 + n % 80, n % 500)
  end
  return wrk.format(nil, nil, nil, "{opening}" .. table.concat(parts, ",") .. "{closing}")
end
"""


def median_of(loads):
    return {key: statistics.median(load[key] for load in loads) for key in loads[0]}


def sync_floor(folder, seconds):
    """fdatasync of an appended 4 KiB, a second: the disk under everything durable."""
    path = pathlib.Path(folder) / "floor"
    block, count = os.urandom(4096), 0
    file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        os.write(file, block)
        os.fdatasync(file)
        count += 1
    os.close(file)
    path.unlink()
    return count / seconds


async def all_at_once(server, function, count):
    """Seconds until `count` requests, sent at once, all have their answer."""
    head = (f"POST /2015-03-31/functions/{function}/invocations HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {server.token}\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\n\r\n{}").encode()
    links = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(count)]
    good = 0

    async def one(reader, writer):
        nonlocal good
        writer.write(head)
        text = await reader.readuntil(b"\r\n\r\n")
        good += text.startswith(b"HTTP/1.1 200") and b"function-error" not in text.lower()
        writer.close()

    begin = time.monotonic()
    await asyncio.wait_for(asyncio.gather(*(one(*link) for link in links)), REQUEST_S_MAX)
    return time.monotonic() - begin, good


class Webhook:
    """Takes posts, and keeps when each event id arrived."""

    def __init__(self):
        self.arrived = {}
        self.server = None

    async def start(self, port):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", port)

    async def serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError,
                                 ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(re.search(rb"content-length: *(\d+)", head)[1])
                body = await reader.readexactly(size)
                for name in re.findall(rb"at-\d+", body):
                    self.arrived.setdefault(name, time.monotonic_ns())
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()
