"""A process of one revision of the product, whose checkout it is given: commands of it in forks, and what its store says.

``python tests/faults/told_by.py CHECKOUT``: a line of JSON is asked, a line of JSON answers. It imports nothing of the product
in the checkout that it lies in, so that two revisions can be asked the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: what a killed process had started becomes ours to wait for."""
_LONGEST = 180.0
_ENTRIES = {"export-dedup": "export_dedup", "with-status": "with_status", "checkpoint": "create_checkpoint"}


def told(state: str) -> dict[str, Any]:
    """Conversations, their messages in both orders, and every count, of the store in a folder; only looked at."""
    from deduplication import ClaudeConversationDeduplicator

    dedup = ClaudeConversationDeduplicator(state)
    store = dedup.store
    found: dict[str, Any] = {"unique": dedup.global_unique_count(), "seen": vars_of(dedup.seen_bytes())}
    found["announced"] = vars_of(store.announced()) if hasattr(store, "announced") else {}
    for name in dedup.conversations():
        with store.transaction(write=False):
            kept = store.conversation(name)
            order = list(kept.reading().order)
            numbers = [number for number in sorted(order) if number not in kept.purged]
            figures = vars_of(store.figures(name))
            stored = [digest(each) for each in store.bodies(name, numbers)]
        messages = dedup.get_full_conversation(name)
        found.setdefault("conversations", {})[name] = {
            "order": order,
            "purged": sorted(kept.purged),
            "stored": dict(zip(map(str, numbers), stored)),
            "messages": [message["index"] for message in messages],
            "read": [digest(message) for message in messages],
            "texts": [
                [message["role"], message["kind"], "".join(str(message["content"]).split())] for message in messages
            ],
            "figures": figures,
            "gaps": [list(each) for each in dedup.detect_gaps(name, [])],
        }
    return found


def digest(message: dict[str, Any]) -> str:
    """What is told of a message, as a short hash of all that both revisions tell."""
    return hashlib.sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()[:16]


def vars_of(record: Any) -> dict[str, Any]:
    """A record as a dictionary, however the revision writes its records."""
    if hasattr(record, "_asdict"):
        return dict(record._asdict())
    names = getattr(type(record), "__dataclass_fields__", None) or type(record).__annotations__
    return {name: getattr(record, name) for name in names}


def _main(name: str) -> Any:
    from deduplication.commands import entry

    module = importlib.import_module(f"deduplication.commands.{_ENTRIES.get(name, 'deduplicate_export')}")
    return lambda: entry.run(module.main)


def _hook(event: str) -> Any:
    try:
        hooks = importlib.import_module("deduplication.hooks.entry")
    except ImportError:
        hooks = importlib.import_module("deduplication.live.entry")
    return lambda: hooks.run([event]) or 0


def _child(asked: dict[str, Any], output: int) -> None:
    code = 3
    try:
        os.setsid()
        os.chdir(asked["cwd"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        reading, writing = os.pipe()
        os.write(writing, asked.get("stdin", "").encode())
        os.close(writing)
        os.dup2(reading, 0)
        os.dup2(output, 1)
        os.dup2(1, 2)
        sys.stdin, sys.stdout, sys.stderr = (
            open(0, encoding="utf-8", closefd=False),  # noqa: SIM115 - they live as long as the process
            open(1, "w", encoding="utf-8", closefd=False),  # noqa: SIM115
            open(2, "w", encoding="utf-8", closefd=False),  # noqa: SIM115
        )
        sys.argv = [asked["name"], *asked["arguments"]]
        for module, name, value in asked.get("settings", ()):
            with contextlib.suppress(ImportError):
                setattr(importlib.import_module(f"deduplication.{module}"), name, value)
        run = _hook(asked["arguments"][0]) if asked["name"] == "hook" else _main(asked["name"])
        if asked.get("at_call"):
            from faults.children import Shim

            Shim(asked["at_call"], "torn" if asked["at_call"] % 2 else "kill").install()
        code = run()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 3
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must see it
        print(f"{type(error).__name__}: {error}")
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def command(asked: dict[str, Any]) -> dict[str, Any]:
    """Run a command in a process of its own, killed after ``seconds`` where they are given; waits for all that it started."""
    output = os.memfd_create("said")
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        _child(asked, output)
    begun, due, status = time.monotonic(), asked.get("seconds"), None
    while status is None:
        done, found = os.waitpid(pid, os.WNOHANG)
        passed = time.monotonic() - begun
        if done:
            status = found
        elif passed > _LONGEST or (due is not None and passed >= due):
            with contextlib.suppress(ProcessLookupError):  # it leads no group of its own yet, or has ended
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002)
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < begun + _LONGEST:
            done, _ = os.waitpid(-1, os.WNOHANG)
            time.sleep(0 if done else 0.002)
    said = os.pread(output, os.fstat(output).st_size, 0).decode("utf-8", "replace")
    os.close(output)
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return {"code": code, "said": said}


def asked_of_a_store(asked: dict[str, Any]) -> dict[str, Any]:
    """What :func:`told` says, from a process that is gone afterwards."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            os.environ.update(asked["environment"])
            try:
                answer = told(asked["state"])
            except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must see it
                answer = {"failed": f"{type(error).__name__}: {error}"}
            with os.fdopen(writing, "w") as file:
                json.dump(answer, file)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        answer = json.load(file)
    os.waitpid(pid, 0)
    return answer


def main() -> int:
    """Answer until nobody asks any more."""
    sys.path.insert(0, str(Path(sys.argv[1]) / "scripts"))
    sys.path.insert(1, str(Path(__file__).parents[1]))
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0)
    for name in ("deduplicate_export", "export_dedup", "entry"):
        importlib.import_module(f"deduplication.commands.{name}")
    while select.select([sys.stdin], [], [])[0] and (line := sys.stdin.readline()):
        asked = json.loads(line)
        answer = asked_of_a_store(asked) if "state" in asked else command(asked)
        print(json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
