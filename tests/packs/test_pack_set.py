"""The packs as a whole: every file comes back, in any order, whatever was deleted, however they were put together."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import stat
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archive_reader
from archive_scenes import TIME, added, proven_and_restored, read_back, texts, transcripts
from deduplication.archive.verify import check, rebuild
from deduplication.errors import ArchiveDamaged, StoreNotWritable
from deduplication.packs import codec, frames, index_file, merge_policy, pack_builder, pack_index, recipe_builder
from deduplication.packs import pack_set as packs
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.pack_writer import PackWriter
from deduplication.packs.recipe import Recipe, Run
from deduplication.packs.recipe_builder import RecipeBuilder
from exports import Story

WORLDS = {"texts": texts, "transcripts": transcripts}


def on_disk(folder):
    """Name and bytes of every file in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.unmeasured
@pytest.mark.parametrize("thorough", [False, True], ids=["quick", "thorough"])
@pytest.mark.parametrize("at_once", [1, 3, 99])
@pytest.mark.parametrize("world", WORLDS)
def test_growing_exports_come_back(tmp_path, world, at_once, thorough):
    """However many are added in a run, every export of a growing conversation is restored byte for byte."""
    files = list(WORLDS[world]().items())
    for first in range(0, len(files), at_once):
        added(tmp_path, dict(files[first : first + at_once]), thorough=thorough)
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == dict(files)
    assert check(str(tmp_path)).all_problems() == []


@settings(max_examples=60)
@given(st.lists(st.lists(st.binary(max_size=3000), max_size=4), max_size=5), st.data())
def test_any_bytes_come_back(tmp_path_factory, runs, data):
    """Arbitrary bytes, in any grouping into runs, quick and thorough ones mixed, are restored exactly."""
    folder = tmp_path_factory.mktemp("packs")
    expected = {}
    for number, run in enumerate(runs):
        files = {f"{number}-{n}": content for n, content in enumerate(run)}
        added(folder, files, thorough=data.draw(st.booleans()))
        expected.update(files)
    assert read_back(folder) == archive_reader.read(folder) == expected


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4), st.booleans(), st.randoms(use_true_random=False))
def test_cumulative_exports_come_back_in_any_order(tmp_path_factory, seed, every, rewrap, chance):
    """Exports of a story, compacted, wrapped anew and repeated, added in any order, come back; and again without indexes."""
    folder = tmp_path_factory.mktemp("packs")
    files = Story(seed, exchanges=9).exports(every, compact_every=2, rewrap=rewrap, repeat=0.3)
    chance.shuffle(files)
    for file in files:
        added(folder, {file.name + file.sha: file.data}, thorough=chance.random() < 0.2)
    expected = {file.name + file.sha: file.data for file in files}
    assert read_back(folder) == expected
    for path in folder.glob("*.idx"):
        path.unlink()
    assert read_back(folder) == archive_reader.read(folder) == expected


def test_of_a_chain_of_bases_each_file_takes_as_much_as_the_shortest_prefix_says(tmp_path, monkeypatch):
    """A recipe may take less of its base than that takes of its own: the document allows it, and its reader does it."""
    contents = {
        "a": b"a" * 2000,
        "b": b"a" * 1500 + b"b" * 500,
        "c": b"a" * 700 + b"c" * 300,
        "d": b"a" * 700 + b"c" * 100,
    }
    recipes = {
        "a": Recipe(-1, 0, (contents["a"],)),
        "b": Recipe(0, 1500, (b"b" * 500,)),
        "c": Recipe(1, 700, (b"c" * 300,)),
        "d": Recipe(2, 800, ()),
    }
    for name, recipe in recipes.items():
        monkeypatch.setattr(RecipeBuilder, "recipe", lambda *_, recipe=recipe: (recipe, max(recipe.base + 1, 0)))
        added(tmp_path, {name: contents[name]})
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == contents


def test_the_same_file_again_is_no_second_one(tmp_path):
    """Bytes, name and time that are there add nothing; under another name they cost a record, and no bytes of theirs."""
    files = texts()
    added(tmp_path, files)
    before = on_disk(tmp_path)
    assert added(tmp_path, files) == 0
    assert on_disk(tmp_path) == before
    last = list(files.values())[-1]
    assert added(tmp_path, {"copy": last}) == 1
    assert read_back(tmp_path) == {**files, "copy": last}
    assert sum(map(len, on_disk(tmp_path).values())) - sum(map(len, before.values())) < 400


def test_a_cumulative_export_costs_what_is_new(tmp_path):
    """Ten more turns on a long conversation cost about what those turns cost alone, not what the conversation does."""
    source = random.Random(1)
    lines = [
        b'{"n":%d,"text":"%s"}\n' % (n, " ".join(str(source.randrange(10**9)) for _ in range(80)).encode())
        for n in range(400)
    ]
    added(tmp_path / "all", {"1": b"".join(lines[:390])})
    before = sum(map(len, on_disk(tmp_path / "all").values()))
    added(tmp_path / "all", {"2": b"".join(lines)})
    more = sum(map(len, on_disk(tmp_path / "all").values())) - before
    added(tmp_path / "alone", {"1": b"".join(lines[390:])})
    assert more < sum(map(len, on_disk(tmp_path / "alone").values()))


def test_an_index_that_was_deleted_is_made_again_with_the_same_bytes(tmp_path):
    """Every index is a function of its pack: whoever opens the archive makes a missing one again, identically."""
    for number, (name, data) in enumerate({**texts(5), **transcripts(5)}.items()):
        added(tmp_path, {name: data}, thorough=number == 6)
        whole = on_disk(tmp_path)
        for path in tmp_path.glob("*.idx"):
            path.unlink()
        read_back(tmp_path)
        assert on_disk(tmp_path) == whole


@pytest.mark.parametrize(
    "wrong", [b"", b"short", b"x" * 5000, None], ids=["empty", "short", "garbage", "of another pack"]
)
def test_an_index_that_is_none_is_made_again(tmp_path, wrong):
    """What lies in an index's place and is not the index of this very pack is replaced by it."""
    files = texts()
    added(tmp_path, files)
    (path,) = tmp_path.glob("*.idx")
    right = path.read_bytes()
    if wrong is None:
        added(tmp_path / "other", transcripts())
        wrong = next((tmp_path / "other").glob("*.idx")).read_bytes()
    path.write_bytes(wrong)
    assert read_back(tmp_path) == files
    assert path.read_bytes() == right


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_is_no_file_in_an_indexs_place_is_not_followed(tmp_path, kind):
    """A link, an empty folder or a pipe in the place of an index is replaced, and a link's target stays what it is."""
    files = texts()
    added(tmp_path, files)
    (path,) = tmp_path.glob("*.idx")
    right = path.read_bytes()
    outside = tmp_path / "outside"
    outside.write_bytes(right)
    path.unlink()
    {"link": lambda: path.symlink_to(outside), "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[kind]()
    assert read_back(tmp_path) == files
    assert not path.is_symlink()
    assert path.read_bytes() == outside.read_bytes() == right


def test_a_link_in_the_place_of_a_pack_is_never_followed(tmp_path):
    """A link under a pack's name is named as a problem, nothing is read through it, and nothing is added behind it."""
    files = texts()
    added(tmp_path / "packs", files)
    (pack,) = (tmp_path / "packs").glob("*.pack")
    pack.rename(tmp_path / "elsewhere")
    pack.symlink_to(tmp_path / "elsewhere")
    assert read_back(tmp_path / "packs") == {}
    (problem,) = check(str(tmp_path / "packs")).all_problems()
    assert problem.startswith("pack-0001.pack: ")
    with pytest.raises(ArchiveDamaged, match=r"pack-0001\.pack"):
        added(tmp_path / "packs", {"more": b"more"})
    assert (tmp_path / "elsewhere").read_bytes()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_packs_are_private(tmp_path, umask):
    """Whatever the umask: the folder has mode 0700, packs and indexes 0600."""
    before = os.umask(umask)
    try:
        added(tmp_path / "new" / "packs", texts())
    finally:
        os.umask(before)
    folder = tmp_path / "new" / "packs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_file_never_stands_on_too_many_others(tmp_path):
    """A transcript captured after each turn: the recipes are written out now and then, and every state comes back."""
    states = [b'{"line":"%04d"}\n' % 0 * 80]
    for number in range(1, 3 * recipe_builder.DEEPEST):
        states.append(states[-1] + b'{"line":"%04d"}\n' % number)
    for number, state in enumerate(states):
        added(tmp_path, {f"{number:03}": state})
    with opened_packs(str(tmp_path)) as opened:
        depths = [opened.record(number).depth for number in opened.numbers()]
        lengths = [len(opened.record(number).recipe.items) for number in opened.numbers()]
    assert max(depths) == recipe_builder.DEEPEST
    assert depths.count(0) == 3
    assert max(lengths) <= 2, "what follows each other is one run"
    assert list(read_back(tmp_path).values()) == states


def test_two_conversations_in_turns_come_back(tmp_path):
    """Transcripts that grow in turns, so that no recipe is one run of segments, come back, also when written out."""
    source = random.Random(4)
    states = {"a": b"", "b": b""}
    expected = {}
    for number in range(2 * recipe_builder.DEEPEST + 20):
        name = "ab"[number % 2] if number < 20 else source.choice("ab")
        states[name] += b'{"%s":"%d"}\n' % (name.encode(), source.getrandbits(4000)) + b"\n" * 20
        expected[f"{name}{number}"] = states[name]
        added(tmp_path, {f"{name}{number}": states[name]})
    assert read_back(tmp_path) == expected


def test_many_small_runs_make_few_packs(tmp_path, monkeypatch):
    """Three hundred runs leave a handful of packs, the larger ones first, and all of their files."""
    monkeypatch.setattr(merge_policy, "TIERS", ((2000, 0), (30_000, 4), (200_000, 4)))
    source = random.Random(2)
    expected = {}
    for number in range(300):
        expected[f"{number}"] = source.getrandbits(8 * 700).to_bytes(700, "little")
        added(tmp_path, {f"{number}": expected[f"{number}"]})
    sizes = [path.stat().st_size for path in sorted(tmp_path.glob("*.pack"))]
    assert len(sizes) <= 10
    assert max(sizes) == sizes[0]
    assert read_back(tmp_path) == expected
    assert check(str(tmp_path)).all_problems() == []


@pytest.mark.parametrize(
    ("sizes", "thorough", "count"),
    [
        ([], False, 0),
        ([10], False, 1),
        ([300_000], False, 0),
        ([300_000, 10], False, 1),
        ([10, 300_000], False, 0),
        ([300_000] * 15, False, 0),
        ([300_000] * 16, False, 16),
        ([5_000_000] * 14 + [300_000] * 15, False, 29),
        ([70_000_000] + [5_000_000] * 16, False, 16),
        ([70_000_000] * 99, False, 0),
        ([40_000_000, 300_000, 10], True, 2),
        ([10, 40_000_000], True, 0),
    ],
)
def test_which_packs_are_taken_in(sizes, thorough, count):
    """Small packs at the end, once there are enough of them; large ones never; an idle run takes all that are not large."""
    assert merge_policy.packs_to_merge(sizes, thorough=thorough) == count


def test_an_idle_run_packs_small_frames_together(tmp_path, monkeypatch):
    """After many quick runs a thorough one leaves one pack, smaller, with the same files; once more changes nothing."""
    monkeypatch.setattr(merge_policy, "TIERS", ((100, 0), (200, 15), (300, 15)))
    files = {**texts(8), **transcripts(8)}
    for name, data in files.items():
        added(tmp_path, {name: data})
    before = on_disk(tmp_path)
    added(tmp_path, {}, thorough=True)
    after = on_disk(tmp_path)
    assert sorted(after) == ["pack-0001.idx", "pack-0001.pack"]
    assert sum(map(len, after.values())) < sum(map(len, before.values())) / 2
    assert read_back(tmp_path) == files
    added(tmp_path, {}, thorough=True)
    assert on_disk(tmp_path) == after


def test_small_frames_are_compressed_once_more_with_what_follows(tmp_path, monkeypatch):
    """Run by run: a frame grows up to a size, and stays as it is from then on, so that no byte is compressed often."""
    monkeypatch.setattr(pack_builder, "_TOGETHER", 20_000)
    contents, before = {}, {}
    for n in range(12):
        contents[f"{n}"] = b"".join(b"%d tides of %d, %d\n" % (line, n, line * n) for line in range(400))
        added(tmp_path, {f"{n}": contents[f"{n}"]})
        with opened_packs(str(tmp_path)) as found:
            (member,) = found.members
            sizes = {frame.sha256: frame.raw for frame, _ in member.pack.scan() if frame.kind == frames.SEGMENTS}
        full = {sha256 for sha256, raw in before.items() if raw > 20_000}
        assert full <= set(sizes)
        assert sum(raw <= 20_000 for raw in sizes.values()) <= 1
        before = sizes
    assert len(before) == 4
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == contents


def test_a_full_frame_is_copied_as_it_is(tmp_path, monkeypatch):
    """A frame that is full is not compressed a second time: its bytes are in the next pack as they were."""
    monkeypatch.setattr(pack_builder, "THOROUGH_FRAME", 10_000)
    first = {"a": random.Random(1).getrandbits(8 * 9000).to_bytes(9000, "little")}
    added(tmp_path, first, thorough=True)
    with opened_packs(str(tmp_path)) as opened:
        member = opened.members[0]
        full = member.pack.bytes_of(member.pack.head(member.index.places[0].at))
    more = {"b": b"short", "c": b"other"}
    added(tmp_path, more, thorough=True)
    assert full in (tmp_path / "pack-0001.pack").read_bytes()
    assert read_back(tmp_path) == {**first, **more}


@pytest.mark.parametrize("world", [texts, transcripts])
def test_a_file_that_cannot_be_restored_is_not_proven(tmp_path, monkeypatch, world):
    """Whichever frame is damaged: of the files that do not come back none is said to be there, and without damage all are."""
    monkeypatch.setattr(pack_builder, "_TOGETHER", 0)
    for name, data in world().items():
        added(tmp_path, {name: data})
    assert proven_and_restored(tmp_path) > 6


def test_many_segments_make_several_frames(tmp_path, monkeypatch):
    """What does not fit into one frame goes into the next; a file over several frames comes back whole."""
    monkeypatch.setattr(pack_builder, "QUICK_FRAME", 20_000)
    monkeypatch.setattr(pack_builder, "_RECORDS", 2)
    monkeypatch.setattr(packs, "_KEPT", 30_000)
    files = {f"{n}": random.Random(n).getrandbits(8 * 9000).to_bytes(9000, "little") for n in range(9)}
    files["all"] = b"".join(files.values())
    added(tmp_path, {**files})
    assert read_back(tmp_path) == files
    with opened_packs(str(tmp_path)) as opened:
        assert len(opened.members[0].index.places) > 8


def test_packs_that_were_taken_in_and_not_removed_do_no_harm(tmp_path, monkeypatch):
    """Killed between writing the larger pack and removing the smaller: nothing is read twice, and the next run tidies up."""
    monkeypatch.setattr(merge_policy, "TIERS", ((100, 0), (200, 99), (300, 99)))
    files = texts()
    for name, data in files.items():
        added(tmp_path, {name: data})
    old = {name: data for name, data in on_disk(tmp_path).items() if name > "pack-0002"}
    added(tmp_path, {}, thorough=True)
    for name, data in old.items():
        (tmp_path / name).write_bytes(data)
    assert read_back(tmp_path) == files
    assert check(str(tmp_path)).all_problems() == []
    added(tmp_path, {"more": b"more"})
    assert not set(old) & set(on_disk(tmp_path)) - {"pack-0007.pack", "pack-0007.idx"}
    assert read_back(tmp_path) == {**files, "more": b"more"}


def test_a_pack_of_another_archive_is_named_and_never_removed(tmp_path):
    """A pack with numbers that are taken, and files that nobody else has, is a problem to be named, no leftover."""
    added(tmp_path / "a", texts())
    added(tmp_path / "b", transcripts())
    foreign = tmp_path / "a" / "pack-0009.pack"
    foreign.write_bytes((tmp_path / "b" / "pack-0001.pack").read_bytes())
    assert any("pack-0009.pack" in problem for problem in check(str(tmp_path / "a")).problems)
    added(tmp_path / "a", {"more": b"more"})
    assert foreign.exists()
    assert read_back(tmp_path / "a") == {**texts(), "more": b"more"}


def test_a_missing_pack_is_named(tmp_path, monkeypatch):
    """A pack that was deleted is noticed by the numbers that are missing, and costs the files that need it, no others."""
    monkeypatch.setattr(merge_policy, "TIERS", ((100, 0), (200, 99), (300, 99)))
    files = {"a": b"a" * 5000, "b": b"b" * 5000, "c": b"c" * 5000}
    for name, data in files.items():
        added(tmp_path, {name: data})
    (tmp_path / "pack-0002.pack").unlink()
    (problem,) = check(str(tmp_path)).problems
    assert "1 file" in problem
    assert read_back(tmp_path) == {"a": files["a"], "c": files["c"]}
    with opened_packs(str(tmp_path)) as opened, pytest.raises(ArchiveDamaged, match="file 1 is lost"):
        opened.record(1)


def test_a_missing_last_pack_is_named_by_its_index(tmp_path):
    """Nothing stands behind it that would tell: the index that is left does, and nothing is added in its place."""
    files = texts()
    added(tmp_path, files)
    pack = tmp_path / "pack-0001.pack"
    data = pack.read_bytes()
    pack.unlink()
    with opened_packs(str(tmp_path)) as packs:
        assert any("pack-0001.pack is missing" in problem for problem in packs.problems)
    with pytest.raises(ArchiveDamaged, match=r"pack-0001\.pack"):
        added(tmp_path, {"new.txt": b"new" * 1000})
    pack.write_bytes(data)
    assert read_back(tmp_path) == files
    pack.unlink()
    (tmp_path / "pack-0001.idx").unlink()  # lost for good, and said so
    assert added(tmp_path, {"new.txt": b"new" * 1000}) == 1


@pytest.mark.parametrize("data", [b"", b"\0" * 500, b"noise" * 100], ids=["empty", "zeros", "noise"])
def test_an_index_that_is_none_says_nothing_of_a_lost_pack(tmp_path, data):
    """Only an index whose beginning is whole is believed."""
    (tmp_path / "pack-0001.idx").write_bytes(data)
    with opened_packs(str(tmp_path)) as packs:
        assert packs.problems == packs.unreadable == []


def test_packs_are_not_put_together_over_a_gap(tmp_path, monkeypatch):
    """While a pack in the middle cannot be read, only those behind it are put together; once it can, all is there."""
    monkeypatch.setattr(merge_policy, "TIERS", ((100, 0), (200, 99), (300, 99)))
    files = {name: name.encode() * 3000 for name in "abcd"}
    for name, data in files.items():
        added(tmp_path, {name: data})
    (tmp_path / "pack-0002.pack").rename(tmp_path / "away")
    added(tmp_path, {"e": b"e" * 3000}, thorough=True)
    assert sorted(path.name for path in tmp_path.glob("*.pack")) == ["pack-0001.pack", "pack-0003.pack"]
    (tmp_path / "away").rename(tmp_path / "pack-0002.pack")
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == {**files, "e": b"e" * 3000}


def test_a_damaged_pack_is_not_taken_in(tmp_path):
    """A run beside a damaged pack begins a new one: what is still whole in the old one stays readable, and is named."""
    added(tmp_path, {"a": b"a" * 3000})
    path = tmp_path / "pack-0001.pack"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    added(tmp_path, {"b": b"b" * 3000})
    assert path.read_bytes() == data
    assert sorted(p.name for p in tmp_path.glob("*.pack")) == ["pack-0001.pack", "pack-0002.pack"]
    assert read_back(tmp_path) == {"a": b"a" * 3000, "b": b"b" * 3000}
    assert len(check(str(tmp_path)).problems) == 1


def test_a_flipped_bit_in_an_index_never_leads_to_wrong_bytes(tmp_path):
    """Damage to an index is noticed before an answer of it is used; the index goes, and is right the next time."""
    files = texts()
    added(tmp_path, files)
    (path,) = tmp_path.glob("*.idx")
    right = path.read_bytes()
    for at in range(0, len(right), 7):
        wrong = bytearray(right)
        wrong[at] ^= 0x10
        path.write_bytes(wrong)
        with contextlib.suppress(ArchiveDamaged), opened_packs(str(tmp_path)) as opened:
            assert PackWriter(opened).add(files["004.txt"], name="004.txt", mtime_ns=TIME).number in (4, 5)
        assert read_back(tmp_path) == files
        path.unlink(missing_ok=True)


def test_an_archive_that_cannot_be_written_can_be_read(tmp_path, monkeypatch):
    """Without an index and without the right to make one, every file is still restored."""
    files = texts()
    added(tmp_path, files)
    (path,) = tmp_path.glob("*.idx")
    path.unlink()

    def refused(*_arguments, **_options):
        raise StoreNotWritable("read-only")

    monkeypatch.setattr(index_file.atomic, "replace", refused)
    assert read_back(tmp_path) == files
    assert any("pack-0001.idx" in problem for problem in check(str(tmp_path)).problems)
    assert not path.exists()


def test_the_index_answers_what_the_pack_says(tmp_path):
    """Every segment and file of the pack is found by its hash under its number; what is not there is not found."""
    added(tmp_path, texts())
    with opened_packs(str(tmp_path)) as opened:
        (member,) = opened.members
        hashes = member.index.hashes()
        assert [member.index.segment(sha256) for sha256 in hashes] == list(range(len(hashes)))
        assert member.index.segment(bytes(32)) == -1
        assert member.index.file(bytes(31) + b"\1") == -1
        for number in opened.numbers():
            record = opened.record(number)
            assert opened.file(record.sha256) == number
            assert member.index.known(number) == pack_index.Known(record.sha256, record.size, record.head, record.depth)


@pytest.mark.unmeasured
def test_the_corpus_comes_back(tmp_path, corpus):
    """Every real file, added in any order, quickly and thoroughly, comes back byte for byte, also without indexes."""
    files = {str(path.relative_to(corpus)): path.read_bytes() for path in sorted(corpus.rglob("*")) if path.is_file()}
    names = list(files)
    random.Random(5).shuffle(names)
    for first in range(0, len(names), 10):
        added(tmp_path, {name: files[name] for name in names[first : first + 10]}, thorough=first % 20 == 0)
    assert read_back(tmp_path) == files
    for path in tmp_path.glob("*.idx"):
        path.unlink()
    assert read_back(tmp_path) == files
    added(tmp_path, {}, thorough=True)
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == files


@pytest.mark.unmeasured
def test_real_exports_take_no_more_than_one_solid_stream(tmp_path, corpus):
    """The packs of the exports of 2025 take at most 1.1 times what xz -9e makes of their distinct contents in one stream."""
    import lzma

    files = {path.name: path.read_bytes() for path in sorted((corpus / "real-2025").iterdir())}
    added(tmp_path, files, thorough=True)
    stream = lzma.compress(b"".join(dict.fromkeys(files.values())), preset=9 | lzma.PRESET_EXTREME)
    assert sum(path.stat().st_size for path in tmp_path.glob("*.pack")) <= 1.1 * len(stream)


def test_what_does_not_unpack_is_never_written(tmp_path, monkeypatch):
    """A compressor (or memory) that is wrong is noticed before anything is written: the archive stays what it was."""
    added(tmp_path, texts())
    before = on_disk(tmp_path)
    real = codec.compress

    def wrong(raw, **options):
        how, packed = real(raw[:-1] + b"!", **options)
        return how, packed

    monkeypatch.setattr(codec, "compress", wrong)
    with pytest.raises(ArchiveDamaged, match="does not unpack"):
        added(tmp_path, transcripts())
    assert on_disk(tmp_path) == before


def test_what_cannot_be_read_back_takes_nobodys_place(tmp_path, monkeypatch):
    """A disk that gives back other bytes than were written: a named error, and the packs that were there stay."""
    added(tmp_path, texts())
    before = on_disk(tmp_path)
    real = os.read
    with monkeypatch.context() as patched:
        patched.setattr(pack_builder.os, "read", lambda descriptor, size: bytes(len(real(descriptor, size))))
        with pytest.raises(StoreNotWritable, match="read back"):
            added(tmp_path, transcripts())
        patched.setattr(pack_builder.os, "read", lambda descriptor, size: b"")
        with pytest.raises(StoreNotWritable, match="read back"):
            added(tmp_path, transcripts())
    assert on_disk(tmp_path) == before


def test_indexes_are_checked_and_made_anew(tmp_path):
    """check names an index that does not say what its pack says; rebuild makes it anew and names it."""
    added(tmp_path, texts())
    path = tmp_path / "pack-0001.idx"
    right = path.read_bytes()
    path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
    (problem,) = check(str(tmp_path)).all_problems()
    assert problem.startswith("pack-0001.idx")
    assert rebuild(str(tmp_path)) == ["pack-0001.idx: did not say what its pack says; made anew"]
    assert path.read_bytes() == right
    assert rebuild(str(tmp_path)) == []


def test_a_frame_outside_its_packs_range_is_not_believed(tmp_path):
    """A frame with right checksums from another place: its numbers are not the pack's, so the index leaves it out."""
    added(tmp_path / "a", {"a": b"a" * 2000})
    added(tmp_path / "b", {f"{n}": bytes([n]) * 2000 for n in range(9)})
    added(tmp_path / "b", {"more": b"m" * 3000})
    with opened_packs(str(tmp_path / "b")) as opened:
        pack = opened.members[0].pack
        late = pack.bytes_of(pack.head(opened.members[0].index.places[-2].at))
    path = tmp_path / "a" / "pack-0001.pack"
    data = path.read_bytes()
    path.write_bytes(data[:64] + late + data[64:])
    (tmp_path / "a" / "pack-0001.idx").unlink()
    assert check(str(tmp_path / "a")).problems
    assert read_back(tmp_path / "a") == {"a": b"a" * 2000}


def test_a_place_that_cannot_be_listed_is_named(tmp_path):
    """A file where the packs should be is a named error, no empty archive."""
    (tmp_path / "packs").write_bytes(b"")
    with pytest.raises(ArchiveDamaged, match="packs"):
        read_back(tmp_path / "packs")


def test_an_index_of_version_0_1_is_read(tmp_path):
    """It has all of each segment's hash: what it knows is found by it, and the pack that takes its pack in has the new form."""
    files = texts()
    added(tmp_path, files)
    with opened_packs(str(tmp_path)) as opened:
        sums = [hashlib.sha256(b"".join(opened.run(Run(number, 1)))).digest() for number in range(opened.ends()[0])]
    (path,) = tmp_path.glob("*.idx")
    now = path.read_bytes()
    frames, segments = struct.unpack_from("<I", now, 12)[0], len(sums)
    at = 84 + 24 * frames + 4
    body = b"".join(sorted(sums)) + now[at + 16 * segments :]
    head = now[:8] + struct.pack("<I", 1) + now[12:80] + struct.pack("<I", zlib.crc32(body)) + now[84 : at - 4]
    before = head + struct.pack("<I", zlib.crc32(head)) + body
    path.write_bytes(before)
    assert added(tmp_path, files) == 0
    assert added(tmp_path, {"more.txt": b"\n" + files["004.txt"]}) == 1
    with opened_packs(str(tmp_path)) as opened:
        assert opened.ends()[0] < 2 * segments, "what it knew was found"
        assert [opened.segment(each) for each in sums] == list(range(segments))
    assert read_back(tmp_path) == {**files, "more.txt": b"\n" + files["004.txt"]}
    assert check(str(tmp_path)).all_problems() == []
