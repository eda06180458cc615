"""Made cases of everything that can be missing: a project, the client's folder beside it, and a store, for tests."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

from deduplication.gaps.client_side import client_side
from deduplication.gaps.look import look
from deduplication.ingest import transcript_capture
from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator
from deduplication.project.client_transcripts import folder_name
from deduplication.project.paths import Project
from deduplication.workflow.archive_transcripts import archive_transcripts
from transcript_lines import SESSION, line

if TYPE_CHECKING:
    from pathlib import Path

BANNER = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Example 1.0\n  ▘▘ ▝▝    ~/x\n\n\n"
DIVIDER = "✻ Conversation compacted (ctrl+o for history)\n\n"
OUTPUT = "out-1.txt"
DAY = 86_400


def turns(*texts, compacted=False):
    """A text export: prompts and answers in turn, each long enough to be told from others."""
    parts = [BANNER, DIVIDER if compacted else ""]
    for number, text in enumerate(texts):
        parts.append(f"❯ {text}\n\n" if number % 2 == 0 else f"● {text}\n\n")
    return "".join(parts).encode()


def cut(lines, *, command="seq 1 90", shown="1\n     2\n     3"):
    """A text export with one result of which ``lines`` lines are hidden."""
    return (
        f"{BANNER}❯ Count the cranes of the harbour from the north to the south, please\n\n● Bash({command})\n"
        f"  ⎿  {shown}\n     … +{lines} lines (ctrl+o to expand)\n\n● The cranes of the harbour were counted, all of them\n\n"
    ).encode()


def numbered(*indexes):
    """A parsed JSON export whose messages have these indexes."""
    return {
        "messages": [
            {
                "index": index,
                "type": "prompt" if index % 2 == 0 else "response",
                "message": f"What is said at {index} of the tide",
            }
            for index in indexes
        ]
    }


def put_aside(name=OUTPUT, size=348_894, **more):
    """The line of a result that the client wrote to a file of its own."""
    text = (
        f"<persisted-output>\nOutput too large (340.7KB). Full output saved to: /x/{SESSION}/tool-results/{name}\n\n"
        "Preview (first 2KB):\n1\n2\n...\n</persisted-output>"
    )
    content = [{"type": "tool_result", "tool_use_id": "toolu_1", "content": text}]
    return line(
        f"aside {name}",
        "user",
        {"role": "user", "content": content},
        toolUseResult={"persistedOutputSize": size},
        **more,
    )


class Scene:
    """A project that opted in, and the client's folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "project"
        self.config = folder / "config"
        (self.root / "MEMORY-CONTEXT").mkdir(parents=True)
        self.place = Project(self.root.resolve())
        self.dedup = ClaudeConversationDeduplicator(self.place.state)

    def transcript(self, data, session=SESSION, *, name=None, days_old=1.0):
        """A transcript that nobody wrote to for some days; its path."""
        path = self.config / "projects" / folder_name(str(self.root.resolve())) / (name or f"{session}.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.replace(b"/home/ada/project", str(self.root.resolve()).encode()))
        moment = time.time() - days_old * DAY
        os.utime(path, (moment, moment))
        return path

    def output(self, path, data=b"1\n2\n3\n", name=OUTPUT):
        """The file that the client put a result into, beside the transcript at ``path``."""
        file = path.with_suffix("") / "tool-results" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        moment = time.time() - DAY
        os.utime(file, (moment, moment))
        return file

    def history(self, *prompts, session=SESSION, project=None):
        """The client's history: texts with their times in seconds."""
        self.config.mkdir(parents=True, exist_ok=True)
        with open(self.config / "history.jsonl", "a", encoding="utf-8") as file:
            for text, moment in prompts:
                said = {"display": text, "pastedContents": {}, "timestamp": int(moment * 1000)}
                file.write(json.dumps({**said, "project": str(project or self.root), "sessionId": session}) + "\n")

    def settings(self, where=None, **values):
        """The client's settings: the user's, or those in another folder."""
        path = (where or self.config) / "settings.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def capture(self, path):
        """Store a transcript."""
        return transcript_capture.capture_file(self.dedup, path)

    def archive(self):
        """The client's files into the archive, as a run does it."""
        return archive_transcripts(self.place, self.client().transcripts)

    def client(self):
        """The client's side, as it is now."""
        return client_side(self.place.root, self.place)

    def look(self, conversation=None):
        """Every gap."""
        return look(self.dedup.store, conversation, client=self.client(), folder=str(self.place.state))

    def kinds(self, conversation=None):
        """How many gaps there are of each kind that there is."""
        return {kind: count for kind, count in self.look(conversation).counts.items() if count}
