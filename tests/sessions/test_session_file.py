from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import exports
from deduplication.errors import SessionNotWritten, SessionUnknown, StoreNotWritable
from deduplication.files import atomic
from deduplication.sessions import footer
from told import Told
from transcript_lines import SESSION, answer, call, compacted, day, prompt, result

SMALL = 2_000
"""Bytes of a part in tests."""


def bodies(told, parts):
    """The text of each part below its head and above its last line, in order."""
    found = []
    for name in parts:
        text = footer.proven((told.files / name).read_bytes()).text.decode()
        found.append(text.split("\n---\n\n", 1)[1])
    return found


def names(session, count):
    """The names of a session's files."""
    return [f"{session}.md", *(f"{session}.part-{number:03}.md" for number in range(2, count + 1))]


def anew(told, session, folder, **options):
    """The session's files as they are without any before."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    told.update(session, folder, **options)
    return told.contents(folder)


@settings(max_examples=8)
@given(
    steps=st.lists(st.sampled_from(["turn", "turn", "turns", "tool", "compaction", "update"]), min_size=1, max_size=9),
    part_bytes=st.sampled_from([300, SMALL, 100_000]),
)
def test_files_that_grew_are_the_files_made_at_once(tmp_path_factory, steps, part_bytes):
    """However a session grew and whenever its files were written, they are byte for byte those written at the end."""
    told = Told(tmp_path_factory.mktemp("grown"))
    for number, step in enumerate(steps):
        if step == "turn":
            told.capture(day(1, start=number))
        elif step == "turns":
            told.capture(day(5, start=100 * (number + 1)))
        elif step == "tool":
            told.capture(call("Bash", f"c{number}", command="ls"), result("a\nb\n" * 30, f"c{number}"))
        elif step == "compaction":
            told.capture(compacted(f"Summary number {number}", f"compaction {number}"))
        if told.dedup.conversations():
            told.update(SESSION, part_bytes=part_bytes)
    if told.dedup.conversations():
        assert told.contents() == anew(told, SESSION, told.files.with_name("anew"), part_bytes=part_bytes)


@settings(max_examples=6)
@given(order=st.permutations(range(4)), seed=st.integers(0, 20))
def test_exports_merge_into_one_file(tmp_path_factory, order, seed):
    """Exports in any order, each with an update behind it, give the files made at once of all of them."""
    told = Told(tmp_path_factory.mktemp("merged"))
    story = exports.Story(seed, 12)
    files = story.exports(3)
    for position in order:
        told.add(files[position].data, files[position].name, "story")
        told.update("story", part_bytes=SMALL)
    assert told.contents() == anew(told, "story", told.files.with_name("anew"), part_bytes=SMALL)


def test_a_new_turn_stands_below_and_nothing_above_it_changes(told):
    """The text of the conversation is the old one with something behind it, and only what is behind is asked for."""
    told.capture(day(6))
    told.update(SESSION)
    (before,) = bodies(told, names(told.stem(SESSION), 1))
    told.capture(day(1, start=6))
    asked = []
    real = told.store.bodies
    told.store.bodies = lambda conversation, numbers: (asked.extend(numbers), real(conversation, numbers))[1]
    done = told.update(SESSION)
    told.store.bodies = real
    (after,) = bodies(told, names(told.stem(SESSION), 1))
    assert after.startswith(before)
    assert (done.new, done.messages, asked) == (2, 14, [0, 12, 13])  # the first one gives the title


def test_a_long_session_has_parts_and_an_index(told):
    """Parts begin with a prompt, name their neighbours, hold every message once, and the first one lists all of them."""
    told.capture(day(40))
    done = told.update(SESSION, part_bytes=SMALL)
    parts = names(told.stem(SESSION), done.parts)
    assert done.parts > 3
    assert sorted(told.contents()) == sorted(parts)
    texts = bodies(told, parts)
    assert all("## 👤 " in text.split("\n> ")[0] for text in texts)
    whole = "".join(texts)
    assert [whole.count(f"Answer number {n}:") for n in range(40)] == [1] * 40
    first = (told.files / parts[0]).read_text(encoding="utf-8")
    assert [f"({name})" in first for name in parts[1:]] == [True] * (done.parts - 1)
    second = (told.files / parts[1]).read_text(encoding="utf-8")
    assert f"[all parts]({parts[0]})" in second
    assert f"[part 3 →]({parts[2]})" in second
    assert all(len(text.encode()) < 2 * SMALL for text in texts)


def test_a_turn_in_a_long_session_writes_two_files(told):
    """The first file and the last part, and no other."""
    told.capture(day(40))
    told.update(SESSION, part_bytes=SMALL)
    told.capture(answer("One more word"))
    done = told.update(SESSION, part_bytes=SMALL)
    assert [os.path.basename(path) for path in done.files] == [
        names(told.stem(SESSION), done.parts)[-1],
        names(told.stem(SESSION), 1)[0],
    ]


def test_nothing_new_writes_nothing(told):
    """The same store gives the same files, untouched; other conversations that went on change nothing."""
    told.capture(day(30))
    told.update(SESSION, part_bytes=SMALL)
    told.add(exports.Story(1).show(0, 9), conversation="other")
    stamps = {path: path.stat().st_mtime_ns for path in told.files.iterdir()}
    done = told.update(SESSION, part_bytes=SMALL)
    assert (done.files, done.new) == ((), 0)
    assert stamps == {path: path.stat().st_mtime_ns for path in told.files.iterdir()}


def test_the_same_export_again_changes_nothing(told):
    """Reading an export once more is no news to its session file."""
    data = exports.Story(3).show(0, 12)
    session = told.add(data)
    told.update(session)
    before = told.contents()
    told.add(data)
    told.update(session)
    assert told.contents() == before


@pytest.mark.parametrize("change", [b"A note of mine.\n", b"\n", b" "], ids=["a note", "a line", "a blank"])
@pytest.mark.parametrize("where", ["start", "end"])
def test_a_file_that_was_edited_is_never_written_to(told, change, where):
    """It stays byte for byte, the session goes on beside it, and whoever asked is told."""
    told.capture(day(3))
    told.update(SESSION)
    path = told.files / f"{told.stem(SESSION)}.md"
    edited = change + path.read_bytes() if where == "start" else path.read_bytes() + change
    path.write_bytes(edited)
    told.capture(day(1, start=3))
    done = told.update(SESSION)
    assert done.untouched == str(path)
    assert path.read_bytes() == edited
    assert os.path.basename(done.path) == f"{told.stem(SESSION)}.2.md"
    told.capture(day(1, start=4))
    again = told.update(SESSION)
    assert (again.path, again.new) == (done.path, 2)
    assert path.read_bytes() == edited
    assert "Answer number 4" in (told.files / f"{told.stem(SESSION)}.2.md").read_text(encoding="utf-8")


def test_a_part_that_was_edited_is_never_written_to(told):
    """The last part was changed: the whole session goes on under another name, and the changed one stays."""
    told.capture(day(40))
    done = told.update(SESSION, part_bytes=SMALL)
    part = told.files / names(told.stem(SESSION), done.parts)[-1]
    edited = part.read_bytes() + b"mine\n"
    part.write_bytes(edited)
    told.capture(day(1, start=40))
    for _ in range(2):
        again = told.update(SESSION, part_bytes=SMALL)
        assert part.read_bytes() == edited
        assert (again.untouched, os.path.basename(again.path)) == (str(part), f"{told.stem(SESSION)}.2.md")


def test_an_edited_part_that_need_not_change_is_left_alone(told):
    """A part in the middle may be changed by hand: nothing is written to it, and the session goes on where it is."""
    told.capture(day(40))
    told.update(SESSION, part_bytes=SMALL)
    part = told.files / names(told.stem(SESSION), 2)[1]
    part.write_bytes(part.read_bytes() + b"mine\n")
    told.capture(day(1, start=40))
    done = told.update(SESSION, part_bytes=SMALL)
    assert done.untouched is None
    assert part.read_bytes().endswith(b"mine\n")


def test_other_line_ends_are_no_edit(told):
    """A checkout that made CRLF of the line ends proves as well, and is gone on with."""
    told.capture(day(3))
    told.update(SESSION)
    path = told.files / f"{told.stem(SESSION)}.md"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    told.capture(day(1, start=3))
    assert told.update(SESSION).untouched is None
    assert told.contents() == anew(told, SESSION, told.files.with_name("anew"))


@pytest.mark.parametrize("what", ["folder", "link", "other"])
def test_what_else_has_the_name_is_left_alone(told, what):
    """A folder, a link or a stranger's file of that name is neither followed nor replaced."""
    told.capture(day(2))
    path = told.files / f"{told.stem(SESSION)}.md"
    outside = told.files.with_name("outside.md")
    outside.write_bytes(b"mine\n")
    if what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to(outside)
    else:
        path.write_bytes(b"mine\n")
    done = told.update(SESSION)
    assert (done.untouched, os.path.basename(done.path)) == (str(path), f"{told.stem(SESSION)}.2.md")
    assert outside.read_bytes() == b"mine\n"


def test_files_that_are_gone_are_made_again(told):
    """Whichever file is deleted, the next update brings back exactly what was there."""
    told.capture(day(30))
    told.update(SESSION, part_bytes=SMALL)
    before = told.contents()
    for name in before:
        (told.files / name).unlink()
        told.update(SESSION, part_bytes=SMALL)
        assert told.contents() == before


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_run_that_was_cut_off_leaves_nothing_half_done(told, monkeypatch, failing):
    """Where the n-th file cannot be written, the next run ends with what one undisturbed run would have written."""
    told.capture(day(10))
    told.update(SESSION, part_bytes=SMALL)
    told.capture(day(30, start=10))
    real, calls = atomic.replace, []

    def replace(path, data, **options):
        calls.append(path)
        if len(calls) == failing:
            raise StoreNotWritable(f"{path}: no space left")
        real(path, data, **options)

    monkeypatch.setattr(atomic, "replace", replace)
    with pytest.raises(SessionNotWritten, match="no space left"):
        told.update(SESSION, part_bytes=SMALL)
    monkeypatch.setattr(atomic, "replace", real)
    done = told.update(SESSION, part_bytes=SMALL)
    assert done.untouched is None
    assert told.contents() == anew(told, SESSION, told.files.with_name("anew"), part_bytes=SMALL)


def test_a_part_that_is_ahead_of_the_first_file(told, monkeypatch):
    """A run that was cut off between the last part and the first file is made good, and no message stands there twice."""
    told.capture(day(20))
    told.update(SESSION, part_bytes=SMALL)
    told.capture(day(1, start=20))
    real = atomic.replace

    def replace(path, data, **options):
        if path.endswith(f"{told.stem(SESSION)}.md"):
            raise StoreNotWritable(f"{path}: no space left")
        real(path, data, **options)

    monkeypatch.setattr(atomic, "replace", replace)
    with pytest.raises(SessionNotWritten):
        told.update(SESSION, part_bytes=SMALL)
    monkeypatch.setattr(atomic, "replace", real)
    told.capture(answer("And one more"))
    assert told.update(SESSION, part_bytes=SMALL).untouched is None
    assert told.contents() == anew(told, SESSION, told.files.with_name("anew"), part_bytes=SMALL)


def test_an_order_that_changed_above_is_written_anew(told):
    """An export that shows what stood before the first known message puts it there, in the file as well."""
    story = exports.Story(7, 10, tools=False)
    told.add(story.show(story.starts[4], len(story.turns)), conversation="story")
    told.update("story")
    told.add(story.show(0, story.starts[7]), conversation="story")
    done = told.update("story")
    assert done.untouched is None
    text = "".join(told.markdown("story").replace(">", "").split())
    places = [text.find("".join(turn.text.split())) for turn in story.turns if len(turn.text) > 40]
    assert -1 not in places
    assert places == sorted(places)


def test_a_session_that_became_shorter_loses_its_last_parts(told):
    """Parts that there no longer are go, but for one that somebody changed."""
    told.capture(day(40))
    count = told.update(SESSION, part_bytes=SMALL).parts
    kept = told.files / names(told.stem(SESSION), count)[-1]
    kept.write_bytes(kept.read_bytes() + b"mine\n")
    done = told.update(SESSION, part_bytes=20 * SMALL, rules="other")
    assert done.parts == 1
    assert sorted(told.contents()) == [f"{told.stem(SESSION)}.md", kept.name]


def test_other_rules_of_redaction_write_everything_anew(told):
    """What was written under other rules is not kept."""
    told.capture(prompt("the password is hunter2, do not tell"), answer("hunter2 it is"))
    told.update(SESSION)
    assert "hunter2" in told.markdown(SESSION)
    told.update(SESSION, redact=lambda text: (text.replace("hunter2", "***"), ["x"]), rules="strict")
    ((name, text),) = told.contents().items()
    assert "hunter2" not in name + text.decode()


def test_a_session_of_which_nothing_is_stored(told):
    """It is named, and no file is made."""
    with pytest.raises(SessionUnknown, match="nobody"):
        told.update("nobody")
    assert told.contents() == {}


def test_names_run_out(told, monkeypatch):
    """Where every name is taken it says so."""
    told.capture(day(1))
    monkeypatch.setattr("deduplication.sessions.session_file.bases", lambda session: ["a", "b"])
    for name in ("a.md", "b.md"):
        (told.files / name).write_bytes(b"mine")
    with pytest.raises(SessionNotWritten, match="is taken"):
        told.update(SESSION)


def test_a_file_that_vouches_for_others_comes_behind_them(tmp_path, monkeypatch):
    """Each file's content is synced before it gets its name, the parts' names before the first file gets its own.

    A first file that is new is there after a power cut; one that is replaced may be the old one.
    """
    told, seen = Told(tmp_path), []
    real = {name: getattr(os, name) for name in ("fsync", "replace")}

    def synced(descriptor):
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file"
        seen.append(kind)
        real["fsync"](descriptor)

    def renamed(old, new, **options):
        seen.append(os.path.basename(new))
        real["replace"](old, new, **options)

    told.capture(day(1))
    for turns in (0, 20, 1):
        if turns:
            told.capture(day(turns, start=10 * turns))
        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", renamed)
        told.update(SESSION, part_bytes=SMALL)
        monkeypatch.setattr(os, "fsync", real["fsync"])
        monkeypatch.setattr(os, "replace", real["replace"])
        first = f"{told.stem(SESSION)}.md"
        parts = [name for name in seen if name not in ("file", "folder", first)]
        expected = [each for name in parts for each in ("file", name)]
        expected += ["folder"] * bool(parts) + ["file", first] + ["folder"] * (turns == 0)
        assert seen == expected
        seen.clear()
