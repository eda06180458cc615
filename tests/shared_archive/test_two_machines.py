"""What one machine archived is restored on another one, byte for byte, through the database alone."""

from __future__ import annotations

import re
import shutil

import pytest

from archive_scenes import texts, transcripts
from archives import Archives, object_of, objects
from conftest import REPOSITORY
from deduplication.archive import inventory
from image_scenes import told


@pytest.fixture
def archives(tmp_path, database):
    """Machines on an empty database of each version of the server."""
    return Archives(tmp_path, database)


def test_packs_and_plain_files_are_restored_on_another_machine(archives):
    """Exports in packs, plain ones, and transcripts, one with an image that its pack has once: all of them, the same bytes."""
    packed, plain = texts(4), texts(6)
    plain = {f"plain-{name}": data for name, data in plain.items() if name not in packed}
    files = {f"-home-x/{name}": data for name, data in {**transcripts(3), "p.jsonl": told()["first"]}.items()}
    archives.add("a", packed)
    archives.add_transcripts("a", files)
    archives.add("a", plain, pack=False)
    sent = archives.send("a")
    assert (sent.stays, sent.problems) == ([], [])
    found, lost = archives.restored("b")
    assert lost == []
    assert {name: found[name] for name in (*packed, *plain)} == {**packed, **plain}
    assert found["-home-x/p.jsonl"] == files["-home-x/p.jsonl"]
    assert found == archives.restored("a")[0]
    assert (archives.send("a").files, archives.send("a").removed) == (0, 0)


def test_packs_that_were_put_together_take_the_place_of_the_others(archives):
    """A run, an exchange, and again: the database has the packs of now, no other ones, and a restore gives all."""
    whole = {}
    removed = 0
    for name, data in texts(8).items():
        archives.add("a", {name: data})
        whole[name] = data
        removed += archives.send("a").removed
        assert archives.restored("b") == (whole, [])
    assert removed
    folder = archives.project("a").archive / "packs"
    assert sorted(objects(archives)) == sorted(map(object_of, folder.iterdir()))


def test_both_machines_have_what_both_archived(archives):
    """Each sends its own; lists are joined, and what both have is there once."""
    files = list(texts(6).items())
    archives.add("a", dict(files[:4]))
    archives.add("b", dict(files[2:]))
    for name in "aba":
        archives.send(name)
    for name in "abc":
        assert archives.restored(name) == (dict(files), [])


def test_a_folder_that_was_copied_becomes_an_archive_of_its_own(archives):
    """The same note on two machines: neither takes from the database what the other one sent."""
    files = list(texts(6).items())
    archives.add("a", dict(files[:3]))
    archives.send("a")
    shutil.copytree(archives.project("a").root, archives.folder / "b")
    archives.add("a", dict(files[3:4]))
    archives.add("b", dict(files[4:]))
    for name in "baab":
        archives.send(name)
    assert archives.restored("c") == (dict(files), [])
    assert archives.send("a").files == archives.send("b").files == 0


def test_a_pack_that_is_lost_here_is_restored_from_the_database(archives):
    """It stays there, though its archive has it no more, for as long as no other pack has its files."""
    first, second = dict(list(texts(4).items())[:2]), transcripts(2)
    archives.add("a", first)
    archives.send("a")
    for path in (archives.project("a").archive / "packs").iterdir():
        path.unlink()
    archives.add_transcripts("a", {f"-x/{name}": data for name, data in second.items()})
    archives.send("a")
    archives.send("a")
    found, lost = archives.restored("a")
    assert {name: found[name] for name in first} == first
    assert archives.restored("b")[0] == found
    assert lost == []


def test_a_list_that_is_gone_costs_no_file(archives):
    """Nobody can say what was purged without it: everything stays."""
    files = texts(3)
    archives.add("a", files)
    archives.send("a")
    project = archives.project("a")
    shutil.rmtree(project.archive / "packs")
    (project.state / inventory.NAME).unlink()
    (project.archive / inventory.COPY).unlink()
    archives.send("a")
    assert archives.restored("b")[0] == files


def test_a_file_that_no_archive_has_is_named(archives):
    """It was archived elsewhere, and its pack never came."""
    archives.add("a", texts(2))
    archives.send("a")
    archives.execute("DELETE FROM archive_objects")
    assert archives.restored("b") == ({}, list(texts(2)))


def test_the_archive_of_a_machine_that_is_gone_stays_until_it_is_removed_by_hand(archives, monkeypatch):
    """By what docs/database.md has: its state and its list go, and with the next that is sent what no other archive has."""
    *files, later = texts(6).items()
    with monkeypatch.context() as patch:
        patch.setattr("socket.gethostname", lambda: "old-laptop")
        archives.add("a", dict(files[:3]))
        archives.send("a")
    archives.add("b", dict(files[2:]))
    archives.send("b")
    assert archives.restored("b") == (dict(files), [])
    document = (REPOSITORY / "docs" / "database.md").read_text("utf-8")
    (statement,) = re.findall(r"WITH gone AS .*?;", document, re.DOTALL)
    ((owner,),) = archives.execute("SELECT DISTINCT owner FROM archived_files")
    archives.execute(statement.replace("'alice'", f"'{owner}'"))
    archives.add("b", dict([later]))
    assert archives.send("b").removed
    folder = archives.project("b").archive / "packs"
    assert sorted(objects(archives)) == sorted(map(object_of, folder.iterdir()))
    assert archives.restored("b") == (dict([*files[2:], later]), [])
