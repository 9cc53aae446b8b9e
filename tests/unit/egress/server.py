#!/usr/bin/python3
"""An HTTP server on 127.0.0.1 that answers as badly as its path says.

Prints its port; ends with its standard input."""
import http.server
import json
import sys
import threading
import time

HUGE_BYTES = 9 << 20
SLOW_S = 3


class Web(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.path == "/redirect":
            self.answer(302, headers=[("Location", "http://127.0.0.1:9/secret")])
        elif self.path == "/huge":
            self.answer(200, b"x" * HUGE_BYTES)
        elif self.path == "/slow":
            time.sleep(SLOW_S)
            self.answer(200)
        elif self.path == "/close":
            self.close_connection = True
        elif self.path == "/heads":
            self.answer(200, headers=[("X-Long", "y" * 1000)] * 80)
        else:
            length = int(self.headers.get("content-length", "0"))
            seen = {"method": self.command, "path": self.path,
                    "body": self.rfile.read(length).decode(), "headers": dict(self.headers)}
            self.answer(200, json.dumps(seen).encode(), [("X-A", "b")])

    do_POST = do_GET
    do_PUT = do_GET
    do_HEAD = do_GET
    do_DELETE = do_GET

    def log_message(self, *_args):
        """Says nothing."""


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"http": server.server_address[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
