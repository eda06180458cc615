"""What alerts need in tests: a project with a store, targets that answer, refuse or hang."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from deduplication.alerts import place as places
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project import config
from deduplication.project.paths import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deduplication.alerts.place import Place


class Scene:
    """A project with a store; ``settings`` are the user's own, as they are when it is made, and what a test sets."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.project = Project(root)
        self.folder = str(self.project.state)
        self.settings = config.load(str(root))

    @property
    def dedup(self) -> ClaudeConversationDeduplicator:
        """The store."""
        return ClaudeConversationDeduplicator(self.folder)

    def place(self, **more: object) -> Place:
        """It, opened, with ``more`` settings."""
        return places.opened(self.project, self.folder, {**self.settings, **more})

    def export(self, conversation: str, texts: list[str]) -> None:
        """Store an export of these words."""
        messages = [{"role": "user", "content": text} for text in texts]
        data = json.dumps({"messages": messages}).encode()
        self.dedup.ingest(data, name=f"{conversation}.json", conversation_id=conversation)


class Hook:
    """A web server on this machine that takes alerts; what it took, and how it answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.taken: list[dict] = []
        self.status = 200
        self.go_on = threading.Event()
        self.go_on.set()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.asked += 1
                hook.go_on.wait(60)
                status = hook.status
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.flush()
                    if status == 200:
                        hook.taken.append(body)

            def log_message(self, *_: object) -> None:
                """Nothing on the screen."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """As a target."""
        return f"json://127.0.0.1:{self.port}/alerts"

    @property
    def titles(self) -> list[str]:
        """What was said, in the order in which it came."""
        return [each["title"] for each in self.taken]

    def close(self) -> None:
        """Stop it, once."""
        self.go_on.set()
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextlib.contextmanager
def hook() -> Iterator[Hook]:
    """A server for as long as the block runs."""
    made = Hook()
    try:
        yield made
    finally:
        made.close()
