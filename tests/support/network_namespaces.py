"""Two network namespaces of the test's own, joined by one cable that can be pulled: no packet leaves them.

Both ends lie in a namespace of their own, each with a black hole as its default route: what an end sends while the cable is out
goes nowhere. They end with the process that made them.
"""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

import postgres_server


class Namespace:
    """One end: ``address`` is where it is reached, ``enter`` how a command is begun in it."""

    def __init__(self, address):
        self.address = address
        self._held = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE, start_new_session=True)
        self.pid = self._held.pid
        self.enter = ["nsenter", "-t", str(self.pid), "-n"]
        own = os.readlink("/proc/self/ns/net")
        postgres_server.wait_for(lambda: self._ended() or self._network() != own, "no namespace")
        if self._ended():
            raise OSError("no namespace may be made here")

    def _ended(self):
        return self._held.poll() is not None

    def _network(self):
        return os.readlink(f"/proc/{self.pid}/ns/net")

    def run(self, *command, **more):
        """Run a command in it to its end."""
        return subprocess.run([*self.enter, *command], check=True, capture_output=True, text=True, **more)

    def popen(self, *command, **more):
        """Begin a command in it."""
        return subprocess.Popen([*self.enter, *command], **more)

    def close(self):
        """Let go of it; it is gone when its last process has ended."""
        self._held.stdin.close()
        self._held.wait(postgres_server.PATIENCE)


class Cable:
    """``server`` and ``client`` are its ends."""

    def __init__(self, server, client):
        self.server, self.client = server, client

    def pull(self):
        """Nothing gets through, in either direction, and nobody is told."""
        self.server.run("ip", "link", "set", "dev", "cable", "down")

    def plug(self):
        """It works again."""
        self.server.run("ip", "link", "set", "dev", "cable", "up")
        self.server.run("ip", "route", "replace", "blackhole", "default")


@contextlib.contextmanager
def joined():
    """A cable between two namespaces; the test is skipped where they cannot be made."""
    if os.geteuid() != 0:
        pytest.skip("namespaces of the network need root")
    with contextlib.ExitStack() as ends:
        try:
            cable = Cable(Namespace("10.77.0.1"), Namespace("10.77.0.2"))
            for end in (cable.server, cable.client):
                ends.callback(end.close)
            pair = ("type", "veth", "peer", "name", "cable", "netns", str(cable.client.pid))
            cable.server.run("ip", "link", "add", "name", "cable", *pair)
            for end in (cable.server, cable.client):
                end.run("ip", "address", "add", f"{end.address}/24", "dev", "cable")
                for device in ("lo", "cable"):
                    end.run("ip", "link", "set", "dev", device, "up")
                end.run("ip", "route", "add", "blackhole", "default")
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no namespaces of the network here: {getattr(error, 'stderr', '') or error}")
        yield cable
