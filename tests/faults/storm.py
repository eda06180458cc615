"""A storm: commands of every kind at random, up to three at once, a quarter of them killed; then calm, and a judge.

``python tests/faults/storm.py --seed 1 --steps 2000`` from the checkout prints what was run and what was found wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "scripts")]

from deduplication.commands import create_checkpoint, deduplicate_export, entry, export_dedup, with_status
from deduplication.hooks import entry as hooks
from deduplication.sessions import session_file
from deduplication.storage import indexed_log
from deduplication.storage.index import sorted_runs
from faults import reader
from faults.storm_judge import Judge
from faults.storm_processes import Command, Ended, Processes
from faults.storm_world import World

if TYPE_CHECKING:
    from collections.abc import Callable

_KILLED = 0.3
_CALM_EACH = 12
"""Steps from one calm to the next, about."""
_MOST_CALLS = 300
"""Kills are drawn over the time that a command takes, or over so many of its system calls, the first ones more often."""
_GROUP = 0.25
"""Of the kills: those that take with them what the process had started."""
_WEIGHTS = {
    "export-dedup": 5,
    "with-status": 1,
    "hook": 8,
    "capture": 2,
    "pack": 2,
    "purge": 2,
    "repair": 2,
    "backup": 2,
    "backup-verify": 1,
    "backup-restore": 1,
    "restore": 1,
    "checkpoint": 2,
    "rebuild": 1,
    "verify": 1,
    "session": 2,
}
_EVENTS = ("Stop", "SessionStart", "SessionEnd", "PreCompact", "FileChanged", "UserPromptSubmit", "CatchUp", "Archive")


@dataclass
class Outcome:
    """What was run, and what was wrong: ``bad`` has a line for each, with the step."""

    steps: int = 0
    kills: int = 0
    calms: int = 0
    failed_verifies: int = 0
    ran: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Commands that ended with a number above 0 although nobody killed them, with the line that they said."""
    bad: list[str] = field(default_factory=list)


class Storm:
    """One storm over one world."""

    def __init__(self, folder: Path, seed: int, *, git: bool) -> None:
        self.seed = seed
        self.chance = random.Random(f"storm-{seed}")
        self.world = World(folder, seed, git=git)
        self.judge = Judge(self.world)
        self.processes = Processes(folder, self.world.root, self.world.environment())
        self.outcome = Outcome()

    def blow(self, steps: int, log: Callable[[str], None] = lambda _: None) -> Outcome:
        """Run so many commands, and then for the last time the calm; stops at the first thing that is wrong."""
        self.processes.adopt()
        # Short logs are sealed, small stores get the many runs of large ones, session files are cut: what is rare happens often.
        indexed_log.OPEN, sorted_runs.SMALL = (6_000, 0) if self.seed % 4 > 1 else (20_000, sorted_runs.SMALL)
        session_file.update.__kwdefaults__["part_bytes"] = 4_000
        while self.outcome.steps < steps and not self.outcome.bad:
            until = min(steps, self.outcome.steps + self.chance.randrange(_CALM_EACH // 2, _CALM_EACH * 3 // 2))
            while self.outcome.steps < until and not self.outcome.bad:
                if self.chance.random() < 0.5:
                    self.world.go_on()
                self._round(log)
            if not self.outcome.bad:
                self._calm(log)
        return self.outcome

    def _round(self, log: Callable[[str], None]) -> None:
        commands = [self._any() for _ in range(self.chance.choice((1, 1, 2, 3)))]
        purges = [command for command in commands if command.name == "purge"]
        delays: list[float | None] = [None] * len(commands)
        for position, command in enumerate(commands):
            if self.chance.random() < _KILLED / 2:
                delays[position] = self.chance.uniform(0, 1.2)
            elif self.chance.random() < _KILLED / 2:
                commands[position] = replace(command, at_call=int(_MOST_CALLS ** self.chance.random()))
        ended = self.processes.together(commands, delays, groups=self.chance.random() < _GROUP)
        for each in ended:
            log(f"{self.outcome.steps:5} {each.command.name} {' '.join(each.command.arguments)} -> {each.code}")
            self._count(each)
        if purges:
            self._note_purged(ended)
        self._wrong(self.judge.between())

    def _count(self, each: Ended) -> None:
        self.outcome.steps += 1
        self.outcome.ran[each.command.name] += 1
        self.outcome.kills += each.code < 0
        if each.code > 0:
            line = next((line for line in each.said.splitlines() if "❌" in line), each.said[-200:])
            self.outcome.refused[f"{each.command.name}: {each.code} {line.strip()}"] += 1
        if each.code == entry.EXIT_UNEXPECTED:
            self._wrong([f"{each.command.name} {each.command.arguments} failed: {each.said[-1500:]}"])

    def _wrong(self, found: list[str]) -> None:
        self.outcome.bad += [f"step {self.outcome.steps}: {each}" for each in found]

    # --- commands -------------------------------------------------------------------------------------------------------

    def _any(self) -> Command:
        names = list(_WEIGHTS)
        return self.command(self.chance.choices(names, list(_WEIGHTS.values()))[0])

    def command(self, name: str) -> Command:
        """A command of this name with arguments that fit."""
        if name == "hook":
            return self._hook(self.chance.choice(_EVENTS))
        if name == "purge":
            return self._purge() or self.command("verify")
        if name in ("restore", "backup-restore"):
            shutil.rmtree(self.world.restored if name == "restore" else self.world.back, ignore_errors=True)
        arguments = {
            "export-dedup": ("--yes", *self.chance.choice(((), ("--no-checkpoint",)))),
            "with-status": ("--yes",),
            "capture": ("capture",),
            "pack": ("pack", "--older-than", self.chance.choice(("0", "0", "7"))),
            "repair": ("repair",),
            "backup": ("backup", str(self.world.backup)),
            "backup-verify": ("backup", str(self.world.backup), "--verify"),
            "backup-restore": ("backup", str(self.world.backup), "--restore", "--output", str(self.world.back)),
            "restore": ("restore", "--all", str(self.world.restored)),
            "checkpoint": ("Sprint", *(() if self.world.git else ("--no-commit",))),
            "rebuild": ("rebuild",),
            "verify": ("verify",),
            "session": ("session", "--all"),
        }[name]
        return Command(name, _main(name), arguments)

    def _hook(self, event: str) -> Command:
        chat = self.chance.choice([chat for chat in self.world.chats.values() if chat.live])
        transcript = str(self.world.transcript(chat))
        payload = {
            "session_id": chat.session,
            "transcript_path": transcript,
            "cwd": str(self.world.root),
            "hook_event_name": event,
            "source": self.chance.choice(("startup", "resume", "compact", "clear")),
            "event": "change",
            "file_path": transcript,
            "prompt": "go on",
        }
        dropped = sorted(self.world.drop.iterdir())
        if event == "FileChanged" and dropped and self.chance.random() < 0.5:
            payload["file_path"] = str(dropped[0])
        return Command(f"hook-{event}", lambda: hooks.run([event]) or 0, (), json.dumps(payload).encode())

    def _purge(self) -> Command | None:
        """A purge of a message that is known, with a word of its own; None where there is none."""
        if not self.world.state.is_dir() or (self.world.state / "purge.pending").exists():
            return None
        log = self.judge.log()
        chat = self.chance.choice(list(self.world.chats.values()))
        places = [n for n in range(chat.said) if chat.says(n) and n not in chat.gone]
        position = self.chance.choice(places) if len(places) > 20 else -1
        for name, rows in log.messages.items():
            for number, row in rows.items():
                if position >= 0 and chat.says(position) in row[2] and (name, number) in log.hashes:
                    identity = log.hashes[name, number]
                    return Command("purge", _main("purge"), ("purge", "--message", identity, "--yes"))
        return None

    def _note_purged(self, ended: list[Ended]) -> None:
        """Which messages are gone: those of a purge that ended well must be; of one that was killed it is seen later."""
        for each in ended:
            if each.command.name == "purge" and each.code == 0:
                self._look()

    def _look(self) -> None:
        if (self.world.state / "purge.pending").exists():
            return
        log = self.judge.log()
        for chat in self.world.chats.values():
            for name in log.messages:
                rows = [row for _, row in self.judge.rows(log, name)]
                if any(f"{chat.name}zq" in row[2] for row in rows):
                    chat.gone |= {n for n, row in enumerate(rows) if row[0] == ""}

    # --- the calm -------------------------------------------------------------------------------------------------------

    def _calm(self, log: Callable[[str], None]) -> None:
        """Whoever comes next sets everything right: the ordinary commands, one after the other, nobody killed."""
        self.outcome.calms += 1
        lock = self.world.root / ".git" / "index.lock"
        if lock.exists():
            self.outcome.refused["git itself was killed: its user removes index.lock"] += 1
            lock.unlink()
        for chat in self.world.chats.values():
            self.world.export(chat)
        for name in ("export-dedup", "capture", "session", "checkpoint", "backup", "backup-restore", "pack", "restore"):
            ended = self.processes.alone(self.command(name))
            log(f"      calm {name} -> {ended.code}")
            if ended.code:
                self._wrong([f"in the calm {name} ended with {ended.code}: {ended.said[-1500:]}"])
        if reader.read(reader.whole(self.world.back / "dedup_state")) != self.judge.log():
            self._wrong(["what came back from the backup has another log"])
        self._look()
        ended = self.processes.alone(self.command("verify"))
        if ended.code:
            self.outcome.failed_verifies += 1
            self._wrong([f"verify ended with {ended.code}: {ended.said[-3000:]}"])
        before = self.judge.log()
        ended = self.processes.alone(self.command("repair"))
        if ended.code or "Nothing to repair" not in ended.said:
            self._wrong([f"repair ended with {ended.code}: {ended.said[-1500:]}"])
        if self.judge.log() != before:
            self._wrong(["repair changed a log that was whole"])
        self._wrong([*self.judge.settled(), *self.judge.staged(), *self._restored()])

    def _restored(self) -> list[str]:
        """What ``restore --all`` wrote, against what the archive's reader has."""
        wanted = sorted(data for name, copies in self.judge.archived().items() if "/" not in name for data in copies)
        have = sorted(path.read_bytes() for path in self.world.restored.rglob("*.txt"))
        return [] if wanted == have else [f"restore gave {len(have)} exports for {len(wanted)}"]


def _main(name: str) -> Callable[[], int]:
    """What runs in the process of a command."""
    mains = {
        "export-dedup": export_dedup.main,
        "with-status": with_status.main,
        "checkpoint": create_checkpoint.main,
    }
    return lambda: entry.run(mains.get(name, deduplicate_export.main))


def main() -> int:
    """Storms from the command line; 1 where anything was wrong, and then the folder is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many storms, each with a seed of its own")
    parser.add_argument("--steps", type=int, default=200, help="commands of each storm")
    parser.add_argument("--log", action="store_true", help="print every command")
    asked = parser.parse_args()
    worst = 0
    for seed in range(asked.seed, asked.seed + asked.seeds):
        folder = Path(tempfile.mkdtemp(prefix=f"export-dedup-storm-{seed}-"))
        done = Storm(folder, seed, git=seed % 2 == 1).blow(asked.steps, print if asked.log else lambda _: None)
        print(
            f"seed {seed}: {done.steps} steps, {done.kills} kills, {done.calms} calms, {len(done.bad)} wrong",
            flush=True,
        )
        for line, count in sorted(done.refused.items()):
            print(f"  {count} × {line}")
        for line in done.bad:
            print(f"  WRONG {line}")
        print("  " + ", ".join(f"{name} {count}" for name, count in sorted(done.ran.items())), flush=True)
        if done.bad:
            worst = 1
            print(f"  kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder)
    return worst


if __name__ == "__main__":
    raise SystemExit(main())
