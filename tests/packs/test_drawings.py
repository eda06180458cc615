"""Exports of one conversation in windows of several widths: what is packed, what it takes, and that every byte comes back."""

from __future__ import annotations

import random
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archive_reader
from archive_scenes import TIME, proven_and_restored, read_back
from deduplication.archive.savings_ledger import ledger
from deduplication.archive.verify import check
from deduplication.errors import ArchiveDamaged
from deduplication.packs import drawings, pack_builder, recipe_builder, segmenter
from deduplication.packs.file_spans import FileSpans
from deduplication.packs.pack_set import opened_packs
from deduplication.packs.pack_writer import PackWriter
from deduplication.packs.recipe import Drawn
from exports import Story

WIDTHS = (80, 120, 80, 100, 120, 80)
STORY = Story(11, exchanges=80)
GROWING = {
    f"{number}.txt": STORY.show(0, STORY.starts[8 + 12 * number], width=width, closing=number)
    for number, width in enumerate(WIDTHS)
}


def packed(folder, files, *, session="s", thorough=False):
    """Pack each file in a run of its own; the bytes of all packs."""
    for name, data in files.items():
        with opened_packs(str(folder)) as packs:
            writer = PackWriter(packs, thorough=thorough)
            writer.add(data, name=name, mtime_ns=TIME, session_of=lambda _: session)
            writer.commit()
    return sum(path.stat().st_size for path in folder.glob("*.pack"))


def drawn_in(folder):
    """Every drawing in the recipes of the packs."""
    with opened_packs(str(folder)) as packs:
        records = [packs.record(number) for number in packs.numbers()]
    return [item for record in records for item in record.recipe.items if isinstance(item, Drawn)]


@pytest.mark.parametrize("thorough", [False, True])
def test_what_was_drawn_at_another_width_comes_back(tmp_path, thorough):
    """Byte for byte, also as the document's reader reads it; nothing is wrong with the packs."""
    packed(tmp_path, GROWING, thorough=thorough)
    found = drawn_in(tmp_path)
    assert sum(item.length for item in found) > 20_000
    assert any(item.gaps for item in found)
    longest = max(end - start for data in GROWING.values() for start, end, *_ in segmenter.turns(data, 0, len(data)))
    assert max(item.length for item in found) > longest, "turns that follow each other are one drawing"
    assert read_back(tmp_path) == archive_reader.read(tmp_path) == GROWING
    assert check(str(tmp_path)).all_problems() == []


def test_another_width_costs_a_small_part_of_the_text(tmp_path, monkeypatch):
    """Two drawings of a conversation take little more than one; without drawings, nearly as much as two."""
    story = Story(12, exchanges=150)
    one, other = (story.show(0, len(story.turns), width=width) for width in (80, 120))
    alone = packed(tmp_path / "one", {"a": one})
    both = packed(tmp_path / "both", {"a": one, "b": other})
    monkeypatch.setattr(drawings, "_A_GAP_SAVES", 10**9)
    monkeypatch.setattr(drawings, "_turns", lambda _: ())
    apart = packed(tmp_path / "apart", {"a": one, "b": other})
    assert both - alone < (apart - alone) / 2


def test_drawings_are_of_the_same_conversation(tmp_path):
    """Of another one, and of none, nothing is looked for: every export of a large archive would be read."""
    for session in ("", "t"):
        folder = tmp_path / session / "packs"
        packed(folder, {"a": GROWING["4.txt"]}, session="s")
        packed(folder, {"b": GROWING["5.txt"]}, session=session)
        assert drawn_in(folder) == []
        assert read_back(folder) == {"a": GROWING["4.txt"], "b": GROWING["5.txt"]}


def test_in_one_run_and_from_run_to_run_the_same_is_found(tmp_path):
    """New segments of the run at hand are sources as those of the packs are."""
    with opened_packs(str(tmp_path)) as packs:
        writer = PackWriter(packs)
        for name, data in GROWING.items():
            writer.add(data, name=name, mtime_ns=TIME, session_of=lambda _: "s")
        writer.commit()
    assert sum(item.length for item in drawn_in(tmp_path)) > 20_000
    assert read_back(tmp_path) == GROWING


def test_each_width_goes_on_from_its_own_last_export(tmp_path):
    """However many exports of other widths lie between, and though all begin alike: it is told as that file and what is new."""
    alike = b"> yes\n\n" * 200
    others = {f"{n}.txt": alike + STORY.show(0, STORY.starts[30 + n], width=120, closing=n) for n in range(40)}
    first = alike + STORY.show(0, STORY.starts[25], width=80, closing=0)
    packed(tmp_path, {"first": first, **others, "last": first + b"\n\xe2\x9d\xaf go on\n\n\xe2\x97\x8f Yes.\n"})
    with opened_packs(str(tmp_path)) as packs:
        last = packs.record(max(packs.numbers()))
        assert (last.recipe.base, last.recipe.prefix) == (0, len(first))


def test_short_turns_belong_to_the_drawing_around_them(tmp_path):
    """What is said again and again: here it is what stands between these two answers, and one drawing has all three."""
    source = random.Random(5)
    answers = [" ".join(source.choices(["harbour", "ledger", "violin", "the"], k=40)) for _ in range(60)]

    def shown(width):
        rest = "\n".join(f"⏺ {textwrap.fill(text, width, subsequent_indent='  ')}\n\n❯ yes\n" for text in answers)
        return rest.encode()

    packed(tmp_path, {"one": shown(70), "two": b"\n\n" + shown(110)})
    found = drawn_in(tmp_path)
    assert sum(item.length for item in found) > 10_000
    assert max(item.length for item in found) > 1_500
    assert read_back(tmp_path)["two"] == b"\n\n" + shown(110)


def test_turns_that_differ_by_what_no_width_explains_come_back(tmp_path):
    """Another blank line, another indentation: no line end tells a width, and the gaps are told one by one."""
    said = [f"⏺ {word * 30}\n  {word[::-1] * 40}\n\n" for word in ("ledger", "violin", "harbour") * 20]
    one = "".join(said).encode()
    two = b"\n" + "".join(text.replace("\n  ", "\n    ") + "\n" * (n % 3) for n, text in enumerate(said)).encode()
    packed(tmp_path, {"one": one, "two": two})
    assert any(item.gaps for item in drawn_in(tmp_path))
    with opened_packs(str(tmp_path)) as packs:
        assert b"".join(packs.restore(1)) == two


def test_an_export_that_goes_on_from_the_last_one_looks_nowhere(tmp_path, monkeypatch):
    """What follows it is new: nothing of the archive is read to find it in another drawing."""
    first = STORY.show(0, STORY.starts[25], closing=0)
    packed(tmp_path, {"first": first})
    monkeypatch.setattr(recipe_builder.RecipeBuilder, "_stretches", None)
    packed(tmp_path, {"last": first + STORY.show(STORY.starts[60], len(STORY.turns))})
    assert drawn_in(tmp_path) == []


def test_text_of_two_widths_is_drawn_at_a_third(tmp_path):
    """An export that was drawn from one width and went on at another is the source of both."""
    story = Story(13, exchanges=120)
    half, end = story.starts[60], len(story.turns)
    one, two, three = (story.show(0, to, width=width) for to, width in ((half, 60), (end, 120), (end, 90)))
    packed(tmp_path, {"one": one, "two": two, "three": three})
    with opened_packs(str(tmp_path)) as packs:
        ours = [item for item in packs.record(2).recipe.items if isinstance(item, Drawn)]
    assert {item.widths.before // 20 for item in ours if item.gaps} == {58 // 20, 118 // 20}
    assert sum(item.length for item in ours) > 9 * len(three) // 10
    assert read_back(tmp_path)["three"] == three


def test_a_drawing_is_drawn_from_text_and_never_from_a_drawing(tmp_path):
    """What an export has in another drawing is told by the text that one was drawn from: no chain of drawings grows."""
    one, two, three = (STORY.show(0, len(STORY.turns), width=width) for width in (80, 120, 100))
    packed(tmp_path, {"one": one, "two": two, "three": three})
    with opened_packs(str(tmp_path)) as packs:
        ours = [item for item in packs.record(2).recipe.items if isinstance(item, Drawn)]
        known = packs.known(0).size
        assert sum(item.length for item in ours) > len(three) / 2
        assert known == len(one)
        text = b"".join(packs.assembly.source(item) for item in ours if item.widths.after)
    assert max(len(line) for line in text.decode().split("\n")) <= 82


def test_a_drawing_of_which_a_frame_is_damaged_is_not_proven(tmp_path, monkeypatch):
    """Whichever frame of the text that it is drawn from it is."""
    monkeypatch.setattr(pack_builder, "_TOGETHER", 0)
    packed(tmp_path, GROWING)
    assert drawn_in(tmp_path)
    assert proven_and_restored(tmp_path) > 6


@given(data=st.data())
def test_some_bytes_of_a_drawing_are_those_of_the_file(tmp_path_factory, data):
    """Read without putting the whole file together, from anywhere to anywhere."""
    folder = tmp_path_factory.getbasetemp() / "spans"
    if not folder.exists():
        packed(folder, GROWING)
    name = data.draw(st.sampled_from(sorted(GROWING)))
    start = data.draw(st.integers(0, len(GROWING[name])))
    end = data.draw(st.integers(start, min(start + 5_000, len(GROWING[name]))))
    with opened_packs(str(folder)) as packs:
        number = next(n for n in packs.numbers() if packs.record(n).name == name)
        assert FileSpans(packs).read(packs.record(number).sha256, start, end) == GROWING[name][start:end]


def test_a_drawing_counts_as_text_that_was_there(tmp_path):
    """What the ledger of savings says adds up to every byte that was archived."""
    stored = packed(tmp_path, GROWING)
    found = ledger(str(tmp_path), stored)
    assert found.raw == sum(map(len, GROWING.values()))
    assert found.repeated >= sum(item.length for item in drawn_in(tmp_path))


def test_text_that_is_lost_is_drawn_by_nobody(tmp_path):
    """Where the text is damaged beyond parity, what is drawn from it is an error, never other bytes."""
    packed(tmp_path, {"0.txt": GROWING["0.txt"]})
    (first,) = tmp_path.glob("*.pack")
    kept = first.read_bytes()
    packed(tmp_path, {"1.txt": GROWING["1.txt"]})
    assert drawn_in(tmp_path)
    first.write_bytes(b"\xff".join([kept[:100], kept[len(kept) // 2 + 100 :]]).ljust(len(kept), b"\xff"))
    with opened_packs(str(tmp_path)) as packs, pytest.raises(ArchiveDamaged):
        number = next(n for n in packs.numbers() if packs.record(n).name == "1.txt")
        b"".join(packs.restore(number))
