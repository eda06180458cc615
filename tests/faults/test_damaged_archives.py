"""Archives damaged in any way and several ways at once: every file that is gone is named, and nothing else is."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import random
import shutil
from collections import Counter

import pytest

from deduplication.commands import deduplicate_export, export_dedup
from deduplication.errors import DedupError
from deduplication.packs import merge_policy
from deduplication.project.client_transcripts import folder_name
from deduplication.project.paths import Project
from document_readers import reader_of
from exports import Story
from transcript_lines import answer, prompt

pytestmark = pytest.mark.faults

SESSIONS = ("11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555")
LATER = 4_000_000_000
"""So young that no run packs it by itself."""
TABLE: Counter[tuple[str, str]] = Counter()
"""By kind of damage: archives, those that lost something, files lost in them, those that a repair took from elsewhere."""


def command(*arguments):
    """Exit code of a command of the product and what it printed."""
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        main = deduplicate_export.main if arguments[0] != "import" else export_dedup.main
        given = list(map(str, arguments)) if arguments[0] != "import" else ["--yes", "--no-checkpoint"]
        try:
            code = main(given)
        except DedupError as error:
            code = error.exit_code
            print(error)
    return code, out.getvalue()


class Scene:
    """A project whose archive has two packs of exports, two or more of transcripts, and plain files; ``truth`` by SHA-256."""

    def __init__(self, disk, monkeypatch):
        self.project = Project((disk / "project").resolve())
        self.client = disk / "client"
        self._template = disk / "template"
        self.truth: dict[str, tuple[str, bytes]] = {}
        monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(self.client))
        monkeypatch.setattr(merge_policy, "TIERS", ((10, 0), (200, 0), (300, 0)))
        self.project.memory.mkdir(parents=True, mode=0o700)
        os.chdir(self.project.root)
        self._fill()
        os.chdir(disk)
        shutil.move(str(self.project.root), str(self._template))

    def _fill(self):
        for number, file in enumerate(Story(11, exchanges=24).exports(3, compact_every=3)):
            self.export(f"2026-03-{number + 1:02}-EXPORT-HARBOUR.txt", file.data, LATER + number)
            if number in (2, 4):
                assert command("pack", "--older-than", "0")[0] == 0
            if number % 2:
                self.captured(number)

    def export(self, name, data, moment):
        """An export, processed and archived."""
        path = self.project.root / name
        path.write_bytes(data)
        os.utime(path, (moment, moment))
        assert command("import")[0] == 0
        self.truth[hashlib.sha256(data).hexdigest()] = (name, data)

    def captured(self, number):
        """Both sessions, longer than before, captured and archived as they are."""
        folder = self.client / "projects" / folder_name(str(self.project.root))
        folder.mkdir(parents=True, exist_ok=True)
        for session in SESSIONS:
            cwd, source = str(self.project.root), random.Random(session)
            lines = b""
            for n in range(4 * (number + 1)):
                text = " ".join(str(source.randrange(10**7)) for _ in range(30))
                lines += prompt(f"Question {n}: {text}", at=10 * n, session=session, cwd=cwd)
                lines += answer(f"Answer {n}: {text[::-1]}", at=10 * n + 5, session=session, cwd=cwd)
            (folder / f"{session}.jsonl").write_bytes(lines)
            self.truth[hashlib.sha256(lines).hexdigest()] = (f"{folder.name}/{session}.jsonl", lines)
        assert command("capture")[0] == 0

    def reset(self):
        """Begin again, undamaged; the client's own files are gone, so that the archive is all that has them."""
        shutil.rmtree(self.project.root, ignore_errors=True)
        shutil.copytree(self._template, self.project.root)
        shutil.rmtree(self.client, ignore_errors=True)
        os.chdir(self.project.root)

    def had(self):
        """SHA-256 of every archived file that an independent reader finds; the packs must be whole."""
        found = dict.fromkeys(map(_digest, plain_files(self.project)))
        packs = self.project.archive / "packs"
        for path in sorted(packs.glob("pack-*.pack")) if packs.exists() else ():
            assert path.stat().st_size
        found.update(dict.fromkeys(every_file(packs)))
        return set(found) & set(self.truth)


def every_file(packs):
    """SHA-256 of each file in whole packs, states of one name included."""
    return [_sha(content) for _, content in reader_of("archive").files(packs)]


def plain_files(project):
    """What lies in the archive's folder under a name of its own."""
    folder = project.archive
    return [p for p in folder.glob("*") if p.is_file() and not p.name.startswith(".")] if folder.exists() else []


def _digest(path):
    return _sha(path.read_bytes())


def _sha(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def scene(disk, monkeypatch, backend):
    """The project, made once for each kind of index."""
    if backend == "default":
        pytest.skip("the archive knows no index of the store")
    here = os.getcwd()
    yield Scene(disk, monkeypatch)
    os.chdir(here)


def _cut(path, chance):
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data))])


def _flip(path, chance):
    data = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 5)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(data))


def _blank(path, chance):
    data = bytearray(path.read_bytes())
    at = chance.randrange(len(data))
    data[at : at + 2000] = bytes(len(data[at : at + 2000]))
    path.write_bytes(bytes(data))


def _delete(path, _chance):
    path.unlink()


def _one(pattern, how):
    def damage(scene, chance):
        files = sorted(scene.project.memory.glob(pattern))
        if files:
            path = chance.choice(files)
            if path.stat().st_size:
                how(path, chance)

    return damage


def _folder(name):
    return lambda scene, _chance: shutil.rmtree(scene.project.memory / name, ignore_errors=True)


DAMAGES = {
    "pack cut": _one("exports-archive/packs/*.pack", _cut),
    "pack, bits flipped": _one("exports-archive/packs/*.pack", _flip),
    "pack, bytes blanked": _one("exports-archive/packs/*.pack", _blank),
    "pack deleted": _one("exports-archive/packs/*.pack", _delete),
    "index deleted": _one("exports-archive/packs/*.idx", _delete),
    "index, bits flipped": _one("exports-archive/packs/*.idx", _flip),
    "plain file deleted": _one("exports-archive/*.txt", _delete),
    "plain file, bits flipped": _one("exports-archive/*.txt", _flip),
    "packs/ deleted": _folder("exports-archive/packs"),
    "exports-archive/ deleted": _folder("exports-archive"),
    "the list cut": _one("dedup_state/archived.jsonl", _cut),
    "the list, bits flipped": _one("dedup_state/archived.jsonl", _flip),
    "the list deleted": _one("dedup_state/archived.jsonl", _delete),
    "the list's copy, bits flipped": _one("exports-archive/.archived.jsonl", _flip),
}
OF_THE_LIST = ("the list cut", "the list, bits flipped", "the list deleted")
SERIOUS = ("packs/ deleted", "exports-archive/ deleted")


def damaged(scene, chance):
    """One to four damages; what was done. Seldom a whole folder: little is left to look at then."""
    often = [name for name in DAMAGES if name not in SERIOUS]
    names = chance.sample(often, chance.choice((1, 1, 2, 2, 3, 4)))
    if chance.random() < 0.1:
        names.append(chance.choice(SERIOUS))
    if any(name in names for name in OF_THE_LIST):
        # Of a line that is gone in both folders the log knows exports, and packs the rest as long as they are there.
        names = [name for name in names if name != "the list's copy, bits flipped"]
    if "exports-archive/ deleted" in names:
        names = [name for name in names if name not in OF_THE_LIST]
    for name in names:
        DAMAGES[name](scene, chance)
    return names


def between(scene, chance):
    """What somebody does meanwhile who does not know of it; failures are theirs to see."""
    done = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        name = chance.choice(("verify", "rebuild", "repair", "pack", "export", "doctor"))
        done.append(name)
        if name == "export":
            story = Story(100 + chance.randrange(50), exchanges=2).exports(1)[-1]
            (scene.project.root / f"2026-05-01-EXPORT-NEW-{chance.randrange(10**6)}.txt").write_bytes(story.data)
            command("import")
        else:
            command(name, *(("--older-than", "0") if name == "pack" else ()))
    return done


def lost_in(scene, what):
    """The SHA-256 of what ``repair`` says to be lost; held against what is there, and against every other command."""
    code, out = command("repair", "--json")
    said = json.loads(out)
    named = [each for each in said["lost"] if each["kind"] == "file"]
    gone = set(scene.truth) - scene.had()
    assert {each["sha256"] for each in named} == gone, (what, out)
    assert Counter(each["name"] for each in named) == Counter(scene.truth[sha256][0] for sha256 in gone), what
    assert code == (1 if gone else 0), (what, out)
    code, out = command("verify", "--json")
    problems = json.loads(out)["problems"]
    for sha256 in gone:
        assert any(line.startswith(f"{scene.truth[sha256][0]} cannot be restored") for line in problems), (what, out)
    assert sum("cannot be restored" in line for line in problems) == len(gone), (what, out)
    assert code == (1 if gone else 0), (what, out)
    _, out = command("doctor", "--json")
    told = [d for f in json.loads(out)["findings"] if f["name"] == "archive" for d in f["details"]]
    names = [scene.truth[sha256][0] for sha256 in gone]
    assert sorted(names) == sorted(line.rpartition(", ")[0] for line in told), (what, out)
    shutil.rmtree(scene.project.root / "out", ignore_errors=True)
    code, out = command("restore", "--all", "out", "--json")
    failed = [each["name"] for each in json.loads(out)["failed"]]
    assert (sorted(failed), code) == (sorted(names), 1 if gone else 0), (what, out)
    shutil.rmtree(scene.project.root / "out", ignore_errors=True)
    return gone


def test_every_file_that_is_gone_is_named_and_nothing_else_is(scene, full):
    """Whatever was damaged, and whoever came by meanwhile: repair, verify, restore and doctor name what is gone, and no more."""
    for seed in range(500 if full else 12):
        scene.reset()
        chance = random.Random(f"archive/{seed}")
        names = damaged(scene, chance)
        what = (seed, names, between(scene, chance))
        gone = lost_in(scene, what)
        assert lost_in(scene, what) == gone, what  # and again, as long as nobody gives them up
        print(f"{seed}:{len(gone)}", end=" ", flush=True)
        for name in names:
            TABLE[name, "archives"] += 1
            TABLE[name, "lost something"] += bool(gone)
            TABLE[name, "files lost"] += len(gone)
        if gone:
            code, out = command("repair", "--accept-lost")
            messages = "nothing else has them" in out  # those of the log that lay in a pack: they stay named
            assert code == messages, (what, out)
            code, out = command("verify")
            assert code == messages, (what, out)
            assert "Given up" in out, (what, out)
    if full:
        print()
        for name in DAMAGES:
            print(name, *(TABLE[name, key] for key in ("archives", "lost something", "files lost")), sep=" | ")
