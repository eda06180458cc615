"""The original project's two deduplicators as its design and its state folders tell of them: what they keep, what they lose.

Written from the rules, for tests: by number and hash into a conversation log, and by hash alone into one pool.
"""

from __future__ import annotations

import hashlib
import json
import os


def digest(value):
    """The SHA-256 of a value as JSON, its keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def said(number, role, content, key="message"):
    """A message as a browser exporter has it: ``type`` is ``prompt`` or ``response``."""
    return {"index": number, "type": role, key: content}


def turns(first, end, word="turn"):
    """Prompts and answers with these numbers."""
    return [
        said(
            n, ("prompt", "response")[n % 2], f"{word} number {n} says something of its own about the tides of day {n}"
        )
        for n in range(first, end)
    ]


class Conversations:
    """By conversation: what has a number above the watermark and a hash that is not known is new, all else is dropped."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.watermarks = self._load("watermarks.json")
        self.hashes = self._load("content_hashes.json")

    def process(self, name, messages, moment="2025-11-17T10:00:00"):
        """One export; what of it is new."""
        new = []
        watermark, known = self.watermarks.get(name, -1), self.hashes.setdefault(name, [])
        for message in sorted(messages, key=lambda each: each.get("index", 0)):
            number = message.get("index", 0)
            identity = digest(
                {
                    "role": message.get("type", message.get("role")),
                    "content": message.get("message", message.get("content")),
                    "index": number,
                }
            )
            if number <= watermark or identity in known:
                continue
            new.append(message)
            known.append(identity)
            watermark = max(watermark, number)
            event = {"conversation_id": name, "timestamp": moment, "content_hash": identity, "message": message}
            self._append("conversation_log.jsonl", event)
        self.watermarks[name] = watermark
        self._save("watermarks.json", self.watermarks)
        self._save("content_hashes.json", self.hashes)
        return new

    def forget(self):
        """The indexes are lost, as where they were damaged: numbers may begin anew from now on."""
        self.watermarks, self.hashes = {}, {}
        for name in ("watermarks.json", "content_hashes.json"):
            os.unlink(os.path.join(self.folder, name))

    def _load(self, name):
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def _save(self, name, value):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)

    def _append(self, name, value):
        with open(os.path.join(self.folder, name), "a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")


class Pool(Conversations):
    """Of all exports: what was ever said once is dropped wherever it is said again."""

    def __init__(self, folder):
        super().__init__(folder)
        self.pool, self.checkpoints = set(), {}

    def process(self, name, messages, moment="2025-11-22T06:44:00.888502+00:00"):
        """One export of a checkpoint (None: of none); what of it is new."""
        new = []
        for message in messages:
            content = message.get("content") or message.get("message", "")
            identity = digest({"role": message.get("role") or message.get("type", "unknown"), "content": content})
            if identity in self.pool:
                continue
            self.pool.add(identity)
            new.append(message)
            listed = self.checkpoints.setdefault(name, {"created": moment, "message_hashes": []})
            listed["message_hashes"].append(identity)
            entry = {"hash": identity, "message": message, "first_seen": moment, "checkpoint": name}
            self._append("unique_messages.jsonl", entry)
        self._save("global_hashes.json", sorted(self.pool))
        self._save("checkpoint_index.json", {name: each for name, each in self.checkpoints.items() if name})
        return new


def damaged(path, line, data):
    """A file with other bytes in the place of a line, which is counted from 1."""
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = data
    path.write_bytes(b"\n".join(lines))
