"""A real browser, driven through its debugging pipe: no network, no driver, nothing but its executable."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-pipe",
)
PATIENCE = 120
"""Seconds until a browser that says nothing is given up."""


def executable():
    """The browser's path, None where there is none."""
    named = os.environ.get("EXPORT_DEDUP_BROWSER")
    return named or next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page of one browser; ``events`` are all that it told, as pairs of method and parameters."""

    def __init__(self, width=1280, height=900):
        self._folder = tempfile.mkdtemp(prefix="export-dedup-browser-")
        self._read, for_child = os.pipe()
        from_us, self._write = os.pipe()
        command = [
            executable(),
            *FLAGS,
            f"--window-size={width},{height}",
            f"--user-data-dir={self._folder}",
            "about:blank",
        ]
        # The shell puts the pipe's ends where the browser expects them: 3 to read from, 4 to write to.
        script = f'exec "$@" 3<&{from_us} 4>&{for_child}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "browser", *command],
            pass_fds=(from_us, for_child),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(for_child)
        os.close(from_us)
        self._buffer, self._number, self._session = b"", 0, None
        self.events = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait()
        os.close(self._read)
        os.close(self._write)
        shutil.rmtree(self._folder, ignore_errors=True)

    def send(self, method, **parameters):
        """The result of a command of the DevTools protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self):
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            more = os.read(self._read, 1 << 20)
            assert more, "the browser is gone"
            assert time.monotonic() < deadline, "the browser says nothing"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        value = json.loads(message)
        if "method" in value:
            self.events.append((value["method"], value["params"]))
        return value

    def open(self, path):
        """Open a file and wait until it is loaded."""
        return self.go(path.as_uri())

    def go(self, url):
        """Open an address and wait until it is loaded."""
        self.events.clear()
        self.send("Page.navigate", url=url)
        while not any(method == "Page.loadEventFired" for method, _ in self.events):
            self._next()
        return self

    def evaluate(self, script):
        """The value of an expression in the page."""
        done = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def key(self, key, text=""):
        """Press a key."""
        more = {"text": text} if text else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def type(self, text):
        """Put text where the cursor is."""
        self.send("Input.insertText", text=text)

    def until(self, expression, patience=30):
        """Wait until an expression in the page is true; while one page goes and another comes, none is."""
        deadline = time.monotonic() + patience
        asked = f"(() => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }})()"
        while not self.evaluate(asked):
            assert time.monotonic() < deadline, expression
            time.sleep(0.05)

    def sized(self, width, height=900):
        """A screen of this size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.settled()

    def settled(self):
        """Wait until what was typed has had its effect."""
        self.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(() => done()), 200))")

    def dark(self, *, dark=True):
        """What the system's theme is said to be; nothing moves."""
        value = "dark" if dark else "light"
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}, still])

    def screenshot(self, path, width=1280, height=900, form="png"):
        """A picture of what can be seen."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.settled()
        options = {"quality": 82} if form != "png" else {}
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format=form, **options)["data"]))

    def requests(self):
        """Every address that was asked for since the page was opened."""
        return [params["request"]["url"] for method, params in self.events if method == "Network.requestWillBeSent"]

    def complaints(self):
        """Errors of scripts and refusals of the page's policy since it was opened."""
        told = [params["entry"]["text"] for method, params in self.events if method == "Log.entryAdded"]
        return [*told, *(str(params) for method, params in self.events if method == "Runtime.exceptionThrown")]
