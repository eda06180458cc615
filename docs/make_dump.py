"""Writes the demonstration's store into storage.md, a line of it a line, with what each of them says.

``python docs/make_dump.py`` after the store's format or the samples changed. A test compares.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "storage.md"
SAMPLES: Final = ROOT / ".coditect" / "demo"
_SECTION: Final = re.compile(r"(<!-- dump: docs/make_dump\.py -->\n).*?(<!-- end of dump -->\n)", re.DOTALL)
_WIDTH: Final = 46
"""Characters of a message that are shown."""


def store(project: Path) -> Path:
    """The state folder after the three samples were processed in ``project``, one after the other."""
    for sample in sorted(SAMPLES.glob("*.txt")):
        shutil.copyfile(sample, project / sample.name)
        command = [
            sys.executable,
            str(ROOT / "scripts" / "export-dedup.py"),
            "--no-checkpoint",
            "--project",
            str(project),
        ]
        subprocess.run(command, check=True, capture_output=True)
    return project / "MEMORY-CONTEXT" / "dedup_state"


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a file of the store."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def log(path: Path) -> Iterator[str]:
    """Each line of the log: an occurrence with its body, an occurrence without one, a commit record."""
    bodies: dict[str, int] = {}
    for line, record in enumerate(records(path), start=1):
        if "window" in record:
            export = record["export"]
            shown = ", ".join(f"#{first} to #{last}" for first, last in record["window"])
            counts = f"{export['total']} messages, {export['new']} new; it shows {shown}"
            yield f"{line:4}  run   {export['name']}: {counts}"
            continue
        number, digest = record["index"], record["content_hash"]
        span = "{}-{}".format(*record["source"]["span"])
        if "message" in record:
            bodies[digest] = number
            message = record["message"]
            said = _short(message["content"])
            yield f"{line:4}  #{number:<4} {message['role']:9} {message['kind']:12} {digest[:8]}  {span:10} {said}"
        else:
            yield f"{line:4}  #{number:<4} {'':22} {digest[:8]}  {span:10} no body: it is the one of #{bodies[digest]}"


def _short(content: str) -> str:
    """The beginning of a message, on one line."""
    line = " ".join(content.split())
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


def dump() -> str:
    """All of the demonstration's store that a reader of the format wants to see."""
    with tempfile.TemporaryDirectory() as folder:
        state = store(Path(folder))
        watermarks = (state / "watermarks.json").read_text(encoding="utf-8").strip()
        audit = list(records(state / "deduplication_log.jsonl"))
        archived = list(records(state / "archived.jsonl"))
        lines = ["conversation_log.jsonl   line, number, role, kind, content hash, bytes in the export, content", ""]
        lines += log(state / "conversation_log.jsonl")
    lines += ["", f"watermarks.json          {watermarks}", ""]
    lines += ["deduplication_log.jsonl  one line a run"]
    lines += [
        f"    {each['metadata']['name']}: {each['new_messages']} new, {each['duplicates_filtered']} duplicates"
        for each in audit
    ]
    lines += ["", "archived.jsonl           one line a file in exports-archive/"]
    lines += [f"    {each['name']}: {each['bytes']} bytes, SHA-256 {each['sha256'][:8]}…" for each in archived]
    return "\n".join(lines)


def page() -> str:
    """The whole of storage.md as it should be."""
    shown = f"```text\n{dump()}\n```"
    return _SECTION.sub(lambda found: f"{found[1]}\n{shown}\n\n{found[2]}", PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
