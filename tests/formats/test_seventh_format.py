"""A format more is one module and one line: everything works with it, and nothing else knows it by name."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import deduplication
from deduplication import formats
from deduplication.alignment.tombstone import MARKER
from deduplication.errors import NotAnExport
from deduplication.formats.base import Member
from deduplication.model import ASSISTANT, EXACT, PROMPT, TEXT, USER, Export, Message, Span
from in_process import call
from purge_scenes import Place, left, sentence

PACKAGE = Path(deduplication.__file__).parent
NAME = "notebook-of-a-test"
HEAD = b"%notebook\n"
_KINDS = {b"Q": (USER, PROMPT), b"A": (ASSISTANT, TEXT)}
FIRST, SECOND = "aaaaaaaa-1111-4222-8333-444444444444", "bbbbbbbb-1111-4222-8333-444444444444"


# --- the format: "%talk ID" begins a conversation, "Q ID words" and "A ID words" are its messages -------------------


def recognises(data, *, strict):
    """Whether it begins as one."""
    return data.startswith(HEAD)


def members(data):
    """One conversation after another; a blanked message says the marker."""
    for talk in re.finditer(rb"%talk (\S+)\n((?:[QA] .*\n)*)", data):
        messages, spans = [], [Span(talk.start(), talk.start(2), "head")]
        for line in re.finditer(rb"([QA]) (\S+) (.*)\n", talk[2]):
            role, kind = _KINDS[line[1]]
            start, end = (talk.start(2) + at for at in line.span())
            said, name = line[3].decode(), line[2].decode()
            messages.append(Message(role, kind, said, start, end, uuid=name, fidelity=EXACT))
            spans.append(Span(start, end, kind))
        session = talk[1].decode()
        export = Export(NAME, tuple(messages), tuple(spans), conversation_id=session)
        yield Member(export, hashlib.sha256(talk[0]).hexdigest(), len(talk[0]), session)


def parse(data):
    """All of its messages."""
    found = list(members(data))
    if not found:
        raise NotAnExport("no talk in it")
    messages = tuple(message for each in found for message in each.export.messages)
    spans = (Span(0, len(HEAD), "head"), *(span for each in found for span in each.export.spans))
    return Export(NAME, messages, spans)


def blank(data, exports, purging):
    """The lines of purged messages keep their ids."""
    gone = {each.start for export in exports for each in export.messages if purging.purged(each)}
    lines, at = [], 0
    for line in data.splitlines(keepends=True):
        begin = b" ".join(line.split(b" ", 2)[:2])
        lines.append(b"%b %b\n" % (begin, MARKER.encode()) if at in gone else line)
        at += len(line)
    return b"".join(lines)


def notebook(first, second):
    """A file with two conversations of so many messages that say the same, but for a word of their own in each message."""
    return HEAD + b"".join(
        b"%%talk %b\n" % session.encode()
        + b"".join(
            b"%b %s-%d %b\n" % ((b"Q", b"A")[n % 2], name.encode(), n, said(name, n).encode()) for n in range(count)
        )
        for session, name, count in ((FIRST, "harbour", first), (SECOND, "quarry", second))
    )


def word(name, number):
    """The word of one message."""
    return f"{name}zq{number}xv"


def said(name, number):
    """What a message says: at first the same in both conversations, as if one had begun as a copy of the other."""
    return sentence(word(name if number >= 6 else "both", number), 2)


@pytest.fixture
def registered(monkeypatch):
    """The format as a module, and its line."""
    module = ModuleType(f"{formats.__name__}.notebook")
    for each in (recognises, members, parse, blank):
        setattr(module, each.__name__, each)
    module.NAME, module.OWN_IDS = NAME, True
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(formats.FORMATS, NAME, formats.Registered("notebook", "notebook of a test"))
    return module


@pytest.fixture
def place(tmp_path, registered):
    """A project in which two files of the format were processed: the second one is the first one, grown."""
    made = Place(tmp_path / "project")
    for name, data in (("early.notes", notebook(8, 8)), ("later.notes", notebook(12, 9))):
        exported(made, name, data)
    return made


def exported(place, name, data):
    """A run over one file, which is archived."""
    place.export(name, data, "--no-checkpoint", str(place.project.exports / name))


def command(place, *arguments, code=0):
    """A subcommand in the project; what it prints."""
    ended, out, err = call(*arguments, "--project", place.project.root)
    assert ended == code, (out, err)
    return out


def texts(place, session):
    """What a reader of a conversation gets."""
    return [message["content"] for message in place.dedup.get_full_conversation(session)]


def whole(place):
    """Whether both conversations are there, each with its own messages in their order."""
    return (texts(place, FIRST), texts(place, SECOND)) == (
        [said("harbour", n) for n in range(12)],
        [said("quarry", n) for n in range(9)],
    )


def archived(place, name):
    """The bytes of an archived file, as a user has them restored."""
    target = place.project.root / f"restored-{name}"
    command(place, "restore", name, "--output", target)
    data = target.read_bytes()
    target.unlink()
    return data


def test_its_conversations_are_stored_each_under_its_own_id(place):
    """Although they begin alike: ids of the format's own say all there is to say."""
    assert whole(place)
    assert sorted(place.dedup.conversations()) == [FIRST, SECOND]
    known = place.dedup.ingest(notebook(12, 9), name="again.notes")
    assert (known.total, known.new, known.conversations) == (21, 0, (FIRST, SECOND))


def test_ids_of_its_own_are_believed_whatever_else_shows_the_same(tmp_path, registered):
    """A text that says the same without an id is a conversation beside it; of other formats it would be this one."""
    place = Place(tmp_path / "project")
    text = "".join(f"{'❯●'[n % 2]} {said('harbour', n)}\n\n" for n in range(8)).encode()
    place.dedup.ingest(text, name="screen.txt")
    place.dedup.ingest(notebook(8, 8), name="early.notes")
    assert sorted(place.dedup.conversations()) == [FIRST, SECOND, "screen"]


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_its_files_are_archived_and_come_back(place, packed):
    """Byte for byte, and everything verifies."""
    if packed:
        place.pack()
    assert archived(place, "early.notes") == notebook(8, 8)
    assert archived(place, "later.notes") == notebook(12, 9)
    command(place, "verify")


def test_it_is_explained_searched_and_read(place):
    """By the commands that a person uses; a session file says what kind of source it came from."""
    (hit,) = json.loads(command(place, "search", word("quarry", 7), "--json"))["hits"]
    assert hit["conversation_id"] == SECOND
    (place.project.root / "again.notes").write_bytes(notebook(12, 9))
    explained = json.loads(command(place, "explain", place.project.root / "again.notes", "--json"))
    assert (explained["format"], len(explained["conversations"])) == (NAME, 2)
    place.sessions()
    pages = {path.name: path.read_text() for path in place.project.memory.rglob("sessions/*.md")}
    (page,) = (text for text in pages.values() if word("harbour", 11) in text)
    assert "notebook of a test" in page
    assert word("quarry", 7) not in page


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_a_message_of_it_is_purged_and_the_rest_stays(place, packed):
    """In the archive it gives way to the marker; the file does not bring it back."""
    if packed:
        place.pack()
    place.sessions()
    (gone,) = [
        m["content_hash"] for m in place.dedup.get_full_conversation(FIRST) if m["content"] == said("harbour", 7)
    ]
    command(place, "purge", "--message", gone, "--yes")
    assert left(place, {word("harbour", 7).encode()}) == []
    kept = [said("harbour", n) for n in range(12) if n != 7]
    assert texts(place, FIRST) == kept
    assert texts(place, SECOND) == [said("quarry", n) for n in range(9)]
    blanked = notebook(12, 9).replace(said("harbour", 7).encode(), MARKER.encode())
    assert archived(place, "later.notes") == blanked
    command(place, "verify")
    exported(place, "once more.notes", notebook(12, 9))
    assert texts(place, FIRST) == kept
    assert left(place, {word("harbour", 7).encode()}) == []


def test_one_of_its_conversations_is_purged(place):
    """The other one stays, in the store and in the archived file."""
    place.purge(sessions=[FIRST])
    assert left(place, {word("harbour", n).encode() for n in range(6, 12)}) == []
    assert texts(place, SECOND) == [said("quarry", n) for n in range(9)]
    assert said("quarry", 8).encode() in archived(place, "later.notes")


@pytest.mark.parametrize("lost", [1, 5, 12], ids=str)
def test_lost_lines_of_the_log_come_back_from_its_files(place, lost):
    """A repair reads the archived file again, the conversation that the run stored of it."""
    log = place.project.state / "conversation_log.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([*lines[:2], b"#" * 200 + b"\n", *lines[2 + lost :]]))
    command(place, "repair")
    assert whole(place)
    command(place, "verify")


def test_a_store_is_made_anew_from_its_files(place):
    """Each conversation under the id that the format gives it."""
    for path in [each for each in place.project.state.iterdir() if each.name != "archived.jsonl"]:
        path.unlink()
    command(place, "rebuild", "--from-exports", "--yes")
    assert whole(place)
    assert place.dedup.store.verify() == []


def test_a_format_that_is_not_known_any_more_is_no_failure(place, monkeypatch):
    """A log names the formats of its time: what was stored is read, shown and verified; a file is not read as another."""
    monkeypatch.delitem(formats.FORMATS, NAME)
    assert whole(place)
    assert place.dedup.store.verify() == []
    place.sessions()
    assert any(NAME in path.read_text() for path in place.project.memory.rglob("sessions/*.md"))
    assert not formats.may_hold_several(NAME)
    with pytest.raises(KeyError):
        formats.load(NAME)


@pytest.mark.parametrize("name", list(formats.FORMATS))
def test_every_format_answers_everything(name):
    """What :class:`formats.base.Format` asks, a type checker cannot ask of a module that is imported by name."""
    found = formats.load(name)
    line = formats.FORMATS[name]
    assert name == found.NAME
    assert isinstance(found.OWN_IDS, bool)
    assert found.members is None or callable(found.members)
    assert found.blank is None or callable(found.blank)
    assert callable(found.recognises)
    assert callable(found.parse)
    assert bool(line.large_begins) == hasattr(found, "opens") == hasattr(found, "members_of")


# --- nobody knows a format by name ----------------------------------------------------------------------------------


def _modules():
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE / "formats"]


def test_no_other_room_names_a_format():
    """Neither its name as a text, nor its module, nor a constant that stands for it."""
    names = set(formats.FORMATS)
    own = {line.module for line in formats.FORMATS.values()}
    found = []
    for path in _modules():
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Constant) and node.value in names:
                found.append((path.name, node.lineno, node.value))
            elif isinstance(node, ast.ImportFrom) and node.level and (node.module or "").split(".")[0] == "formats":
                module = (node.module or "").partition(".")[2]
                imported = {module} if module else {alias.name for alias in node.names}
                found += [(path.name, node.lineno, each) for each in imported & own]
            elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "formats":
                found += [(path.name, node.lineno, node.attr)] * (node.attr in own or node.attr.isupper())
    assert found == []
