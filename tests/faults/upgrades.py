"""Stores that version 0.1 made, and this version goes on in, killed in between: nothing of them may be different afterwards.

``python tests/faults/upgrades.py --stores 200 --checkout-of-0.1 FOLDER``; without a folder the revision is taken from the history
of this checkout.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2] / each) for each in ("scripts", "tests", "tests/support")]

import archive_reader
from faults import reader
from faults.storm_judge import Judge
from faults.storm_world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faults.storm_world import Export

HERE = Path(__file__).resolve().parents[2]
REVISION = "8af1e20"
"""Of version 0.1."""
_MOST_CALLS = 400
"""Kills are drawn over so many system calls of a command, the first ones more often."""
_BEFORE = {"export-dedup": 6, "capture": 4, "hook": 2, "pack": 2, "pack-all": 3, "purge": 5, "session": 1, "rebuild": 1}
"""What version 0.1 does, and how often."""
_AFTER = {
    "export-dedup": 4,
    "with-status": 2,
    "capture": 2,
    "hook": 2,
    "pack": 3,
    "pack-all": 5,
    "repair": 2,
    "rebuild": 2,
    "verify": 2,
    "restore": 1,
    "stats": 1,
    "backup": 1,
}
"""What this version does with it."""
_WHOLE = ("stored", "read")
"""What is told of messages with the moments at which they were stored."""
_SHOWN = 300
"""Characters of a value that are shown."""
_ON_DISK = ("stored_bytes",)
"""Figures of a conversation that are another version's own: what it takes on the disk."""
_OF_A_RUN = (*_ON_DISK, "created_at", "updated_at", "unique", "duplicates")
"""And those of what two versions stored: its moment, and that version 0.1 counted every drawing of a message as one more."""
_OF_A_KILL = ("exports", "messages_seen", "seen", "watermark", "order", "messages")
"""And where something waited for both when a run was killed: they need not take an export and its transcript in the same order,
and process an export once more that was not archived.
"""


class Version:
    """A process that runs commands of one checkout (``told_by.py``)."""

    def __init__(self, checkout: Path) -> None:
        script = str(Path(__file__).with_name("told_by.py"))
        self._process = subprocess.Popen(
            [sys.executable, script, str(checkout)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, **asked: Any) -> dict[str, Any]:
        """One question, one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """Let it end."""
        with self._process:  # which closes what leads to it, and waits
            pass


@dataclass
class Outcome:
    """What was tried; ``bad`` has a line for each difference."""

    ran: Counter[str] = field(default_factory=Counter)
    had: Counter[str] = field(default_factory=Counter)
    """Stores that had something of a kind when this version came to them."""
    bad: list[str] = field(default_factory=list)


class _Judge(Judge):
    """Of conversations in which images stand beside words, the words."""

    def rows(self, log: reader.Log, name: str) -> list[tuple[int, tuple[str, str, str]]]:
        """Without the messages that are an image."""
        return [each for each in super().rows(log, name) if not each[1][2].startswith("[{'type':'image'")]


class Upgrade:
    """One store, from version 0.1's first run to this version's last one."""

    def __init__(self, folder: Path, seed: int, before: Version, after: Version) -> None:
        self.seed = seed
        self.before, self.after = before, after
        self.chance = random.Random(f"upgrade-{seed}")
        self.world = World(folder, seed, git=seed % 4 == 1)
        self.judge = _Judge(self.world)
        self.dropped: dict[str, bytes] = {}
        """Copies of transcripts, by name."""
        self.outcome = Outcome()
        self.backend = ("json", "sqlite")[seed % 2]
        days = self.chance.choice((0, 7, 7))
        (self.world.root / ".coditect").mkdir()
        (self.world.root / ".coditect" / "config.json").write_text(json.dumps({"pack_older_than_days": days}))
        small = self.chance.random() < 0.5
        self.settings = [["storage.log_store", "OPEN", 6_000], ["storage.sealed_blocks", "TOGETHER", 8_000]]
        self.settings = self.settings if small else []
        """Of version 0.1: what is rare in a small store happens often."""
        for chat in self.world.chats.values():
            chat.images = chat.live and self.chance.random() < 0.5

    # --- commands -------------------------------------------------------------------------------------------------------

    def run(self, version: Version, name: str, *, kill: bool = False) -> dict[str, Any]:
        """A command of a version, to its end or killed somewhere."""
        more: dict[str, Any] = {"environment": self.world.environment(), "cwd": str(self.world.root)}
        if version is self.before:
            more["settings"] = self.settings
        if kill and self.chance.random() < (0.5 if version is self.before else 0.2):
            more["seconds"] = self.chance.uniform(0, 0.4)
        elif kill:
            more["at_call"] = int(_MOST_CALLS ** self.chance.random())
        entry, arguments = self._arguments(name, version)
        if not arguments and entry == "deduplicate_export":
            return {"code": 0, "said": ""}
        if name == "hook":
            more["stdin"] = json.dumps(self._payload())
        done = version.ask(name=entry, arguments=arguments, **more)
        whose = "0.1" if version is self.before else "this"
        self.outcome.ran[f"{whose}: {name}{', killed' if done['code'] < 0 else ''}"] += 1
        if done["code"] == 3:
            self.wrong(f"{whose}: {name} {arguments} failed: {done['said'][-1500:]}")
        return done

    def _arguments(self, name: str, version: Version) -> tuple[str, list[str]]:
        backend = ["--backend", self.backend] if version is self.before else []
        if name in ("export-dedup", "with-status"):
            return name, ["--yes", *backend, *self.chance.choice(([], ["--no-checkpoint"]))]
        if name == "checkpoint":
            return name, ["Sprint", *(() if self.world.git else ("--no-commit",))]
        if name == "hook":
            return name, [self.chance.choice(("Stop", "SessionStart", "PreCompact", "SessionEnd"))]
        if name == "restore":
            shutil.rmtree(self.world.restored, ignore_errors=True)
        return "deduplicate_export", {
            "capture": ["capture", *backend],
            "pack": ["pack"],
            "pack-all": ["pack", "--older-than", "0"],
            "purge": self._purge(),
            "session": ["session", "--all"],
            "restore": ["restore", "--all", str(self.world.restored)],
            "backup": ["backup", str(self.world.backup)],
        }.get(name, [name])

    def _payload(self) -> dict[str, Any]:
        chat = self.chance.choice([chat for chat in self.world.chats.values() if chat.live])
        transcript = str(self.world.transcript(chat))
        return {
            "session_id": chat.session,
            "transcript_path": transcript,
            "cwd": str(self.world.root),
            "source": "resume",
        }

    def _purge(self) -> list[str]:
        """A message with a word of its own; nothing where there is none."""
        if not self.world.state.is_dir() or (self.world.state / "purge.pending").exists():
            return []
        log = self.judge.log()
        chat = self.chance.choice(list(self.world.chats.values()))
        words = [chat.says(n) for n in range(chat.said) if chat.says(n) and n not in chat.gone]
        own = self.chance.choice(words)
        hashes = [
            identity
            for (name, number), identity in log.hashes.items()
            if own in log.messages[name].get(number, ("", "", ""))[2]
        ]
        return ["purge", "--message", *sorted(set(hashes)), "--yes"] if hashes else []

    def wrong(self, line: str) -> None:
        """Note a difference."""
        self.outcome.bad.append(f"store {self.seed}: {line}")

    def look(self) -> None:
        """Which messages are gone: their places are there, without words."""
        log = self.judge.log()
        for chat in self.world.chats.values():
            for name in log.messages:
                rows = [row for _, row in self.judge.rows(log, name)]
                if any(f"{chat.name}zq" in row[2] for row in rows):
                    chat.gone |= {n for n, row in enumerate(rows) if row[0] == ""}

    # --- the three acts -------------------------------------------------------------------------------------------------

    def play(self) -> Outcome:
        """Version 0.1 makes a store; it goes on in a copy of it, and this version in the store itself; both are compared."""
        transcripts = self.chance.random() < 0.4
        weights = {**_BEFORE, "purge": 0} if transcripts else _BEFORE
        for _ in range(self.chance.randrange(5, 12)):
            if self.chance.random() < 0.6:
                self.world.go_on()
                if transcripts:
                    self._copy_of_a_transcript()
                self._touch()
            self.run(self.before, self._any(weights), kill=self.chance.random() < 0.12)
        for name in ("export-dedup", "capture", *self.chance.choice(((), (), ("pack-all",)))):
            self.run(self.before, name)
        self.look()
        killed = self.chance.random() < 0.3
        if killed:
            self.world.go_on()
            self._touch()
            self.run(self.before, self.chance.choice(("export-dedup", "capture")), kill=True)
            self.outcome.had["a run that was killed"] += 1
        self._note_what_is_there()
        found = self.told(self.before)
        sequence: list[list[tuple[Path, bytes]]] = [[], *(self._more() for _ in range(self.chance.randrange(1, 3)))]
        saved = self._aside()
        followed = [self._followed(self.before, more) for more in sequence]
        self._back(saved)
        self.compared("as it was found", found, self.told(self.after), _ON_DISK)
        self.shaken()
        for number, (more, expected) in enumerate(zip(sequence, followed)):
            now = self._followed(self.after, more)
            own = _ON_DISK if expected[0] == found else (*_OF_A_RUN, *(_OF_A_KILL if killed else ()))
            self.compared(f"step {number}", expected[0], now[0], own)
            if expected[1] != now[1]:
                self.wrong(f"step {number}: archived files: {_where(expected[1], now[1])}")
        self.ended()
        return self.outcome

    def _followed(
        self, version: Version, more: Sequence[tuple[Path, bytes]]
    ) -> tuple[dict[str, Any], dict[str, list[bytes]]]:
        """What a version says once it took what came in, and every archived file."""
        for path, data in more:
            path.write_bytes(data)
        for name in ("export-dedup", "capture"):
            done = self.run(version, name)
            if done["code"]:
                self.wrong(f"{name} ended with {done['code']}: {done['said'][-800:]}")
        return self.told(version), self.archived()

    def _any(self, weights: dict[str, int]) -> str:
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def _touch(self) -> None:
        """Some exports are of today: version 0.1 left those as plain files for a week."""
        for path in self.world.drop.iterdir():
            if self.chance.random() < 0.5:
                path.touch()

    def _copy_of_a_transcript(self) -> None:
        """Somebody drops a copy of what the client wrote down."""
        chat = self.chance.choice([chat for chat in self.world.chats.values() if chat.live])
        name = f"{len(self.dropped):03}-{chat.name}.jsonl"
        data = chat.lines(0, chat.said)
        self.dropped[name] = data
        (self.world.drop / name).write_bytes(data)
        self.outcome.had["transcripts dropped"] += 1

    def _more(self) -> list[tuple[Path, bytes]]:
        """What is said and exported next: files as they are to be then. They are taken away again."""
        known = {path: path.read_bytes() for path in self._outside()}
        self.world.go_on()
        found = [(path, path.read_bytes()) for path in self._outside() if known.get(path) != path.read_bytes()]
        for path, _ in found:
            if path in known:
                path.write_bytes(known[path])
            else:
                path.unlink()
        return found

    def _outside(self) -> list[Path]:
        return sorted([*self.world.drop.iterdir(), *self.world.sessions.iterdir()])

    def _aside(self) -> list[tuple[Path, Path]]:
        pairs = []
        for path in (self.world.root, self.world.client):
            saved = path.with_name(f"{path.name}-saved")
            path.rename(saved)
            shutil.copytree(saved, path, symlinks=True)
            pairs.append((saved, path))
        return pairs

    @staticmethod
    def _back(pairs: Sequence[tuple[Path, Path]]) -> None:
        for saved, path in pairs:
            shutil.rmtree(path)
            saved.rename(path)

    def archived(self) -> dict[str, list[bytes]]:
        """Every archived file by name; one that is plain and packed, as a kill leaves it, is there once."""
        folder = self.world.memory / "exports-archive"
        found: dict[str, list[bytes]] = {}
        for path in sorted([*folder.glob("*.txt"), *folder.glob("[0-9]*.jsonl")]):
            found.setdefault(path.name, []).append(path.read_bytes())
        for name, data in archive_reader.read(folder / "packs").items() if (folder / "packs").is_dir() else ():
            if data not in found.setdefault(name, []):
                found[name].append(data)
        return found

    def shaken(self) -> None:
        """This version's commands, most of them killed; after each of them every run and every file that was there is there."""
        archived = self.archived()
        for _ in range(self.chance.randrange(4, 9)):
            self.run(self.after, self._any(_AFTER), kill=self.chance.random() < 0.75)
            now = self.archived()
            for line in self.judge.between():
                self.wrong(f"in between: {line}")
            if gone := [name for name, copies in archived.items() if not _still(name, copies, now.get(name, []))]:
                self.wrong(f"in between: {gone} are gone from the archive, or others")

    def ended(self) -> None:
        """The same exports again bring nothing; a purge; then all is verified, restored, and judged by readers of their own."""
        again = [export for export in self.world.exports[-3:] if not self._gone_from(export)]
        for export in again:
            (self.world.drop / export.name).write_bytes(export.data)
        done = self.run(self.after, "export-dedup")
        if again and ["New", "unique:", "0"] not in [line.split() for line in done["said"].splitlines()]:
            self.wrong(f"the same exports again: {done['said'][-800:]}")
        if not self.dropped and self.chance.random() < 0.6:
            self.run(self.after, "purge", kill=self.chance.random() < 0.5)
        more = ("backup",) if self.world.backup.exists() else ()
        for name in ("export-dedup", "session", "checkpoint", "pack-all", *more, "restore", "verify", "repair"):
            done = self.run(self.after, name)
            if done["code"] or (name == "repair" and "Nothing to repair" not in done["said"]):
                self.wrong(f"at the end {name} ended with {done['code']}: {done['said'][-800:]}")
        self.look()
        for line in self.judge.settled():
            if line.partition(" is in the archive, and nobody")[0] not in self.dropped:
                self.wrong(f"at the end: {line}")
        archived = self.archived()
        there = [data for copies in archived.values() for data in copies]
        for name, data in self.dropped.items():
            if data not in there:
                self.wrong(f"at the end: {name} is in no archived file")
        wanted = sorted(data for name, copies in archived.items() if name.endswith(".txt") for data in copies)
        have = sorted(path.read_bytes() for path in self.world.restored.rglob("*.txt"))
        if wanted != have:
            self.wrong(f"at the end: restore gave {len(have)} exports for {len(wanted)}")

    def _gone_from(self, export: Export) -> bool:
        """Whether a message was purged that an export shows."""
        return any(export.first <= number < export.end for number in self.world.chats[export.chat].gone)

    def _note_what_is_there(self) -> None:
        state, archive = self.world.state, self.world.memory / "exports-archive"
        there = {
            "text index": (state / "alignment_index.json").exists(),
            "SQLite index": (state / "index.sqlite3").exists(),
            "sealed files": any((state / "sealed").glob("*.xz")),
            "images": any((state / "blobs").glob("*/*")),
            "packs": any((archive / "packs").glob("*.pack")),
            "plain files": any(archive.glob("*.txt")),
            "purged messages": any(chat.gone for chat in self.world.chats.values()),
            "quarantine": (state / "quarantine").exists(),
            "git": self.world.git,
        }
        self.outcome.had.update([name for name, found in there.items() if found])

    # --- comparing ------------------------------------------------------------------------------------------------------

    def told(self, version: Version) -> dict[str, Any]:
        """What a version says of the store."""
        return version.ask(state=str(self.world.state), environment=self.world.environment())

    def compared(self, when: str, expected: dict[str, Any], found: dict[str, Any], own: Sequence[str]) -> None:
        """Every difference between what two versions tell, but for figures of their ``own``."""
        if "failed" in found or "failed" in expected:
            self.wrong(f"{when}: {expected.get('failed')} / {found.get('failed')}")
            return
        for name in ("seen", "unique"):
            if name not in own and expected[name] != found[name]:
                self.wrong(f"{when}: {name} {expected[name]} is now {found[name]}")
        if list(expected["conversations"]) != list(found["conversations"]):
            self.wrong(f"{when}: {list(expected['conversations'])} are now {list(found['conversations'])}")
        for name, was in expected["conversations"].items():
            now = dict(found["conversations"].get(name, {}))
            for each in (was, now):
                each["figures"] = {key: value for key, value in each["figures"].items() if key not in own}
            for part in was:
                if was[part] != now.get(part) and part not in own and not (part in _WHOLE and "unique" in own):
                    self.wrong(f"{when}: {name}, {part}: {_where(was[part], now.get(part))}")
        self._counted(when, found["announced"])

    def _counted(self, when: str, announced: dict[str, int]) -> None:
        """What was announced and what waits for it, counted by the reader that shares no code."""
        log = reader.read(reader.whole(self.world.state), self.world.state / "blobs")
        waiting = len({log.standing(*place) for place in log.hashes} - log.announced - {""})
        told = announced["unique"] + announced["redrawn"] - announced["waiting"]
        if (announced["waiting"], told) != (waiting, log.announcements):
            self.wrong(f"{when}: {announced}, the reader counts {waiting} waiting, {log.announcements} announced")


def _still(name: str, copies: Sequence[bytes], now: Sequence[bytes]) -> bool:
    """Whether a file is what it was; of a transcript of the client, which grows, the last state that begins so."""
    return bool(now) and (now[-1].startswith(copies[-1]) if "/" in name else now[-1] == copies[-1])


def _where(was: Any, now: Any) -> str:
    """The first difference of two values."""
    if isinstance(was, dict) and isinstance(now, dict):
        pairs = [(key, was.get(key), now.get(key)) for key in {**was, **now} if was.get(key) != now.get(key)]
        return f"{len(pairs)} differ, the first {str(pairs[0])[:_SHOWN]}"
    if isinstance(was, list) and isinstance(now, list):
        at = next((n for n, (a, b) in enumerate(zip(was, now)) if a != b), min(len(was), len(now)))
        return f"{len(was)} / {len(now)}, at {at}: {was[at : at + 2]} / {now[at : at + 2]}"
    return f"{str(was)[:_SHOWN]} / {str(now)[:_SHOWN]}"


def checkout(folder: Path) -> bool:
    """Version 0.1 out of the history into a folder; False where the history does not have it."""
    made = subprocess.run(
        ["git", "-C", str(HERE), "archive", "--format=tar", REVISION, "scripts"], capture_output=True, check=False
    )
    if made.returncode:
        return False
    folder.mkdir(parents=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=made.stdout, check=True)
    return True


def upgrades(folder: Path, of_0_1: Path, seeds: Sequence[int], *, talk: bool = False) -> Outcome:
    """So many stores, one after the other; what was tried and what was different in all of them."""
    before, after = Version(of_0_1), Version(HERE)
    everything = Outcome()
    try:
        for seed in seeds:
            place = folder / f"store-{seed}"
            place.mkdir()
            done = Upgrade(place, seed, before, after).play()
            everything.ran += done.ran
            everything.had += done.had
            everything.bad += done.bad
            if talk:
                print(f"store {seed}:", *(done.bad or ["as it was"]), sep="\n  ", flush=True)
                print(json.dumps([done.had, done.ran]), flush=True)
            if not done.bad:
                shutil.rmtree(place)
    finally:
        before.close()
        after.close()
    return everything


def main() -> int:
    """So many stores from the command line; 1 where anything was different, and then the store is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stores", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first store; the others follow")
    parser.add_argument("--checkout-of-0.1", dest="of_0_1", type=Path, help="a checkout of version 0.1")
    parser.add_argument("--talk", action="store_true", help="say a line for each store")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="export-dedup-upgrades-"))
    of_0_1 = asked.of_0_1 or folder / "of-0.1"
    if asked.of_0_1 is None and not checkout(of_0_1):
        raise SystemExit(f"the history of this checkout does not have {REVISION}; name a checkout of it")
    done = upgrades(folder, of_0_1, range(asked.seed, asked.seed + asked.stores), talk=asked.talk)
    for line in done.bad:
        print("DIFFERENT", line)
    for told in (done.had, done.ran):
        print(", ".join(f"{name} {count}" for name, count in sorted(told.items())))
    print(f"{asked.stores} stores, {len(done.bad)} differences")
    if done.bad:
        print("kept:", folder)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
