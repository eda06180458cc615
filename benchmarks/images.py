#!/usr/bin/env python3
"""What images and documents take in a store: ``benchmarks/images.py [--turns N]``.

Made up: a transcript of a session that reads images (random bytes, 20 kB to 2 MB, as PNGs and PDFs nearly are) with the client's
tool, whose lines have each of them twice, and whose prompts have some of them, one of them again and again. It is captured in
three parts, as a session goes on, and archived, by the commands themselves; then packed. Bytes of the store by kind against the
bytes of the images, and processor time. Every image is compared as it is read back.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
SIZES: Final = (20_000, 55_000, 130_000, 300_000, 700_000, 2_000_000)
SESSION: Final = "11111111-2222-4333-8444-555555555555"
KINDS: Final = (
    ("blobs", "dedup_state/blobs/*/*"),
    ("packs", "exports-archive/packs/*"),
    ("all else", "dedup_state/**/*"),
)


def lines(turns: int) -> tuple[list[bytes], dict[str, bytes]]:
    """The lines of a session, and its images by their Base64."""
    source = random.Random("images")
    images: dict[str, bytes] = {}
    found: list[bytes] = []
    again = source.randbytes(SIZES[1])
    for turn in range(turns):
        said = " ".join(f"{source.randrange(10**6)}" for _ in range(60))
        data = source.randbytes(SIZES[turn % len(SIZES)])
        shown = again if turn % 4 == 3 else data
        text, prompted = (base64.b64encode(each).decode() for each in (data, shown))
        images.update({text: data, prompted: shown})
        picture = _source("image", prompted)
        found += [
            _line(f"{turn}p", "user", [picture, {"type": "text", "text": f"Picture {turn}: {said}"}]),
            _line(f"{turn}c", "assistant", [{"type": "tool_use", "id": f"t{turn}", "name": "Read", "input": {}}]),
            _line(
                f"{turn}r",
                "user",
                [{"type": "tool_result", "tool_use_id": f"t{turn}", "content": [_source("image", text)]}],
                toolUseResult={"type": "image", "file": {"base64": text, "type": "image/png"}},
            ),
            _line(f"{turn}a", "assistant", [{"type": "text", "text": f"I see {said}"}]),
        ]
    return found, images


def _source(kind: str, text: str) -> dict[str, Any]:
    return {"type": kind, "source": {"type": "base64", "media_type": "image/png", "data": text}}


def _line(name: str, role: str, content: list[dict[str, Any]], **more: Any) -> bytes:
    value = {
        "type": role,
        "uuid": f"{name:0>8}-0000-4000-8000-000000000000",
        "sessionId": SESSION,
        "timestamp": "2026-11-20T10:00:00.000Z",
        "message": {"id": f"msg_{name}", "role": role, "content": content},
    }
    return json.dumps({**value, **more}, separators=(",", ":")).encode() + b"\n"


def main() -> int:
    """0 where every image came back."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--turns", type=int, default=12)
    found, images = lines(asked.parse_args().turns)
    raw = sum(map(len, set(images.values())))
    with tempfile.TemporaryDirectory() as folder:
        root, memory = Path(folder, "tides"), Path(folder, "tides", "MEMORY-CONTEXT")
        memory.mkdir(parents=True)
        file = Path(folder, "projects", "-tides", f"{SESSION}.jsonl")
        file.parent.mkdir(parents=True)
        for part in (1, 2, 3):
            file.write_bytes(b"".join(found[: len(found) * part // 3]))
            _told(f"captured and archived, part {part}", memory, raw, _run(root, folder, "capture", str(file)))
        _told("packed", memory, raw, _run(root, folder, "pack"))
        sys.path.insert(0, str(ROOT / "scripts"))
        from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator

        dedup = ClaudeConversationDeduplicator(memory / "dedup_state")
        said = json.dumps([message["content"] for message in dedup.get_full_conversation(SESSION)])
        lost = [data for text, data in images.items() if text not in said]
        print(f"{len(images)} images of {raw:,} bytes in {file.stat().st_size:,} bytes of transcript; {len(lost)} lost")
    return 1 if lost else 0


def _run(root: Path, home: str, *arguments: str) -> float:
    """Seconds of processor time that a command took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, str(ROOT / "scripts" / "deduplicate_export.py"), *arguments, "--project", str(root)]
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "HOME": home, "CLAUDE_CONFIG_DIR": home}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _told(what: str, memory: Path, raw: int, seconds: float) -> None:
    kinds: dict[str, int] = {}
    seen: set[Path] = set()
    for kind, pattern in KINDS:
        files = {path for path in memory.glob(pattern) if path.is_file()} - seen
        seen |= files
        kinds[kind] = sum(path.stat().st_size for path in files)
    said = ", ".join(f"{kind} {size:,}" for kind, size in kinds.items())
    total = sum(kinds.values())
    print(f"{what}: {total:,} bytes, {total / raw:.3f} of all images ({said}); {seconds:.2f} s")


if __name__ == "__main__":
    sys.exit(main())
