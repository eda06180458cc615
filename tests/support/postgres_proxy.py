"""A proxy in front of a server that passes bytes on until a test wants a fault: cut with a reset, refused, or a black hole.

A black hole here takes what is sent and says nothing; the kernel of this machine goes on acknowledging it, so that only a limit of
the client's own time ends a wait. For a line that is really cut see ``network_namespaces``.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from typing import Final

PASS: Final = "pass"
REFUSE: Final = "refuse"
BLACK_HOLE: Final = "black hole"
UP: Final = "up"
"""From the client to the server."""
DOWN: Final = "down"
_LOOK: Final = 0.05
"""Seconds between two looks at what a test wants."""
_RESET: Final = struct.pack("ii", 1, 0)


class Proxy:
    """``port`` of the loopback leads to ``target``, a port of it, too; as a context it listens. ``mode`` is one of the three."""

    def __init__(self, target):
        self.target = target
        self.connections = 0
        self.passed = {UP: 0, DOWN: 0}
        self.port = 0
        self._mode = PASS
        self._left = None
        self._directions = ()
        self._lock = threading.Lock()
        self._open = set()
        self._listening = None

    def __enter__(self):
        self._listen()
        return self

    def __exit__(self, *_error):
        self.mode = REFUSE
        self.cut()

    @property
    def mode(self):
        """What happens to connections: passed on; refused, where they are new; a black hole, for those that there are, too."""
        return self._mode

    @mode.setter
    def mode(self, mode):
        before, self._mode = self._mode, mode
        if mode == REFUSE != before:
            self._listening.shutdown(socket.SHUT_RDWR)  # or the thread that waits in it would accept one more
            self._listening.close()
        elif before == REFUSE != mode:
            self._listen()

    def cut_after(self, count, *directions):
        """Reset the connection in which more than ``count`` bytes have gone in these directions (default: both) from now on."""
        with self._lock:
            self._left, self._directions = count, directions or (UP, DOWN)

    def cut(self):
        """Reset every connection now; new ones are as before."""
        with self._lock:
            for one in self._open:
                _reset(one)
            self._open.clear()

    def _listen(self):
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _accept(self, listening):
        with contextlib.suppress(OSError):  # it was closed
            while True:
                client, _address = listening.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            _reset(client)
            return
        with self._lock:
            self._open |= {client, server}
        ended = False
        with contextlib.suppress(OSError, ValueError):  # one of them was reset
            while not ended:
                for source in select.select([client, server], [], [], _LOOK)[0]:
                    ended = ended or self._pass_on(source, *((UP, server) if source is client else (DOWN, client)))
        with self._lock:
            for one in (client, server):
                if ended:
                    one.close()
                else:
                    _reset(one)
                self._open.discard(one)

    def _pass_on(self, source, direction, target):
        """Pass on what there is; true once there will be no more. Raises :class:`OSError` where it was to be cut."""
        if self._mode == BLACK_HOLE:
            time.sleep(_LOOK)
            return False
        data = source.recv(65536)
        let = self._let(data, direction)
        target.sendall(let)
        if len(let) < len(data):
            raise OSError("cut")
        return not data

    def _let(self, data, direction):
        """What of some bytes still goes through."""
        with self._lock:
            if self._left is not None and direction in self._directions:
                data, whole = data[: self._left], len(data)
                self._left = self._left - whole if whole <= self._left else None
            self.passed[direction] += len(data)
            return data


def _reset(connection):
    """Close a connection with RST: whoever reads from it is told at once that it is gone."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()
