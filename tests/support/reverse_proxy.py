"""A small reverse proxy as a team has one: it knows who may come in, adds what they need, and passes the rest on."""

from __future__ import annotations

import base64
import contextlib
import http.client
import http.server
import threading

PASSED_ON = (
    "content-type",
    "location",
    "set-cookie",
    "etag",
    "content-security-policy",
    "cache-control",
    "retry-after",
)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _answer(self):
        proxy = self.server
        user = base64.b64encode(proxy.user.encode()).decode()
        if self.headers.get("Authorization") != f"Basic {user}":
            self._send(401, {"WWW-Authenticate": 'Basic realm="team"'}, b"who are you?")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        there = http.client.HTTPConnection("127.0.0.1", proxy.behind, timeout=60)
        headers = {
            name: value for name, value in self.headers.items() if name.lower() not in ("authorization", "connection")
        }
        headers["Authorization"] = f"Bearer {proxy.token}"
        headers["X-Forwarded-For"] = proxy.client or self.client_address[0]
        there.request(self.command, self.path, body or None, headers)
        answer = there.getresponse()
        data = answer.read()
        self._send(
            answer.status, {name: value for name, value in answer.getheaders() if name.lower() in PASSED_ON}, data
        )
        there.close()

    do_GET = do_POST = _answer  # noqa: N815 - as http.server calls them

    def _send(self, code, headers, data):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextlib.contextmanager
def proxy(behind, token, user="ada:lovelace"):
    """One that listens at a port of its own before the port ``behind``; ``port`` is where."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.behind, server.token, server.user, server.client = behind, token, user, ""
    server.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
