"""A reader of the log that shares no code with the product: what a completed run left, judged from the bytes alone."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from document_readers import reader_of

if TYPE_CHECKING:
    from pathlib import Path

_LINE = re.compile(rb'(\{.*),"crc32":"([0-9a-f]{8})"\}', re.DOTALL)
_COUNTED_OUT = "bookkeeping"


@dataclass
class Log:
    """The completed runs of a log, and everything that is wrong with it."""

    messages: dict[str, dict[int, tuple[str, str, str]]] = field(default_factory=dict)
    """By conversation and sequence number: role, kind, text without white space."""
    exports: list[str] = field(default_factory=list)
    """SHA-256 of every export that was completely stored."""
    problems: list[str] = field(default_factory=list)
    hashes: dict[tuple[str, int], str] = field(default_factory=dict)
    """Of each counted message that was not purged its content hash, by conversation and sequence number."""
    taken: dict[tuple[str, int], int] = field(default_factory=dict)
    """For each message whose place another drawing took: that one."""
    extends: dict[tuple[str, int], int] = field(default_factory=dict)
    """For each occurrence that is a further form of a message, purged or not: the one before it."""
    announced: set[str] = field(default_factory=set)
    """Content hashes that an export announced, or another drawing of what they stand for."""
    announcements: int = 0
    heads: list[str] = field(default_factory=list)
    """The head of the log behind each run."""
    unfinished: int = 0
    """Bytes behind the last completed run."""

    def conversation(self, name: str) -> list[tuple[str, str, str]]:
        """The messages of one conversation by sequence number."""
        rows = self.messages.get(name, {})
        return [rows[number] for number in sorted(rows)]

    def standing(self, name: str, number: int) -> str:
        """The content hash of the drawing that stands for a message; empty where it does not count."""
        while (name, number) in self.taken:
            number = self.taken[name, number]
        return self.hashes.get((name, number), "")

    def all(self) -> dict[str, list[tuple[str, str, str]]]:
        """Every conversation."""
        return {name: self.conversation(name) for name in self.messages}


def whole(folder: Path) -> bytes:
    """Every byte of the log in a state folder: what is sealed, as the document's reader reads it, and the open part."""
    sealed = reader_of("storage").sealed(folder)
    begins, data = opened(folder)
    pending = folder / "sealed" / ".pending"
    begins = int(pending.read_bytes()) if pending.exists() else begins
    twice = sealed[begins:]  # somebody was killed between sealing lines and taking them away
    if twice and data.startswith(twice[: twice.index(b"\n") + 1]):
        assert data.startswith(twice)
        data = data[len(twice) :]
    return sealed + data


def opened(folder: Path) -> tuple[int, bytes]:
    """At which byte of the log its open part begins, and the lines of that."""
    log = folder / "conversation_log.jsonl"
    found: tuple[int, bytes] = reader_of("storage").opened(log.read_bytes() if log.exists() else b"")
    return found


def read(data: bytes, blobs: Path | None = None) -> Log:
    """Judge the bytes of ``conversation_log.jsonl``, with the files of ``blobs``, or what packs have, where it refers to any."""
    log = Log()
    images = _Images(blobs)
    bodies: dict[str, tuple[str, str, str]] = {}
    waiting: list[dict[str, Any]] = []
    done = at = 0
    head, run = hashlib.sha256().hexdigest(), hashlib.sha256()
    for number, line in enumerate(data.split(b"\n"), 1):
        at += len(line) + 1
        if at > len(data):
            break  # what follows the last line feed is no line
        run.update(line + b"\n")
        record = _record(line)
        if record is None:
            log.problems.append(f"line {number} is damaged")
            waiting.append({})
        elif "export" in record:
            _complete(log, bodies, [_whole(row, images) for row in waiting], record, number)
            waiting, done = [], at
            if record.get("previous", head) != head:
                log.problems.append(f"line {number} names another head than that of the log before its run")
            digest = run.hexdigest()
            head = digest if "previous" in record else hashlib.sha256((head + digest).encode()).hexdigest()
            run = hashlib.sha256()
            log.heads.append(head)
        else:
            waiting.append(record)
    log.unfinished = len(data) - done
    return log


def _record(line: bytes) -> dict[str, Any] | None:
    match = _LINE.fullmatch(line)
    if match is None or zlib.crc32(match[1] + b"}") != int(match[2], 16):
        return None
    return json.loads(match[1] + b"}")


def _complete(
    log: Log, bodies: dict[str, tuple[str, str, str]], rows: list[dict[str, Any]], commit: dict[str, Any], number: int
) -> None:
    name = commit["conversation_id"]
    messages = log.messages.setdefault(name, {})
    brought: set[str] = set()
    for row in rows:
        if not row or row["conversation_id"] != name or row["index"] in messages:
            log.problems.append(f"the run that ends in line {number} holds a row that is not its own")
            continue
        identity = row["content_hash"]
        if "extends" in row:
            log.extends[name, row["index"]] = row["extends"]
        if "purged" in row:
            if "message" in row or "timestamp" in row or "source" in row:
                log.problems.append(f"the run that ends in line {number} has a tombstone that says too much")
            messages[row["index"]] = ("", row["purged"]["kind"], "")
            continue
        if "message" in row:
            said = row["message"]
            if identity in bodies or _hash(said) != identity:
                log.problems.append(f"line {number}: the body {identity[:8]} is stored twice or under a wrong name")
            bodies[identity] = (said["role"], said["kind"], "".join(str(said["content"]).split()))
            brought |= {identity} if said["kind"] != _COUNTED_OUT else set()
        if identity not in bodies:
            log.problems.append(f"line {number}: nobody carries the body {identity[:8]}")
            continue
        messages[row["index"]] = bodies[identity]
        if bodies[identity][1] != _COUNTED_OUT:
            log.hashes[name, row["index"]] = identity
            if row["source"].get("redrawn"):
                drawn = log.standing(name, row["extends"])
                at = row["extends"]
                while (name, at) in log.taken:
                    at = log.taken[name, at]
                log.taken[name, at] = row["index"]
                brought.discard(identity)
                if drawn in log.announced:
                    log.announced.add(identity)
    if sorted(messages) != list(range(len(messages))):
        log.problems.append(f"line {number}: sequence numbers of {name} are not 0, 1, 2 ...")
    shown = [n for first, last in commit["window"] for n in range(first, last + 1)]
    total = sum(messages[n][1] != _COUNTED_OUT for n in shown if n in messages)
    new = len(brought)
    if "cursor" not in commit and commit["export"].get("announces", True):
        told = {log.standing(name, n) for n in shown} - log.announced - {""}
        log.announced |= told
        log.announcements += len(told)
        new = len(told) if "captured" in commit["export"] else new
    if commit["export"].get("recounted", commit["export"]["new"]) != new or commit["export"]["total"] != total:
        log.problems.append(f"line {number}: says {commit['export']}, counted {new} new of {total}")
    log.exports.append(commit["export"]["sha256"])


class _Images:
    """The images in a folder, and in the packs of the archive beside it."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._packed: dict[str, bytes] | None = None

    def read(self, name: str) -> bytes:
        assert self._folder is not None
        path = self._folder / name[:2] / name
        data = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(data).hexdigest() == name:
            return data
        if self._packed is None:
            self._packed = reader_of("storage").segments(self._folder.parent)
        return self._packed[name]


def _whole(row: dict[str, Any], images: _Images) -> dict[str, Any]:
    """The row with its message as it was before its data was taken out."""
    message = row.get("message", {})
    if "blobs" not in message:
        return row
    for name, size in message["blobs"].items():
        data = images.read(name)
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (name, size)
    return {**row, "message": {**message, "content": _with_data(message["content"], images)}}


def _with_data(value: Any, images: _Images) -> Any:
    if isinstance(value, list):
        return [_with_data(inner, images) for inner in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "blob":
        data = base64.b64encode(images.read(value["sha256"])).decode()
        rest = {key: inner for key, inner in value.items() if key not in ("type", "sha256", "bytes")}
        return {"type": "base64", "data": data, **rest}
    return {key: _with_data(inner, images) for key, inner in value.items()}


def _hash(message: dict[str, Any]) -> str:
    content, fidelity = message["content"], message.get("fidelity", "layout")
    text = content if isinstance(content, str) else json.dumps(content, sort_keys=True, separators=(",", ":"))
    if fidelity == "layout":
        text = re.sub("[ \t\n\r\x0b\x0c\u00a0]", "", text)
    return hashlib.sha256(f"{fidelity}\0{message['role']}\0{message['kind']}\0{text}".encode()).hexdigest()
