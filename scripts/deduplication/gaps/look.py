"""Look for everything that is missing: in a store, and in what the client keeps of the same sessions. Nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Optional

from ..ingest.conversation_choice import choose
from ..start.late_dataclass import replace
from . import client_history, cut_messages, results, sequences, transcript_gaps
from .found import Found
from .gap import KINDS
from .uncaptured import behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ..storage.contract import Store
    from .client_history import Remembered
    from .client_side import ClientSide
    from .gap import Gap


MOST_COMPARED: Final = 200_000
"""Messages of conversations with hidden lines that are held against others, 0.1 ms each; further ones are only ``likely``."""


def look(
    store: Store,
    conversation: str | None = None,
    *,
    client: ClientSide | None = None,
    folder: str = "",
    read_log: bool = True,
) -> Found:
    """Every gap of a store of any kind, the sure ones of each kind first.

    ``conversation``: only that one, named as ``choose`` takes it. ``client``: the client's own files are looked at as well; without
    it they are not. ``folder`` is the store's, where its runs are noted. ``read_log`` False: results are not looked at, which is
    what takes long. The store is held for no longer than one conversation takes.
    Raises ``ConversationUnclear`` and the ``StoreError`` family.
    """
    with store.transaction(write=False):
        names = [choose(store, conversation)] if conversation is not None else store.conversations()
    if client is not None and conversation is not None:
        client = _only(store, client, names[0])
    prompts = _prompts(store, client, names)
    kept = _kept(client)
    passed = _pass(store) if conversation is None and read_log else None
    found: list[Gap] = []
    left = MOST_COMPARED
    for name in names:
        with store.transaction(write=False):
            of = sequences.stored(store, name)
            found += _between(of, prompts.get(name, ()))
            if read_log:
                cuts = passed.of(of) if passed is not None else cut_messages.in_conversation(of)
                found += _results(of, cuts, kept, compare=left > 0)
                left -= len(of.order) if cuts else 0
    if client is not None:
        found += of_client(store, folder, client, sessions=conversation is None)
    found.sort(key=lambda gap: (KINDS.index(gap.kind), gap.days_left if gap.days_left is not None else 1 << 40))
    return Found(tuple(found), len(names), len(client.transcripts) if client is not None else 0, _not_looked(client))


def in_conversation(store: Store, name: str, passed: Optional[cut_messages.Pass] = None) -> list[Gap]:
    """The gaps that the store itself shows in the conversation of this very id; ``passed``: what one pass over its log found."""
    with store.transaction(write=False):
        of = sequences.stored(store, name)
        cuts = passed.of(of) if passed is not None else cut_messages.in_conversation(of)
        return [*_between(of, ()), *_results(of, cuts, _kept(None))]


def _between(of: sequences.Stored, prompts: Sequence[Remembered]) -> Iterator[Gap]:
    yield from sequences.index_jumps(of)
    yield from sequences.unconnected(of)
    if prompts:
        yield from client_history.holes(of, prompts)


def _results(
    of: sequences.Stored, cuts: dict[int, cut_messages.Cut], kept: Callable[[str], bool], *, compare: bool = True
) -> Iterator[Gap]:
    yield from results.hidden_lines(of, cuts, compare=compare)
    yield from results.missing_outputs(of, cuts, kept)


def _pass(store: Store) -> Optional[cut_messages.Pass]:
    backed = store.log_backed()
    return cut_messages.in_log(backed) if backed is not None else None


def _kept(client: ClientSide | None) -> Callable[[str], bool]:
    if client is None:
        return lambda _name: False
    return client.outputs.__contains__


def _only(store: Store, client: ClientSide, name: str) -> ClientSide:
    """The client's files of the sessions of one conversation."""
    with store.transaction(write=False):
        own = [each for each in client.transcripts if store.session(each.session) == name]
    return replace(client, transcripts=own)


def _prompts(store: Store, client: ClientSide | None, names: Sequence[str]) -> dict[str, list[Remembered]]:
    """What the client remembers of each of these conversations, where their transcripts are wholly captured."""
    if client is None:
        return {}
    waiting = {each.transcript.session for each in behind(store, client.transcripts)}
    found: dict[str, list[Remembered]] = {}
    with store.transaction(write=False):
        for session, prompts in client.prompts.items():
            name = store.session(session)
            if name in names and session not in waiting:
                found.setdefault(name, []).extend(prompts)
    return {name: sorted(each, key=lambda one: one.moment) for name, each in found.items()}


def of_client(store: Store, folder: str, client: ClientSide, *, sessions: bool = True) -> Iterator[Gap]:
    """What the client's files alone tell; ``sessions``: also those that only its history knows."""
    waiting = behind(store, client.transcripts)
    yield from transcript_gaps.missing_parents(store, client)
    yield from transcript_gaps.missing_origins(store, client)
    yield from transcript_gaps.missing_outputs(store, client)
    yield from transcript_gaps.unseen_exports(store, folder, client, waiting)
    if sessions:
        for session, prompts in client.prompts.items():
            with store.transaction(write=False):
                known = store.session(session)
            if not known:
                yield from client_history.unstored(client, session, prompts)
    yield from transcript_gaps.at_risk(store, client, waiting)


def _not_looked(client: ClientSide | None) -> tuple[str, ...]:
    if client is None:
        return ("the client's own files: it is not known whose sessions the store has",)
    return tuple(f"{each.transcript.path.name} cannot be read to its end" for each in client.facts if not each.whole)
