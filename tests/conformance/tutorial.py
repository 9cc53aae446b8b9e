#!/usr/bin/env python3
"""README.md's tutorial, played as a newcomer would: every ```console block, in order, in one shell.

    tests/conformance/tutorial.py BUILD     BUILD holds the program medulla

A line after `$ ` is a command, after `> ` its continuation, anything else is expected output: it has
to appear in this order, other lines may come between; … stands for any text, and spaces are loose.
`medulla serve` runs beside the shell, on a free port."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMAND_S_MAX, READY_S_MAX, OUTPUT_BYTES_MAX = 60, 30, 1 << 20
END = "tutorial-step-ended"


def steps_of(text):
    """[(command, [expected line])] of all console blocks."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.S | re.M):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            elif line.startswith("> "):
                steps[-1] = (steps[-1][0] + "\n" + line[2:], steps[-1][1])
            elif line.strip():
                steps[-1][1].append(line)
    return steps


def first_missing(expected, output):
    """The first expected line that does not come, in order; None when all do."""
    lines = iter(output.splitlines())
    for line in expected:
        words = [re.escape(word).replace("…", ".*") for word in line.split()]
        pattern = re.compile(r"\s*".join(words).replace(r"\s*.*\s*", ".*") + r"\s*$")
        if not any(pattern.match(got.strip()) for got in lines):
            return line
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Shell:
    """One bash for all commands, so that variables and folders stay."""

    def __init__(self, folder, env):
        self.process = subprocess.Popen(["bash"], cwd=folder, env=env, text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, command):
        self.process.stdin.write(f"{command}\necho; echo {END} $?\n")
        self.process.stdin.flush()
        signal.alarm(COMMAND_S_MAX)
        output = ""
        for line in self.process.stdout:
            if line.startswith(END):
                signal.alarm(0)
                return int(line.split()[1]), output
            output = (output + line)[-OUTPUT_BYTES_MAX:]
        signal.alarm(0)
        return -1, output


def start_server(command, folder, env, port):
    """The server as the tutorial starts it, but on our port; and what it said when it was ready."""
    words = command.rstrip("& ").split() + ["--listen", f"127.0.0.1:{port}"]
    log = open(os.path.join(folder, "serve.log"), "w+", encoding="utf-8")
    server = subprocess.Popen(words, cwd=folder, env=env, stdout=log, stderr=log)
    give_up = time.monotonic() + READY_S_MAX
    while time.monotonic() < give_up and server.poll() is None:
        log.seek(0)
        said = log.read()
        if "is ready" in said:
            return server, 0, said
        time.sleep(0.05)
    log.seek(0)
    return server, 1, log.read()


def play(folder, env, port, steps):
    """Plays all steps as TAP; a step that failed ends it, as the rest stands on it."""
    servers, failed, shell = [], 0, Shell(folder, env)
    print(f"1..{len(steps)}", flush=True)
    try:
        for number, (command, expected) in enumerate(steps, 1):
            if command.startswith("medulla serve"):
                server, status, output = start_server(command, folder, env, port)
                servers.append(server)
            else:
                status, output = shell.run(command)
            missing = first_missing(expected, output)
            good = status == 0 and missing is None
            title = command.splitlines()[0].replace("#", "")
            print(f"{'' if good else 'not '}ok {number} - {title}", flush=True)
            if good:
                continue
            failed = 1
            print(f"# status {status}, missing: {missing}")
            print("".join(f"# {line}\n" for line in output.splitlines()), flush=True)
            print(f"Bail out! the rest of the tutorial stands on: {title}")
            break
    finally:
        for server in servers:
            server.terminate()
            failed |= server.wait(timeout=READY_S_MAX) != 0
        os.killpg(shell.process.pid, signal.SIGKILL)
    return failed


def main():
    build = os.path.abspath(sys.argv[1])
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        steps = steps_of(file.read())
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("MEDULLA_")}
    env.update(PATH=f"{build}:{env['PATH']}", MEDULLA_URL=f"http://127.0.0.1:{port}", LC_ALL="C.UTF-8")
    folder = tempfile.mkdtemp(prefix="medulla-tutorial-")
    try:
        return play(folder, env, port, steps)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
