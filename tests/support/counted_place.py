"""A project in which everything is counted: sessions of the client, its hooks, its commands, and a repository for checkpoints."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from deduplication.commands import deduplicate_export, export_dedup
from deduplication.project.client_transcripts import folder_name
from in_process import call
from scratch_repository import Scratch
from transcript_lines import SESSION, answer, exported, prompt

MAINS = {"export-dedup.py": export_dedup.main, "deduplicate_export.py": deduplicate_export.main}


class Place:
    """A project with git, sessions of the client in it, its hooks and its commands."""

    def __init__(self, tmp_path, repository):
        self.scratch = Scratch(tmp_path / "project")
        self.scratch.commit()
        self.root = self.scratch.root
        self.memory = self.root / "MEMORY-CONTEXT"
        self.state = self.memory / "dedup_state"
        self.memory.mkdir()
        self.scripts = repository / "scripts"
        self.hooks = repository / "hooks"
        self.projects = tmp_path / "config" / "projects" / folder_name(str(self.root))
        self.projects.mkdir(parents=True)
        self.notice = ""

    def transcript(self, session=SESSION):
        """Where the client writes a session."""
        return self.projects / f"{session}.jsonl"

    def talk(self, data, session=SESSION):
        """The client appends lines to a session's transcript."""
        with self.transcript(session).open("ab") as file:
            file.write(
                data.replace(SESSION.encode(), session.encode()).replace(b"/home/ada/project", str(self.root).encode())
            )

    def hook(self, event="Stop", session=SESSION):
        """Fire a hook; what it says is kept."""
        payload = {
            "session_id": session,
            "transcript_path": str(self.transcript(session)),
            "cwd": str(self.root),
            "hook_event_name": event,
        }
        done = subprocess.run(
            [sys.executable, str(self.hooks / "run.py"), event],
            input=json.dumps(payload).encode(),
            capture_output=True,
            check=True,
            cwd=self.root,
            env={**os.environ, "CLAUDE_PROJECT_DIR": str(self.root)},
        )
        said = json.loads(done.stdout) if done.stdout else {}
        self.notice = said.get("systemMessage", "")

    def export(self, name="notes.txt", session=SESSION, told=True):
        """The client writes an export of what was said so far; ``told``: and says so in the transcript."""
        shown = " ▐▛███▜▌   Claude Code v2.1.197\n▝▜█████▛▘  Opus\n  ▘▘ ▝▝    ~/x\n\n"
        for raw in self.transcript(session).read_bytes().splitlines():
            content = json.loads(raw).get("message", {}).get("content", "")
            text = content if isinstance(content, str) else content[0]["text"]
            if not text.startswith("<"):
                shown += f"{'❯' if isinstance(content, str) else '●'} {text}\n\n"
        (self.root / name).write_text(shown.rstrip("\n"), encoding="utf-8")
        if told:
            self.talk(exported(self.root / name, f"export {name}"), session)

    def run(self, script, *arguments):
        """Standard output of one of our scripts; the one that starts another as its child is a process itself."""
        if script in MAINS:
            done = call(*arguments, "--project", self.root, main=MAINS[script])
        else:
            command = [sys.executable, str(self.scripts / script), *arguments, "--project", str(self.root)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tool(self, *arguments):
        """The object that ``deduplicate_export.py`` prints."""
        return json.loads(self.run("deduplicate_export.py", *arguments, "--json"))

    def capture(self, session=SESSION):
        """Store what is new of a transcript."""
        self.tool("capture", str(self.transcript(session)))

    def command(self):
        """The command with the report, as a person starts it."""
        return self.run("export-dedup-with-status.py", "--yes")


def one_more(place):
    """One more exchange."""
    place.talk(
        prompt("Which of the cranes is the tallest one of the whole harbour?")
        + answer("The fourth crane from the north.")
    )
