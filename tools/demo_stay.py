"""A ward that goes on running in the background, and how it is ended."""
import os
import pathlib
import signal
import sys

from demo_world import Broken, alive, until

STOP_S_MAX = 30


def pid_file(build):
    return pathlib.Path(build) / "ward.pid"


def running(build):
    """The process of the ward that was left running, or None."""
    try:
        pid = int(pid_file(build).read_text(encoding="utf-8"))
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if b"tools/demo" in words else None


def end_on_sigterm():
    def end(*_):
        sys.exit(128 + signal.SIGTERM)
    signal.signal(signal.SIGTERM, end)


def stay(build, make_demo):
    """Starts the ward in a process that outlives this one; returns when it runs or has failed."""
    if running(build):
        raise Broken("the ward is running already; make stop ends it")
    demo = make_demo()
    told, tell = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(told)
        os.setsid()
        os._exit(background(demo, pid_file(build), tell))
    os.close(tell)
    try:
        if os.read(told, 1):
            return 0
    except BaseException:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        raise
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or 1


def background(demo, own_file, tell):
    """The ward's own process; its exit status."""
    def settled(log):
        own_file.write_text(str(os.getpid()), encoding="utf-8")
        sys.stdout.flush()
        with open(os.devnull, "rb") as nothing, open(log, "ab") as out:
            os.dup2(nothing.fileno(), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        os.write(tell, b"1")
        os.close(tell)

    try:
        return demo.stay(settled)
    except SystemExit:
        return 0
    except Exception as why:  # the parent has only the exit status
        print(f"demo: {why}", file=sys.stderr)
        return 1
    finally:
        own_file.unlink(missing_ok=True)
        sys.stdout.flush()


def stop(build):
    """Ends the ward that was left running."""
    pid = running(build)
    if pid is None:
        print("no ward is running")
        return 0
    os.kill(pid, signal.SIGTERM)
    if until(lambda: not alive([pid]), STOP_S_MAX):
        print("the ward has ended, its folder is gone")
        return 0
    print(f"demo: process {pid} does not end", file=sys.stderr)
    return 1
