"""The client's own files in the archive: every state of them, what belongs to a session, and back where the client keeps it."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive_scenes import read_back
from deduplication.archive import restore as restoring
from deduplication.archive import restore_to_client
from deduplication.errors import NotInArchive, OutputNotWritable
from deduplication.project import client_transcripts
from deduplication.project.paths import Project
from deduplication.workflow import archive_transcripts
from transcript_lines import SESSION, answer, day, prompt

AGENT = f"{SESSION}/subagents/agent-a1b2c3.jsonl"
META = f"{SESSION}/subagents/agent-a1b2c3.meta.json"
OUTPUT = f"{SESSION}/tool-results/b7.txt"


class Scene:
    """A project and the client's folder of its sessions, with one session that has an agent and a large output."""

    def __init__(self, folder):
        self.root = (folder / "project").resolve()
        self.root.mkdir(parents=True)
        self.project = Project(self.root)
        self.config = folder / "config"
        self.sessions = self.config / "projects" / client_transcripts.folder_name(str(self.root))
        self.write(f"{SESSION}.jsonl", self.of_here(day(3)))
        self.write(AGENT, self.of_here(prompt("look around", "agent")))
        self.write(META, b'{"agentType":"Explore"}')
        self.write(OUTPUT, b"line\n" * 4000)

    def of_here(self, data):
        return data.replace(b"/home/ada/project", str(self.root).encode())

    def write(self, name, data, mode="wb"):
        path = self.sessions / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode) as file:
            file.write(data)
        return path

    def keep(self, found=None):
        """Archive what the client has of the project; the names packed."""
        done = archive_transcripts.archive_transcripts(
            self.project, client_transcripts.find_transcripts(self.root) if found is None else found
        )
        assert done.failures == []
        return sorted(os.path.relpath(name, self.sessions) for name in done.names)

    def there(self):
        """Every file of the client's folder with its bytes."""
        return {p.relative_to(self.config).as_posix(): p.read_bytes() for p in self.config.rglob("*") if p.is_file()}

    def forget(self):
        """The client deletes the session."""
        for path in sorted(self.sessions.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()

    def back(self, session=SESSION):
        """Put it back."""
        with restoring.opened(self.project) as shelf:
            return restore_to_client.to_client(shelf, session)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """See :class:`Scene`."""
    made = Scene(tmp_path)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(made.config))
    return made


def test_a_session_is_archived_with_all_that_belongs_to_it(scene):
    """Transcript, agents, their descriptions and outputs put aside are packed, byte for byte; the client's files stay."""
    before = scene.there()
    assert scene.keep() == sorted([f"{SESSION}.jsonl", AGENT, META, OUTPUT])
    assert scene.there() == before
    packed = read_back(scene.project.archive / "packs")
    assert {f"projects/{name}": data for name, data in packed.items()} == before


def test_again_nothing_is_added(scene):
    """What did not change is not archived again, also where only its time is another one; the packs keep their bytes."""
    scene.keep()
    before = {path: path.read_bytes() for path in (scene.project.archive / "packs").iterdir()}
    os.utime(scene.sessions / OUTPUT, (1, 1))
    assert scene.keep() == []
    assert {path: path.read_bytes() for path in (scene.project.archive / "packs").iterdir()} == before


def test_a_session_that_grew_costs_what_was_added(scene):
    """The new state comes back whole, the archive grew by less than what was added, and the list shows the file once."""
    lines = b"".join(scene.of_here(prompt(f"question {n} {os.urandom(150).hex()}", f"q{n}")) for n in range(400))
    scene.write(f"{SESSION}.jsonl", lines, "ab")
    scene.keep()
    size = sum(path.stat().st_size for path in (scene.project.archive / "packs").iterdir())
    added = b"".join(scene.of_here(answer(f"answer {n} {os.urandom(150).hex()}", f"a{n}")) for n in range(20))
    scene.write(f"{SESSION}.jsonl", added, "ab")
    assert scene.keep() == [f"{SESSION}.jsonl"]
    assert sum(path.stat().st_size for path in (scene.project.archive / "packs").iterdir()) - size < len(added)
    with restoring.opened(scene.project) as shelf:
        (entry,) = shelf.find(f"{SESSION}.jsonl")
        assert b"".join(shelf.parts(entry)) == (scene.sessions / f"{SESSION}.jsonl").read_bytes()
        assert [each.name for each in shelf.all()].count(entry.name) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["grow", "cut", "other"]), st.integers(1, 400)), max_size=6))
def test_every_state_can_be_restored(tmp_path_factory, steps):
    """However a transcript grows, shrinks or is replaced: each state that was archived comes back by its SHA-256."""
    import hashlib

    folder = tmp_path_factory.mktemp("scene")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLAUDE_CONFIG_DIR", str(folder / "config"))
        scene = Scene(folder)
        path = scene.sessions / f"{SESSION}.jsonl"
        states = []
        for step, amount in [("grow", 1), *steps]:
            data = path.read_bytes()
            path.write_bytes(
                {
                    "grow": data + scene.of_here(prompt(f"more {amount}", f"{len(states)}/{amount}")),
                    "cut": data[: len(data) * amount // 400],
                    "other": scene.of_here(day(1 + amount % 3)),
                }[step]
            )
            os.utime(path, (amount, amount + len(states)))
            scene.keep()
            states.append(path.read_bytes())
        with restoring.opened(scene.project) as shelf:
            for state in states:
                entry = shelf.find(hashlib.sha256(state).hexdigest())[0]
                assert b"".join(shelf.parts(entry)) == state
            now = shelf.find(f"{SESSION}.jsonl")
            assert states[-1] in [b"".join(shelf.parts(entry)) for entry in now]


def test_a_deleted_session_is_put_back(scene):
    """All of it is where it was, readable by the owner only, with the time of now, the transcript last."""
    before = scene.there()
    old = time.time() - 60 * 86_400
    for path in scene.sessions.rglob("*.*"):
        os.utime(path, (old, old))
    scene.keep()
    scene.forget()
    back = scene.back()
    assert scene.there() == before
    assert [Path(path).name for _, path, new in back.files if new][-1] == f"{SESSION}.jsonl"
    assert back.directory == str(scene.root)
    for _, path, _ in back.files:
        assert time.time() - os.stat(path).st_mtime < 600
        assert os.name == "nt" or stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_what_is_there_is_never_overwritten(scene):
    """A file with the same bytes is left, one with others stops everything before a byte is written."""
    scene.keep()
    assert not any(new for _, _, new in scene.back().files)
    (scene.sessions / OUTPUT).unlink()
    scene.write(META, b"{}")
    before = scene.there()
    with pytest.raises(OutputNotWritable, match=r"meta\.json exists and is not what"):
        scene.back()
    assert scene.there() == before


def test_a_file_that_comes_meanwhile_is_not_overwritten(scene, monkeypatch):
    """The client makes the file between our look and our writing: it stays."""
    scene.keep()
    scene.forget()
    real = restore_to_client._is_there

    def looking(shelf, entry, path):
        found = real(shelf, entry, path)
        if path.name == "b7.txt":
            scene.write(OUTPUT, b"the client's own")
        return found

    monkeypatch.setattr(restore_to_client, "_is_there", looking)
    with pytest.raises(OutputNotWritable):
        scene.back()
    assert (scene.sessions / OUTPUT).read_bytes() == b"the client's own"
    assert not (scene.sessions / f"{SESSION}.jsonl").exists()
    assert not list(scene.config.rglob("*.tmp"))


def test_a_session_that_was_emptied_comes_back_whole(scene):
    """The client emptied a transcript in place, and that was archived, too: the longest state is put back."""
    whole = (scene.sessions / f"{SESSION}.jsonl").read_bytes()
    scene.keep()
    scene.write(f"{SESSION}.jsonl", whole[: whole.index(b"\n") + 1])
    scene.keep()
    scene.forget()
    scene.back()
    assert (scene.sessions / f"{SESSION}.jsonl").read_bytes() == whole


@pytest.mark.parametrize("session", ["nobody", "a1b2c3"])
def test_an_unknown_session_is_named(scene, session):
    """Nothing is made for a session that the archive does not have."""
    scene.keep()
    with pytest.raises(NotInArchive, match=session):
        scene.back(session)


def test_a_session_without_a_transcript_is_named(scene):
    """Only an agent's file was archived: that is no session the client could go on with."""
    (scene.sessions / f"{SESSION}.jsonl").unlink()
    scene.keep()
    with pytest.raises(NotInArchive, match=f"transcript of session {SESSION}"):
        scene.back()


def test_a_folder_that_is_a_file_is_named(scene):
    """Where the client's folder cannot be made nothing is written, and the error says what is in the way."""
    scene.keep()
    scene.forget()
    (scene.sessions).rmdir()
    scene.sessions.write_bytes(b"")
    with pytest.raises(OutputNotWritable, match="is no folder"):
        scene.back()


def test_names_that_lead_elsewhere_are_refused(scene, tmp_path):
    """A record whose name goes out of the client's folder is never followed."""
    from deduplication.packs.pack_set import opened_packs
    from deduplication.packs.pack_writer import PackWriter

    scene.keep()
    with opened_packs(str(scene.project.archive / "packs")) as packs:
        addition = PackWriter(packs)
        addition.add(b"x", name=f"../{SESSION}.jsonl", mtime_ns=1, session_of=lambda _: SESSION)
        addition.commit()
    scene.forget()
    with pytest.raises(OutputNotWritable, match="no name that the client gives"):
        scene.back()
    assert not (scene.config / f"{SESSION}.jsonl").exists()


def test_a_link_beside_a_session_is_not_followed(scene, tmp_path):
    """Neither a link among the files nor a folder that is one leads the archive to other people's files."""
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"secret")
    (scene.sessions / SESSION / "tool-results" / "link.txt").symlink_to(secret)
    (scene.sessions / SESSION / "more").symlink_to(tmp_path)
    scene.keep()
    assert b"secret" not in read_back(scene.project.archive / "packs").values()


def test_a_file_that_goes_meanwhile_costs_only_itself(scene, monkeypatch):
    """The client deletes an output while the session is archived: the rest is there, and the file is named."""
    real = archive_transcripts.read_growing

    def reading(path):
        if path.name == "b7.txt":
            path.unlink()
        return real(path)

    monkeypatch.setattr(archive_transcripts, "read_growing", reading)
    done = archive_transcripts.archive_transcripts(scene.project, client_transcripts.find_transcripts(scene.root))
    assert [name.rsplit("/", 1)[1] for name, _ in done.failures] == ["b7.txt"]
    assert len(done.names) == 3


def test_copies_elsewhere_get_the_name_of_their_place(scene, tmp_path):
    """A transcript that lies elsewhere is archived under the folder of the directory it names, so that it can be put back."""
    copy = tmp_path / "copies"
    (copy / SESSION / "subagents").mkdir(parents=True)
    for name in (f"{SESSION}.jsonl", AGENT):
        (copy / name).write_bytes((scene.sessions / name).read_bytes())
    named = [client_transcripts.Transcript(copy / f"{SESSION}.jsonl", SESSION, 1, 1)]
    done = archive_transcripts.archive_transcripts(scene.project, named)
    assert len(done.names) == 2
    names = set(read_back(scene.project.archive / "packs"))
    assert names == {f"{scene.sessions.name}/{SESSION}.jsonl", f"{scene.sessions.name}/{AGENT}"}
    unknown = tmp_path / "somewhere" / "odd.jsonl"
    unknown.parent.mkdir()
    unknown.write_bytes(b"{}\n")
    assert client_transcripts.place(unknown, "odd") == "somewhere/odd.jsonl"


def test_the_archive_of_a_store(tmp_path):
    """A store in a project has the project's archive; one that lies by itself has none."""
    assert archive_transcripts.project_of(str(tmp_path / "MEMORY-CONTEXT" / "dedup_state")) == Project(
        tmp_path.resolve()
    )
    assert archive_transcripts.project_of(str(tmp_path / "elsewhere")) is None


def test_nothing_is_made_where_there_is_nothing(scene):
    """No transcript, no archive."""
    assert archive_transcripts.archive_transcripts(scene.project, []).names == []
    assert not scene.project.archive.exists()


def test_batches_are_archived_one_after_the_other(scene, monkeypatch):
    """More than fits under one lock is archived in several runs, and told to whoever watches."""
    monkeypatch.setattr(archive_transcripts, "BATCH_FILES", 1)
    seen = []
    archive_transcripts.archive_transcripts(
        scene.project, client_transcripts.find_transcripts(scene.root), advance=seen.append
    )
    assert len(seen) == 4
    assert len(read_back(scene.project.archive / "packs")) == 4
