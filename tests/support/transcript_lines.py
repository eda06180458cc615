"""Lines as the client writes them into a transcript, made up for tests."""

from __future__ import annotations

import json
import uuid as ids

SESSION = "11111111-2222-4333-8444-555555555555"


def identity(name, session=SESSION):
    """The uuid that stands for ``name``, the same in every run."""
    return str(ids.uuid5(ids.NAMESPACE_URL, f"{session}/{name}"))


def line(name, type_, message=None, *, session=SESSION, at=0, **more):
    """One line, with its line feed."""
    value = {
        "parentUuid": None,
        "isSidechain": False,
        "type": type_,
        "uuid": identity(name, session),
        "sessionId": session,
        "timestamp": f"2026-11-20T{at // 3600 % 24:02}:{at // 60 % 60:02}:{at % 60:02}.000Z",
        "cwd": "/home/ada/project",
        "version": "2.1.197",
    }
    if message is not None:
        value["message"] = message
    return json.dumps({**value, **more}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def prompt(text, name=None, **more):
    """What a person typed."""
    return line(name or text, "user", {"role": "user", "content": text}, **more)


def answer(text, name=None, **more):
    """What the assistant said."""
    content = [{"type": "text", "text": text}]
    return line(
        name or text, "assistant", {"id": f"msg_{name or text}", "role": "assistant", "content": content}, **more
    )


def call(tool, name, **given):
    """A tool call."""
    content = [{"type": "tool_use", "id": f"toolu_{name}", "name": tool, "input": given}]
    return line(f"call {name}", "assistant", {"id": f"msg_{name}", "role": "assistant", "content": content})


def result(text, name):
    """What the tool gave back."""
    content = [{"type": "tool_result", "tool_use_id": f"toolu_{name}", "content": text}]
    return line(f"result {name}", "user", {"role": "user", "content": content}, toolUseResult={"stdout": text})


def exported(path, name="export", sentence="Conversation exported to: {}"):
    """The three lines that ``/export`` leaves; ``sentence`` is how the client says it."""
    command = f"<command-name>/export</command-name>\n<command-args>{path}</command-args>"
    output = f"<local-command-stdout>{sentence.format(path)}</local-command-stdout>"
    return (
        line(
            f"{name} caveat",
            "user",
            {"role": "user", "content": "<local-command-caveat>x</local-command-caveat>"},
            isMeta=True,
        )
        + line(f"{name} command", "user", {"role": "user", "content": command})
        + line(f"{name} output", "user", {"role": "user", "content": output})
    )


def compacted(summary, name="compaction"):
    """The boundary of a compaction and the summary after it."""
    message = {"role": "user", "content": summary}
    return line(name, "system", subtype="compact_boundary", content="Conversation compacted") + line(
        f"{name} summary", "user", message, isCompactSummary=True
    )


def day(turns, start=0):
    """Prompts and answers, ``turns`` of each."""
    return b"".join(
        prompt(f"Question number {n} about the harbour and its cranes, asked in the morning", at=60 * n)
        + answer(f"Answer number {n}: the cranes of the harbour are counted from the north", at=60 * n + 5)
        for n in range(start, start + turns)
    )
