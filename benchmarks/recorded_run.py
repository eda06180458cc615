"""Run one revision of the product through every command on real exports, and record each output and each file.

    python benchmarks/recorded_run.py REVISION CORPUS OUT     # once before a change of structure, once after it
    diff -r OUT-BEFORE OUT-AFTER                              # nothing, where nothing changed for a user

Clock, random bytes, paths and git's dates are the same in every recording, so what is left to differ is the product.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GROUND: Final = Path("/tmp/recorded run")
"""Everything lies here while it is recorded: the same paths each time, with a blank in them."""
PRODUCT: Final = GROUND / "product"
HOME: Final = GROUND / "home"
MOMENT: Final = 1_770_000_000
LATEST: Final = MOMENT + 10_000_000
"""No command of a recording is at a later moment: what is younger was written by the clock on the wall."""
SAME_EACH_TIME: Final = """
import datetime, hashlib, os, random, time
step = int(os.environ["RECORDED_STEP"])
now = float(os.environ["RECORDED_NOW"])
class Frozen(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(now, tz)
    @classmethod
    def today(cls):
        return cls.fromtimestamp(now)
datetime.datetime = Frozen
time.time = lambda: now
time.time_ns = lambda: int(now) * 1_000_000_000
time.perf_counter = lambda: 0.0
time.perf_counter_ns = lambda: 0
time.monotonic = lambda: 0.0
made = 0
def urandom(size):
    global made
    out = b""
    while len(out) < size:
        made += 1
        out += hashlib.sha256(b"%d %d" % (step, made)).digest()
    return out[:size]
os.urandom = random._urandom = urandom
getpid = os.getpid
os.getpid = lambda: 4242
"""
NOT_COMPARED: Final = (".git/", ".coditect/", ".lock", "__pycache__")
"""What git keeps of its own is asked of git; our own files in a project are the product's; locks are empty."""
INSTALLED: Final = re.compile(rb"(\.coditect/scripts: )\d+")
"""How many modules there are is no behaviour."""
INPUTS: Final = (
    "real-2025/*.txt",
    "real-2026/*",
    "client-2.1.197/*",
    "lab/2.1.197/**/*.txt",
    "lab/2.1.119/**/*.txt",
    "lab/pair/**/*.*",
    "lab/stream-json/**/*.json*",
)
TRANSCRIPTS: Final = ("real-transcripts/*.jsonl", "lab/2.1.47/**/*.jsonl")


class Recording:
    """One project that is worked on command by command."""

    def __init__(self, out: Path, name: str) -> None:
        self.out = out / name
        self.out.mkdir(parents=True)
        self.project = GROUND / name
        self.project.mkdir()
        self.step = 0
        self.git("init", "-q", "-b", "main")
        (self.project / "README.md").write_text("# A project\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "first")

    def environment(self) -> dict[str, str]:
        """Of a command: a home of its own, and the moment of this command."""
        now = MOMENT + 3600 * self.step
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "HOME": str(HOME),
            "TZ": "UTC",
            "COLUMNS": "100",
            "PYTHONPATH": str(GROUND / "same"),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "RECORDED_STEP": str(self.step),
            "RECORDED_NOW": str(now),
            "GIT_AUTHOR_DATE": f"@{now} +0000",
            "GIT_COMMITTER_DATE": f"@{now} +0000",
        }

    def git(self, *arguments: str) -> str:
        """What a command of git prints."""
        command = ["git", "-c", "user.name=A Person", "-c", "user.email=person@example.org", *arguments]
        ran = subprocess.run(command, cwd=self.project, env=self.environment(), capture_output=True, check=True)
        return ran.stdout.decode("utf-8", "replace")

    def run(self, arguments: Sequence[str], *, given: str = "") -> subprocess.CompletedProcess[bytes]:
        """A command in the project; what it printed and what the project is afterwards goes into the recording."""
        self.step += 1
        ran = subprocess.run(
            arguments, cwd=self.project, env=self.environment(), input=given.encode(), capture_output=True, check=False
        )
        self.set_times()
        said = self.out / f"{self.step:03d}"
        shown = " ".join(Path(each).name if "/" in each else each for each in arguments if each != sys.executable)
        said.with_suffix(".command").write_text(f"{shown}\nexit {ran.returncode}\n")
        said.with_suffix(".stdout").write_bytes(INSTALLED.sub(rb"\1N", ran.stdout))
        said.with_suffix(".stderr").write_bytes(ran.stderr)
        said.with_suffix(".files").write_text("".join(self.files()))
        print(f"{self.project.name} {self.step:3d}  exit {ran.returncode}  {shown[:100]}", flush=True)
        return ran

    def set_times(self) -> None:
        """What was written by the last command was written at its moment: snapshots and archives note these times."""
        now = MOMENT + 3600 * self.step
        for folder in (self.project, HOME, GROUND / f"{self.project.name}-backup"):
            for path in folder.rglob("*"):
                if path.is_file() and not path.is_symlink() and path.stat().st_mtime > LATEST:
                    os.utime(path, (now, now))

    def files(self) -> Iterator[str]:
        """A line for each file: the hash of its bytes, its length, its name; then what git says of itself."""
        for folder in (self.project, HOME, GROUND / f"{self.project.name}-backup"):
            for path in sorted(folder.rglob("*")):
                name = str(path.relative_to(GROUND))
                if path.is_symlink():
                    yield f"-> {os.readlink(path)}  {name}\n"
                elif path.is_file() and not any(each in f"{name}" for each in NOT_COMPARED):
                    data = path.read_bytes()
                    # A snapshot notes when each file was written, and some were in the same command, by the clock on the wall.
                    digest = "a snapshot" if "/snapshots/" in name else hashlib.sha256(data).hexdigest()[:16]
                    yield f"{digest:16} {len(data):9d}  {name}\n"
        yield self.git("log", "--format=%T %an %ad %s", "--date=unix")
        status = self.git("status", "--short", "--untracked-files=all")
        yield "".join(line for line in status.splitlines(keepends=True) if ".coditect/" not in line)

    def script(self, name: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
        """One of the entry scripts."""
        return self.run([sys.executable, str(PRODUCT / "scripts" / name), *arguments], given=given)

    def sub(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """The core script, or one of its subcommands."""
        return self.script("deduplicate_export.py", *arguments)

    def ids(self) -> list[str]:
        """The conversations, as the product itself lists them."""
        listed = self.sub("show").stdout.decode().splitlines()
        return [before for before, line in zip(listed, listed[1:]) if " messages · " in line][:6]

    def keep(self) -> None:
        """The store's own files as they are at the end, so that a difference can be looked at."""
        kept = self.project / "MEMORY-CONTEXT"
        if kept.is_dir():
            shutil.copytree(kept, self.out / "MEMORY-CONTEXT", ignore=shutil.ignore_patterns("*.lock", ".lock"))


def inputs(corpus: Path, patterns: Sequence[str]) -> list[Path]:
    """Files of the corpus."""
    return [path for pattern in patterns for path in sorted(corpus.glob(pattern)) if path.is_file()]


def put(path: Path, folder: Path, name: str) -> Path:
    """A copy with a time of its own: a person's export."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name
    shutil.copyfile(path, target)
    os.utime(target, (MOMENT, MOMENT))
    return target


def daily(out: Path, corpus: Path) -> None:
    """Every input by itself through the wrapper, the way a person works, then every reading command."""
    day = Recording(out, "daily")
    install(day)
    for number, path in enumerate(inputs(corpus, INPUTS)):
        put(path, day.project, f"2026-02-{number % 28 + 1:02d}-EXPORT-{number}{path.suffix}")
        day.script("export-dedup-with-status.py", "--yes")
    day.script("export-dedup-with-status.py", "--yes")
    reading(day)
    upkeep(day)
    day.keep()


def captured(out: Path, corpus: Path) -> None:
    """Transcripts where the client keeps them, captured and by hooks; SQLite as the index."""
    day = Recording(out, "captured")
    home = HOME / ".claude" / "projects" / str(day.project).replace("/", "-").replace(" ", "-")
    for path in inputs(corpus, TRANSCRIPTS):
        copy = put(path, home, path.name)
        copy.write_bytes(re.sub(rb'"cwd": ?"[^"]*"', b'"cwd":"%s"' % os.fsencode(day.project), copy.read_bytes()))
        os.utime(copy, (MOMENT, MOMENT))
    install(day)
    day.sub("capture", "--backend", "json")
    day.sub("capture", "--backend", "json", "--json")
    for path in sorted(home.glob("*.jsonl"))[:2]:
        for event in ("SessionStart", "UserPromptSubmit", "Stop", "PreCompact", "SessionEnd"):
            payload = {
                "hook_event_name": event,
                "session_id": path.stem,
                "transcript_path": str(path),
                "cwd": str(day.project),
                "prompt": "/export",
                "trigger": "manual",
                "source": "startup",
                "reason": "other",
            }
            day.run([sys.executable, str(PRODUCT / "hooks" / "run.py")], given=json.dumps(payload))
    reading(day)
    upkeep(day)
    day.keep()


def engine(out: Path, corpus: Path) -> None:
    """The core script over the same inputs as a batch, in both orders, with every output it can write."""
    day = Recording(out, "engine")
    texts = [str(put(path, day.project / "in", path.name)) for path in inputs(corpus, INPUTS)]
    day.sub("--dry-run", *texts[:8])
    day.sub("--batch", "--stats", *texts)
    day.sub("--batch", "--json", *reversed(texts))
    day.sub("--output-dir", "new", "--storage-dir", "other", "--backend", "json", "--batch", *texts)
    day.sub("--stats-only", texts[0])
    day.sub("--output", "new.json", "--storage-dir", "third", "--session-id", "named", texts[1])
    for text in texts[:6]:
        day.sub("explain", text)
        day.sub("explain", "--json", text)
    day.sub("verify", "--storage-dir", "other", "--backend", "json")
    day.sub("no-such-command")
    day.sub("missing.txt")
    day.sub("--backend", "none", texts[0])
    reading(day)
    day.keep()


def reading(day: Recording) -> None:
    """Every command that only reads."""
    for words in (
        ["error"],
        ["the", "file"],
        ["two words"],
        ["--json", "test"],
        ["--role", "user", "run"],
        ["nothingLikeThis"],
    ):
        day.sub("search", *words)
    for conversation in day.ids():
        day.sub("show", conversation, "--last", "40")
        day.sub("show", conversation, "--format", "json")
        day.sub("session", conversation)
        day.sub("session", conversation, "--format", "html")
        day.sub("scan", conversation)
    for name in ("status", "stats", "doctor", "verify", "trust"):
        day.sub(name)
        day.sub(name, "--json")
    day.sub("session", "--all")
    for script in ("export-dedup.py", "create-checkpoint.py", "deduplicate_export.py", "export-dedup-with-status.py"):
        day.script(script, "--help")


def upkeep(day: Recording) -> None:
    """Every command that changes what is stored, on a store that is then damaged."""
    backup = str(GROUND / f"{day.project.name}-backup")
    day.script("create-checkpoint.py", "Sprint Complete")
    day.sub("restore", "--list")
    day.sub("restore", "--all", "back")
    day.sub("backup", backup)
    day.sub("pack", "--older-than", "0")
    day.sub("backup", backup, "--json")
    day.sub("backup", backup, "--list")
    day.sub("backup", backup, "--verify")
    day.sub("restore", "--all", "back again")
    day.sub("rebuild")
    day.sub("verify", "--json")
    conversations = day.ids()
    if conversations:
        day.sub("purge", "--session", conversations[0], "--dry-run")
        day.sub("purge", "--session", conversations[0], "--yes")
        day.sub("verify")
    damaged(day.project / "MEMORY-CONTEXT")
    day.sub("verify")
    day.sub("repair", "--dry-run")
    day.sub("repair", "--json")
    day.sub("repair", "--accept-lost")
    day.sub("verify")
    day.sub("doctor")
    day.sub("rebuild", "--from-exports", "--into", "rebuilt")
    day.run([str(PRODUCT / "install.sh"), "--uninstall", "--project", str(day.project)])


def install(day: Recording) -> None:
    """Into the project, twice."""
    day.run([str(PRODUCT / "install.sh")])
    day.run([str(PRODUCT / "install.sh"), "--project", str(day.project), "--offline"])
    day.run([str(PRODUCT / "install.sh"), "--project", str(day.project), "--offline"])


def damaged(kept: Path) -> None:
    """A byte in the middle of every third file of the store and its archive."""
    files = [path for path in sorted(kept.rglob("*")) if path.is_file() and path.stat().st_size > 40]
    for path in files[::3]:
        if "dedup_state" in path.parts or "exports-archive" in path.parts:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 0x41
            os.chmod(path, 0o600)
            path.write_bytes(data)


def main() -> None:
    """Record REVISION."""
    revision, corpus, out = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    shutil.rmtree(GROUND, ignore_errors=True)
    out.mkdir(parents=True)
    HOME.mkdir(parents=True)
    (HOME / ".gitconfig").write_text("[user]\n\tname = A Person\n\temail = person@example.org\n")
    (GROUND / "same").mkdir()
    (GROUND / "same" / "sitecustomize.py").write_text(SAME_EACH_TIME)
    packed = subprocess.run(["git", "archive", revision], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(PRODUCT)
    for part in (engine, daily, captured):
        part(out, corpus)


if __name__ == "__main__":
    main()
