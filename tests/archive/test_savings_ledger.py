"""What the packs saved is counted from what is in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_scenes import added, texts, transcripts, without_parity
from deduplication.archive.savings_ledger import ledger
from deduplication.errors import ArchiveDamaged
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.recipe import Run
from exports import Story


def recounted(folder):
    """The same figures, counted in another way: the bytes of every part of every file, one after another."""
    raw = identical = in_base = repeated = 0
    seen, used = [], set()
    with opened_packs(str(folder)) as packs:
        for number in packs.numbers():
            record = packs.record(number)
            content = b"".join(packs.restore(number))
            raw += len(content)
            if content in seen:
                identical += len(content)
                continue
            seen.append(content)
            in_base += record.recipe.prefix
            for item in record.recipe.items:
                if isinstance(item, Run):
                    for segment in range(item.first, item.first + item.length):
                        part = b"".join(packs.run(Run(segment, 1)))
                        repeated += len(part) if segment in used else 0
                        used.add(segment)
        return packs.ends()[1], raw, identical, in_base, repeated


def figures(found):
    """A ledger without what follows from the size on the disk."""
    return found.files, found.raw, found.identical, found.in_base, found.repeated


def adds_up(found):
    """Whether the layers come to the bytes of the files."""
    return found.raw == found.stored + found.identical + found.in_base + found.repeated + found.compression


@pytest.mark.unmeasured
@settings(max_examples=30)
@given(st.integers(0, 10**6), st.booleans(), st.randoms(use_true_random=False))
def test_every_layer_is_recounted_and_they_add_up(tmp_path_factory, seed, rewrap, chance):
    """Cumulative exports, copies under other names and growing transcripts, in any order: bytes = packs + savings."""
    folder = tmp_path_factory.mktemp("packs")
    files = {f.name + f.sha: f.data for f in Story(seed, exchanges=8).exports(2, rewrap=rewrap, repeat=0.3)}
    files.update(transcripts(3, seed))
    files.update({f"copy of {name}": data for name, data in files.items() if chance.random() < 0.3})
    names = list(files)
    chance.shuffle(names)
    for name in names:
        added(folder, {name: files[name]}, thorough=chance.random() < 0.2)
    found = ledger(str(folder), 12345)
    assert figures(found) == recounted(folder)
    assert found.raw == sum(map(len, files.values()))
    assert adds_up(found)


def test_versions_of_a_growing_file_are_the_beginnings_of_each_other(tmp_path):
    """What an earlier version has is saved by beginnings, not by repeated parts."""
    files = transcripts(5)
    sizes = [len(data) for data in files.values()]
    for name, data in files.items():
        added(tmp_path, {f"-home-ada-tides/{name}": data})
    assert ledger(str(tmp_path), 0).in_base == sum(sizes[:-1])


def test_damage_is_said_instead_of_a_number(tmp_path):
    """A missing pack, a damaged frame and a damaged header: no ledger."""
    files = texts()
    for name, data in files.items():
        added(tmp_path, {name: data * 40})
    without_parity(tmp_path)
    whole = {path: path.read_bytes() for path in tmp_path.iterdir()}
    packs = [path for path in whole if path.suffix == ".pack"]
    for path in packs:
        data = whole[path]
        for damaged in (*(data[:n] + bytes([data[n] ^ 1]) + data[n + 1 :] for n in (66, 100)), b"x" * len(data)):
            path.write_bytes(damaged)
            with pytest.raises(ArchiveDamaged):
                ledger(str(tmp_path), 0)
        path.write_bytes(data)
    assert adds_up(ledger(str(tmp_path), sum(map(len, whole.values()))))


def test_lost_segments_and_wrong_sizes_are_noticed(tmp_path, monkeypatch):
    """A recipe that names what no pack has, or that gives another length than the file had, is damage."""
    from deduplication.archive import savings_ledger as room

    added(tmp_path, texts(2))
    real = room._lengths
    monkeypatch.setattr(room, "_lengths", lambda _packs: {})
    with pytest.raises(ArchiveDamaged, match="is lost"):
        ledger(str(tmp_path), 0)
    monkeypatch.setattr(room, "_lengths", lambda packs: {n: size + 1 for n, size in real(packs).items()})
    with pytest.raises(ArchiveDamaged, match="instead of"):
        ledger(str(tmp_path), 0)
