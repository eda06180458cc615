"""What ``claude -p --output-format stream-json`` prints of a session whose transcript is made of ``transcript_lines``."""

from __future__ import annotations

import json

from transcript_lines import SESSION, identity


def event(type_, *, call=None, session=SESSION, **more):
    """One line, with its line feed."""
    return json.dumps({"type": type_, **more, "parent_tool_use_id": call, "session_id": session}).encode() + b"\n"


def begin(session=SESSION):
    """The line that every stream begins with."""
    return event(
        "system", subtype="init", cwd="/home/ada/project", tools=["Bash"], uuid=identity("init"), session=session
    )


def of(line, *, call=None):
    """The line of a stream that says what a line of the transcript says."""
    said = json.loads(line)
    more = {"timestamp": said["timestamp"], "isReplay": True} if said["type"] == "user" else {"request_id": "req_1"}
    if "toolUseResult" in said:
        more = {"timestamp": said["timestamp"], "tool_use_result": said["toolUseResult"]}
    return event(said["type"], message=said["message"], uuid=said["uuid"], session=said["sessionId"], call=call, **more)


def end(text, session=SESSION):
    """The closing result, which says the last answer again."""
    return event("result", subtype="success", is_error=False, result=text, uuid=identity("result"), session=session)
