"""Damage to any one file of a project: repair gives back what anything still has, and what it reports as lost is lost."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import random
import shutil

import pytest

import repair_scenes
from deduplication.errors import DedupError
from deduplication.packs import frames, merge_policy
from deduplication.packs.pack_file import Pack
from deduplication.repair import damage, examine, rebuild_from_archive
from deduplication.repair import repair as whole
from deduplication.storage import indexed_log
from deduplication.storage.log import log_pack, sealed
from faults import reader
from faults.children import Shim, run
from repair_scenes import Scene

pytestmark = pytest.mark.faults

WAYS = ("flipped", "blanked", "stretch", "truncated", "deleted")
TRIED: dict[tuple[str, str], list[int]] = {}
"""By kind of file and of damage: tried, something was repaired, something was lost."""


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Sealed files of a few lines, packs that are not put together."""
    monkeypatch.setattr(log_pack, "BLOCK", 1500)
    monkeypatch.setattr(log_pack, "TOGETHER", 3000)
    monkeypatch.setattr(sealed, "MOST", 5000)
    monkeypatch.setattr(merge_policy, "TIERS", ((10, 0), (200, 0), (300, 0)))


@pytest.fixture(params=["sealed", "open"])
def form(request, monkeypatch):
    """Whether the log is compressed, or one file."""
    monkeypatch.setattr(indexed_log, "OPEN", 600 if request.param == "sealed" else 10**9)
    return request.param


@pytest.fixture
def make(disk, monkeypatch, backend):
    """Makes a scene; ``client``: whether the client's own transcripts are still there."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(disk / "client"))

    def made(archived=lambda _name: True, *, client=True):
        scene = Scene(disk, backend=backend, archived=archived)
        if not client:
            shutil.rmtree(disk / "client")
        return scene

    return made


def some(name):
    """Three of the exports are kept."""
    return hashlib.sha256(name[-8:].encode()).digest()[0] % 2 == 0


def judged(scene, done, what):
    """Messages and files that are gone are those that were reported, and the store verifies where nothing is."""
    lost = done.lost()
    blobs = {finding.sha256 for finding in lost if finding.kind == damage.BLOB}
    assert blobs == scene.broken_blobs(), what
    named = {
        (finding.conversation, number)
        for finding in lost
        if finding.kind == damage.MESSAGES
        for first, last in finding.numbers
        for number in range(first, last + 1)
    }
    if not blobs:
        found, problems = scene.messages()
        gone = {
            (name, number)
            for name, rows in scene.truth.items()
            for number, row in rows.items()
            if found.get(name, {}).get(number) != row
        }
        assert gone == named, what
        assert named or not problems, what
    files = scene.archive()
    missing = {name for name, data in scene.files.items() if files.get(name) != data}
    final = {hashlib.sha256(data).hexdigest() for data in scene.files.values()}
    assert missing == {f.name for f in lost if f.kind == damage.FILE and f.sha256 in final}, what
    assert lost or not done.remaining, what


CASES = {
    "everything is archived": (lambda _name: True, True),
    "some exports are archived": (some, False),
    "nothing but the log": (lambda _name: False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_any_one_file_may_be_damaged_in_any_way(make, form, case, full):
    """What log or archive had is there afterwards, same order, same numbers; what is not is named, and nothing else."""
    archived, client = CASES[case]
    scene = make(archived, client=client)
    chance = random.Random(f"{case}{form}")
    places = scene.damageable()
    work = [(path, how, n) for path in places for how in WAYS for n in range(12 if full else 1)]
    chance.shuffle(work)
    for path, how, number in work if full else work[:10]:
        scene.reset()
        if not path.stat().st_size:
            continue
        repair_scenes.damage(path, how, random.Random(f"{path.name[:12]}{how}{number}"))
        done = whole.repair(scene.dedup().store, scene.project)
        judged(scene, done, (path.name, how, number))
        again = whole.repair(scene.dedup().store, scene.project)
        left = [f for f in again.findings if f.kind not in (damage.MESSAGES, damage.BLOB)]
        assert {(f.kind, f.sha256) for f in left} == {
            (f.kind, f.sha256) for f in done.lost() if f.kind == damage.FILE
        }, (path, how, number)
        _count(scene, path, how, done)


def _count(scene, path, how, done):
    kind = path.parent.name if path.parent != scene.state else path.name
    kind = "blobs" if path.parent.parent.name == "blobs" else kind
    kind = f"packs/*{path.suffix}" if kind == "packs" else kind
    row = TRIED.setdefault((kind, how), [0, 0, 0])
    row[0] += 1
    row[1] += any(finding.repaired for finding in done.findings)
    row[2] += bool(done.lost())


@pytest.mark.parametrize("indexed", [True, False], ids=["index there", "index gone"])
def test_a_pack_without_header_and_trailer_costs_nothing(make, indexed):
    """Its frames tell their own numbers: every file is restored, and none of another pack is called lost."""
    scene = make(client=False)
    for pack in scene.project.archive.glob("packs/*.pack"):
        scene.reset()
        data = bytearray(pack.read_bytes())
        data[:64] = bytes(64)
        data[-96:] = bytes(96)
        pack.write_bytes(bytes(data))
        if not indexed:
            pack.with_suffix(".idx").unlink()
        done = whole.repair(scene.dedup().store, scene.project)
        assert (done.lost(), done.remaining) == ([], [])
        assert scene.archive() == scene.files


@pytest.mark.parametrize("how", ["flipped", "blanked", "stretch", "truncated"])
def test_what_verify_says_of_the_cost_is_what_an_independent_count_says(make, how, full, monkeypatch):
    """Every message whose line cannot be read is named, with its conversation and number, and no other one."""
    monkeypatch.setattr(indexed_log, "OPEN", 10**9)
    scene = make()
    log = scene.state / "conversation_log.jsonl"
    for number in range(100 if full else 5):
        scene.reset()
        repair_scenes.damage(log, how, random.Random(f"{how}{number}"))
        rows = [reader._record(line) for line in log.read_bytes().split(b"\n")]
        readable = {(row["conversation_id"], row["index"]) for row in rows if row and "index" in row}
        unreadable = {(name, n) for name, messages in scene.truth.items() for n in messages} - readable
        findings = examine.examine(scene.dedup().store, scene.project)
        told = {
            (f.conversation, n)
            for f in findings
            if f.kind == damage.MESSAGES
            for first, last in f.numbers
            for n in range(first, last + 1)
        }
        assert told <= unreadable
        healed = sum(finding.kind == damage.BIT for finding in findings)
        assert len(unreadable) - len(told) <= healed
        assert sum(f.messages for f in findings if f.kind == damage.MESSAGES) == len(told)


def _damaged_in_both(scene):
    """A log with a hole in it, a damaged pack, a lost blob, a plain file that is another one."""
    scene.reset()
    sizes = {path: path.stat().st_size for path in scene.damageable()}
    log = max((p for p in sizes if p.suffix == ".jsonl" or p.parent.name == "sealed"), key=sizes.get)
    data = bytearray(log.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 900] = bytes(len(data[len(data) // 2 : len(data) // 2 + 900]))
    log.write_bytes(bytes(data))
    next(path for path in sizes if path.parent.parent.name == "blobs").unlink()
    pack = max(path for path in sizes if path.suffix == ".pack")
    data = bytearray(pack.read_bytes())
    data[-200] ^= 0xFF
    data[70:200] = bytes(130)
    pack.write_bytes(bytes(data))
    (plain,) = [path for path in sizes if path.parent == scene.project.archive and path.suffix == ".txt"]
    plain.write_bytes(plain.read_bytes()[:-100])


def _lost(findings):
    return {(f.kind, f.conversation, f.numbers, f.sha256) for f in damage.lost_for_good(findings)}


@pytest.mark.parametrize("action", ["kill", "torn", errno.ENOSPC, errno.EIO], ids=str)
def test_a_repair_that_is_interrupted_at_any_call_is_finished_by_the_next_one(make, form, action, calls):
    """Killed or refused at each system call: no more is lost than before, and run again it comes to the same end."""
    scene = make()
    _damaged_in_both(scene)
    shutil.copytree(scene.project.root, scene.project.root.parent / "damaged")
    before = _lost(examine.examine(scene.dedup().store, scene.project))
    whole.repair(scene.dedup().store, scene.project)
    wanted, files = scene.messages(), scene.archive()
    assert wanted[1] == []
    for at in calls(43):

        def job(at=at):
            shim = Shim(at, action).install()
            try:
                whole.repair(scene.dedup().store, scene.project)
            except DedupError as error:
                return str(error), shim.count >= at
            return "", shim.count >= at

        shutil.rmtree(scene.project.root)
        shutil.copytree(scene.project.root.parent / "damaged", scene.project.root)
        outcome = run(job)
        assert outcome.trace == "", outcome.trace
        reached = bool(outcome.signal) or outcome.value[1]
        assert _lost(examine.examine(scene.dedup().store, scene.project)) <= before, at
        whole.repair(scene.dedup().store, scene.project)
        assert scene.messages() == wanted, at
        assert scene.archive() == files, at
        left = [path.name for path in scene.project.memory.rglob("*") if path.name.endswith((".tmp", ".new", ".old"))]
        assert left == [], at
        if not reached:
            break
    assert at > 40


def test_a_deleted_log_is_made_again_from_the_archive(make, form):
    """With the log, its sealed files and its indexes gone: the same messages under the same numbers."""
    scene = make()
    shutil.rmtree(scene.state)
    scene.state.mkdir(mode=0o700)
    whole.repair(scene.dedup().store, scene.project)
    found, problems = scene.messages()
    assert problems == []
    assert {name: sorted(rows.values()) for name, rows in found.items()} == {
        name: sorted(rows.values()) for name, rows in scene.truth.items()
    }


def test_a_new_store_from_exports_is_that_of_a_fresh_import(make, form):
    """Law: from the archived files alone the same messages as when the same files are processed into an empty store."""
    from deduplication.archive import restore as restoring
    from deduplication.ingest.deduplicator import ClaudeConversationDeduplicator

    scene = make()
    fresh = ClaudeConversationDeduplicator(scene.project.root / "fresh", backend=scene.backend)
    with restoring.opened(scene.project) as shelf:
        for entry in sorted(shelf.all(), key=lambda each: (each.mtime_ns, each.name)):
            conversation = repair_scenes.SESSION if "/" in entry.name else entry.name.partition("-")[0]
            fresh.ingest(b"".join(shelf.parts(entry)), name=entry.name, conversation_id=conversation)
    done = rebuild_from_archive.rebuild_from_archive(scene.project, scene.backend)
    made = ClaudeConversationDeduplicator(done.folder, backend=scene.backend)
    assert made.conversations() == fresh.conversations()
    for name in fresh.conversations():
        own = [(m["role"], m["kind"], m["content_hash"]) for m in made.get_full_conversation(name)]
        assert own == [(m["role"], m["kind"], m["content_hash"]) for m in fresh.get_full_conversation(name)]
    assert (done.missing, done.failures, done.old_known) == ([], [], True)


@pytest.mark.parametrize("kinds", [(frames.SEGMENTS,), (frames.FILES,), (frames.SEGMENTS, frames.FILES)])
def test_a_pack_that_does_not_say_what_it_holds(make, kinds):
    """Header and trailer are gone, and all frames of a kind: whole packs before it keep their files, and nothing false is told."""
    scene = make()
    for name in sorted(path.name for path in scene.damageable() if path.suffix == ".pack"):
        scene.reset()
        path = scene.project.archive / "packs" / name
        with contextlib.closing(Pack(str(path))) as pack:
            places = [frame.at + frames.FRAME_HEAD for frame, _ in pack.scan() if frame and frame.kind in kinds]
        data = bytearray(path.read_bytes())
        data[: frames.HEADER_SIZE] = bytes(frames.HEADER_SIZE)
        data[-frames.TRAILER_SIZE :] = bytes(frames.TRAILER_SIZE)
        for place in places:
            data[place] ^= 255
        path.write_bytes(bytes(data))
        judged(scene, whole.repair(scene.dedup().store, scene.project), (name, kinds))
