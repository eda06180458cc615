"""Conversations as claude.ai's data export has them, made up for tests."""

from __future__ import annotations

import io
import json
import uuid as ids
import zipfile

ROOT = "00000000-0000-4000-8000-000000000000"


def identity(name):
    """The uuid that stands for ``name``, the same in every run."""
    return str(ids.uuid5(ids.NAMESPACE_URL, f"claude.ai/{name}"))


def said(name, sender, text, *, parent=None, content=None, at=0, **more):
    """One message of a chat."""
    blocks = [
        {"start_timestamp": "a", "stop_timestamp": "b", "flags": None, "type": "text", "text": text, "citations": []}
    ]
    return {
        "uuid": identity(name),
        "text": text,
        "content": blocks if content is None else content,
        "sender": sender,
        "created_at": f"2026-01-02T10:{at // 60:02}:{at % 60:02}.000000Z",
        "updated_at": "2026-01-02T11:00:00.000000Z",
        "attachments": [],
        "files": [],
        **({"parent_message_uuid": parent if parent == ROOT else identity(parent)} if parent else {}),
        **more,
    }


def conversation(name, messages, **more):
    """One conversation."""
    return {
        "uuid": identity(name),
        "name": name,
        "summary": "",
        "created_at": "2026-01-02T10:00:00.000000Z",
        "updated_at": "2026-01-02T11:00:00.000000Z",
        "account": {"uuid": identity("account")},
        "chat_messages": messages,
        **more,
    }


def chat(name, turns):
    """A conversation of prompts and answers, ``turns`` of each."""
    return conversation(
        name,
        [
            said(
                f"{name}/{n}", ("human", "assistant")[n % 2], f"{name} says number {n} about the tides of the day", at=n
            )
            for n in range(2 * turns)
        ],
    )


def exported(conversations, *, pretty=False):
    """The file of these conversations, on one line or ``pretty``."""
    return json.dumps(conversations, indent=2 if pretty else None).encode()


def zipped(files, method=zipfile.ZIP_DEFLATED):
    """A ZIP archive of these files, name -> content."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()
