"""What happens to a session in a day: exported at random moments, exported again, compacted, taken back, at other widths.

A day yields files in the order in which they were made, and the truth beside them: what each file shows, and what all of them show
together, in the order in which it was said.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from truth_screen import COMMAND, export, pieces
from truth_session import ASIDE, CALL, PROMPT, RESULT, TEXT

if TYPE_CHECKING:
    from truth_screen import Era, Piece
    from truth_session import Session

GROUPS: Final = {PROMPT: PROMPT, TEXT: TEXT, "tool_call": CALL, "tool_result": RESULT}
"""What a stored kind says of a message; everything else is an aside."""
ENOUGH: Final = 6
"""Pieces of a tail that show where it belongs, whatever they are."""
DISTINCT: Final = 60
"""Letters of a prompt or an answer that stands nowhere else, which alone shows it too."""

IN_A_ROW: Final = 3
"""So many of those are needed where nothing else is shown, not even that there was a compaction."""


@dataclass(frozen=True)
class File:
    """One export: its name, its bytes and what it shows."""

    name: str
    data: bytes
    shows: tuple[Piece, ...]


@dataclass(frozen=True)
class Happens:
    """What may happen in a day; each number is the chance after an export."""

    compacted: float = 0.0
    again: float = 0.0
    """The same once more, with other closing lines."""
    copied: float = 0.0
    """The very bytes under another name."""
    taken_back: float = 0.0
    """The person goes back some turns and goes on from there with something else."""
    unfinished: float = 0.0
    """An answer is still being written."""
    widths: tuple[int, ...] = (80,)
    words_only: bool = False
    """Calls will not be shown: what is shown again after a compaction must tell its place without them."""
    slugs: bool = False
    """Files are called what the client calls them, after the first prompt that they show and the time of day."""


WORLDS: Final = {
    "plain": Happens(),
    "exported again": Happens(again=0.3, copied=0.2),
    "unfinished": Happens(unfinished=0.6),
    "compacted": Happens(compacted=0.5),
    "everything": Happens(compacted=0.4, again=0.2, copied=0.1, unfinished=0.3),
}
WIDTHS: Final = (60, 80, 97, 120, 217)


class Day:
    """The exports of one session in one era."""

    def __init__(
        self, seed: int | str, session: Session, era: Era, happens: Happens, *, exports: int = 7, name: str = "day"
    ):
        self._random = random.Random(f"day/{seed}/{era.version}")
        self._era, self._happens, self._name = era, happens, name
        self._all = pieces(session.events, era)
        self._rare = Counter(piece.squeezed for piece in self._all)
        self._path: list[Piece] = []
        """What the client shows now, from the beginning of the session."""
        self._begin = 0
        """From where on it shows it."""
        self._compacted = self._unfinished = False
        self._next = 0
        self.files: list[File] = []
        for number in range(exports):
            if self._next == len(self._all):
                break
            self._go_on(last=number + 1 == exports)
            self._export()
            self._afterwards()
        shown = {piece.key: piece for file in self.files for piece in file.shows}
        whole = {piece.key: piece for piece in self._all}
        seen_whole = {piece.key for file in self.files for piece in file.shows if piece.form == whole[piece.key].form}
        self.truth = [whole[key] if key in seen_whole else shown[key] for key in sorted(shown)]
        """What the files show together, in the order in which it was said."""

    # -- what happens ----------------------------------------------------------------------------------------------

    def _go_on(self, *, last: bool) -> None:
        count = len(self._all) if last else self._random.randint(4, max(5, len(self._all) // 5))
        end = min(self._next + count, len(self._all))
        # Under a name that says nothing, the first export must have what the later ones can be told by.
        while self._happens.slugs and end < len(self._all) and self._rare_words(self._all[:end]) < IN_A_ROW:
            end += 1
        self._path += self._all[self._next : end]
        self._next = end

    def _export(self) -> None:
        shows = [piece for piece in self._path[self._begin :] if piece is not COMMAND]
        drawn = self._path[self._begin :]
        self._unfinished = False
        if self._random.random() < self._happens.unfinished and self._next < len(self._all):
            half = self._half(self._all[self._next])
            self._unfinished = half is not None
            if half is not None:
                shows, drawn = [*shows, half], [*drawn, half]
        self._write(drawn, shows)
        if self._random.random() < self._happens.again:
            self._write(drawn, shows)
        if self._random.random() < self._happens.copied:
            self.files.append(replace(self.files[-1], name="copy-of-" + self.files[-1].name))

    def _half(self, piece: Piece) -> Piece | None:
        """The beginning of an answer that the client had up to then."""
        end = piece.form.rfind(" ", 0, self._random.randint(1, max(1, len(piece.form) - 1)))
        if piece.kind != TEXT or end < DISTINCT or "\n" in piece.form[:end]:
            return None
        return replace(piece, form=piece.form[:end], ends_turn=False)

    def _write(self, drawn: list[Piece], shows: list[Piece]) -> None:
        number = len(self.files)
        width = self._random.choice(self._happens.widths)
        data = export(drawn, self._era, terminal=width, compacted=self._compacted, closing=number)
        name = f"2031-04-{number + 1:02}-EXPORT-{self._name}.txt"
        if self._happens.slugs:
            first = next((piece.form for piece in shows if piece.kind == PROMPT), "conversation")
            slug = "-".join(re.findall("[a-z]+", first.lower()))[:50].strip("-")
            name = f"2031-04-01-{number + 10}1500-{slug}.txt"
        self.files.append(File(name, data, tuple(shows)))

    def _afterwards(self) -> None:
        """A compaction, or a step back, or nothing; both wait for the end of an answer and for the result of a call."""
        chance = self._random.random
        if self._unfinished or (self._next < len(self._all) and self._all[self._next].called):
            return
        if chance() < self._happens.compacted:
            self._begin, self._compacted = self._tail(), True
            self._path.append(COMMAND)
        elif chance() < self._happens.taken_back:
            self._take_back()

    def _tail(self) -> int:
        """Where that begins which is shown again under the divider: two pieces or more, until they show where they belong."""
        wanted = self._random.randint(2, 12)
        at = len(self._path)
        while at > self._begin and not (len(self._path) - at >= wanted and self._shows_its_place(self._path[at:])):
            at -= 1
        return at

    def _shows_its_place(self, tail: list[Piece]) -> bool:
        if tail[0].called or COMMAND in tail:
            return False
        rare = self._rare_words(tail)
        if self._happens.words_only:
            return rare >= IN_A_ROW
        return rare > 0 or (len(tail) >= ENOUGH and not self._happens.slugs)

    def _rare_words(self, shown: list[Piece]) -> int:
        return sum(piece.kind in (PROMPT, TEXT) and self._is_rare(piece) for piece in shown)

    def _is_rare(self, piece: Piece) -> bool:
        return self._rare[piece.squeezed] == 1 and sum(letter.isalnum() for letter in piece.form) >= DISTINCT

    def _take_back(self) -> None:
        """Back to before a prompt that was said once; the prompt that comes instead is another one."""
        starts = [n for n, piece in enumerate(self._path) if piece.kind == PROMPT and n > self._begin + ENOUGH]
        if not starts or self._next == len(self._all) or self._all[self._next].kind != PROMPT:
            return
        if not self._is_rare(self._all[self._next]):
            return
        del self._path[self._random.choice(starts[-2:]) :]


# -- what was kept -----------------------------------------------------------------------------------------------------


def kept(messages: list[dict[str, object]]) -> list[tuple[str, str]]:
    """Of stored messages in reading order: what each is, and its text without white space. Bookkeeping is left out."""
    return [
        (GROUPS.get(str(message["kind"]), ASIDE), "".join(str(message["content"]).split()))
        for message in messages
        if message["kind"] != "bookkeeping"
    ]


def agrees(piece: Piece, stored: tuple[str, str]) -> bool:
    """Is what is stored this piece? What nobody said may be kept as the client's call or as an aside, never as words."""
    group, text = stored
    allowed = (ASIDE, CALL) if piece.kind == ASIDE else (piece.kind,)
    return group in allowed and text == piece.squeezed


def differences(truth: list[Piece], stored: list[tuple[str, str]]) -> list[str]:
    """What is missing, what is there too often and what stands elsewhere; nothing where all is right."""
    if len(truth) == len(stored) and all(agrees(piece, one) for piece, one in zip(truth, stored)):
        return []
    wanted = Counter(piece.squeezed for piece in truth)
    there = Counter(text for _, text in stored)
    found = [f"missing: {text[:80]}" for text in wanted - there]
    found += [f"too often: {text[:80]}" for text in there - wanted]
    if not found:
        at = next(n for n, (piece, one) in enumerate(zip(truth, stored)) if not agrees(piece, one))
        found = [f"at {at}: {stored[at]} for {truth[at].kind} {truth[at].squeezed[:80]}"]
    return found


def is_shown_in_order(shows: tuple[Piece, ...], stored: list[tuple[str, str]]) -> bool:
    """Do the pieces of one file stand in this order among what is stored? The last one may have grown since."""
    rest = iter(stored)
    last = len(shows) - 1
    return all(
        any(agrees(piece, one) or (n == last and one[1].startswith(piece.squeezed)) for one in rest)
        for n, piece in enumerate(shows)
    )


# -- other files of the same session -----------------------------------------------------------------------------------


def numbered(day: Day, *, title: str = "A day at the harbour") -> list[File]:
    """The same exports as a browser's exporter would write them: JSON, each counted from 0, words only."""
    files = []
    for number, file in enumerate(day.files):
        spoken = [piece for piece in file.shows if piece.kind in (PROMPT, TEXT)]
        messages = [
            {"index": index, "role": "user" if piece.kind == PROMPT else "assistant", "content": piece.form}
            for index, piece in enumerate(spoken)
        ]
        document = {"exported_at": f"2031-04-{number + 1:02}T10:00:00Z", "title": title, "messages": messages}
        data = json.dumps(document, ensure_ascii=False, indent=1).encode()
        files.append(File(file.name.replace(".txt", ".json"), data, tuple(spoken)))
    return files
