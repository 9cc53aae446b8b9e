"""What the demonstration stands on: a temporary folder, a server, receivers, the command line."""
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
READY_S_MAX = 15
STOP_S_MAX = 15
CLI_S_MAX = 60
BOARD_SECRET = "whsec_d2FyZC1ib2FyZC1kZW1vbnN0cmF0aW9uLWtleQ=="


class Broken(Exception):
    """The demonstration cannot go on."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ndjson(path):
    """The complete lines of a file that may still be written."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def until(condition, seconds, pause=0.05):
    """Waits for a condition; its last value."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(pause)
    return value


def descendants(pid):
    """All processes below this one, with their names."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError):
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            name, rest = stat[stat.index("(") + 1 :].rsplit(")", 1)
            parents[int(entry.name)] = (int(rest.split()[1]), name)
    found = {}
    level = {pid}
    while level:
        level = {child for child, (parent, _) in parents.items() if parent in level}
        found.update((child, parents[child][1]) for child in level)
    return found


def alive(pids):
    """Those of the processes that still exist."""
    return sorted(pid for pid in pids if pathlib.Path(f"/proc/{pid}").exists())


class World:
    """One server with its data, and everything around it; close() leaves nothing behind."""

    def __init__(self, build, port):
        self.medulla = pathlib.Path(build).resolve() / "medulla"
        if not self.medulla.exists():
            raise Broken(f"{self.medulla} is not there: build first (make)")
        if port and not is_free(port):
            raise Broken(f"port {port} is in use; is the ward running already? make stop ends it")
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="medulla-demo-"))
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.server = None
        self.receivers = None
        self.token = ""
        self.journal = self.tmp / "received.ndjson"

    # ---- the server ----

    def start(self):
        """Starts the server on its data; the seconds until it answers."""
        began = time.monotonic()
        log = open(self.tmp / "server.log", "ab")
        os.environ["XDG_CONFIG_HOME"] = str(self.tmp / "config")  # for its root key
        with log:
            self.server = subprocess.Popen(
                [self.medulla, "serve", "--data", self.tmp / "data",
                 "--listen", f"127.0.0.1:{self.port}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        if not until(self.healthy, READY_S_MAX):
            raise Broken(f"the server did not become ready:\n{self.log_tail()}")
        self.token = (self.tmp / "data" / "admin.token").read_text(encoding="utf-8").strip()
        return time.monotonic() - began

    def healthy(self):
        if self.server.poll() is not None:
            raise Broken(f"the server ended with {self.server.returncode}:\n{self.log_tail()}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.request("GET", "/healthz")[0] == 200
        return False

    def log_tail(self):
        text = (self.tmp / "server.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-15:])

    def kill(self):
        """kill -9: the server gets no chance to tidy up. The seconds until its children ended."""
        children = descendants(self.server.pid)
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        began = time.monotonic()
        gone = until(lambda: not alive(children), 5)
        return time.monotonic() - began if gone else None

    def metric(self, name):
        """One number of /metrics."""
        text = self.request("GET", "/metrics")[1].decode()
        found = (line.split()[-1] for line in text.splitlines() if line.startswith(name + " "))
        return float(next(found, "nan"))

    def workers(self):
        """How many processes run functions just now."""
        return int(self.metric("medulla_workers"))

    # ---- the command line and HTTP ----

    def cli(self, *words, stdin=None, check=True):
        """Runs one command of the client."""
        environment = dict(os.environ, MEDULLA_URL=self.url, MEDULLA_TOKEN=self.token)
        done = subprocess.run([self.medulla, *words], input=stdin, capture_output=True, text=True,
                              env=environment, timeout=CLI_S_MAX, check=False)
        if check and done.returncode != 0:
            said = (done.stderr or done.stdout).strip()
            raise Broken(f"medulla {' '.join(map(str, words))}: exit {done.returncode}: {said}")
        return done

    def invoke(self, function, data=None):
        return json.loads(self.cli("invoke", function, "--data", json.dumps(data)).stdout)

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def request(self, method, path, body=None, headers=None, connection=None):
        """(status, body) of one request as admin."""
        own = connection or self.connect()
        own.request(method, path, body,
                    dict({"Authorization": f"Bearer {self.token}"}, **(headers or {})))
        answer = own.getresponse()
        result = answer.status, answer.read()
        if connection is None:
            own.close()
        return result

    # ---- what the alerts arrive at ----

    def receive(self):
        """Starts the SMTP server and the webhook; {"smtp": port, "http": port}."""
        with open(self.tmp / "receivers.log", "ab") as log:
            self.receivers = subprocess.Popen(
                [ROOT / "tools" / "ward-receivers", "--smtp-port", "0", "--http-port", "0",
                 "--secret", BOARD_SECRET, "--out", self.journal],
                stdout=subprocess.PIPE, stderr=log, text=True, stdin=subprocess.DEVNULL,
                start_new_session=True)
        line = self.receivers.stdout.readline()
        if not line:
            said = (self.tmp / "receivers.log").read_text(encoding="utf-8").strip()
            raise Broken("the receivers did not start (is python3-aiosmtpd installed?): "
                         + (said.splitlines() or ["no word"])[-1])
        return json.loads(line)

    def received(self, kind, **wanted):
        """Mails or webhooks that arrived; `wanted` are members of the webhook's data."""
        entries = [entry for entry in ndjson(self.journal) if entry["kind"] == kind]
        if kind == "mail":
            return entries
        return [e for e in entries
                if all((e["body"] or {}).get("data", {}).get(k) == v for k, v in wanted.items())]

    def app(self, name, replace):
        """A copy of an app with texts replaced, ready to deploy."""
        folder = self.tmp / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "apps" / name, folder,
                        ignore=shutil.ignore_patterns("test", "node_modules"))
        for path in folder.rglob("*"):
            if path.suffix not in (".yaml", ".js"):
                continue
            text = path.read_text(encoding="utf-8")
            for old, new in replace.items():
                text = text.replace(old, new)
            path.write_text(text, encoding="utf-8")
        return folder

    # ---- the end ----

    def stop(self, process):
        if process is None or process.poll() is not None:
            return True
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
            return True
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False

    def close(self):
        """Stops everything and removes the folder. Which processes had to be killed or stayed."""
        left = []
        children = {}
        if self.server is not None and self.server.poll() is None:
            children = descendants(self.server.pid)
        for name, process in (("server", self.server), ("receivers", self.receivers)):
            if not self.stop(process):
                left.append(name)
        if not until(lambda: not alive(children), 5):
            left.append(f"processes {alive(children)}")
        shutil.rmtree(self.tmp, ignore_errors=True)
        if self.tmp.exists():
            left.append(str(self.tmp))
        return left
