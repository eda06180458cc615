"""A state folder of the original project into a store, through the deduplicator: what is there already is not doubled."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..ingest.conversation_match import conversation_of
from ..ingest.export_view import view_of
from ..ingest.one_export import Asked, process
from ..ingest.result import Input
from ..project.export_names import file_name, session_id_from_name, validate_session_id
from ..start.late_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from ..storage.contract import Store
    from .claims import Claim
    from .state import OriginalConversation, OriginalState


class Imported(NamedTuple):
    """What became of one conversation: ``entries`` lines were ``messages``, of which ``new`` were announced for the first time.

    ``conversation_id`` is the one of the store that has it, ``name`` what the original project called it.
    """

    file: str
    name: str
    conversation_id: str
    entries: int
    messages: int
    new: int
    warnings: tuple[str, ...]
    known_before: bool


class OriginalImport(NamedTuple):
    """What became of a folder: its conversations, the lines that cannot be read, and what its indexes say that no line has."""

    conversations: Sequence[Imported]
    damage: Sequence[str]
    claims: Sequence[Claim]

    @property
    def entries(self) -> int:
        """Lines that were read."""
        return sum(each.entries for each in self.conversations)

    @property
    def messages(self) -> int:
        """Messages that they are."""
        return sum(each.messages for each in self.conversations)

    @property
    def new(self) -> int:
        """Those that were announced for the first time."""
        return sum(each.new for each in self.conversations)


def store_original(
    store: Store, state: OriginalState, *, dry_run: bool = False, told: Callable[[Imported], None] | None = None
) -> OriginalImport:
    """Take every conversation of a folder into a store; each is durable when ``told`` hears of it.

    A conversation keeps the id that a person gave it, unless the store had its messages under another one before; what was only
    kept by checkpoint goes where its content belongs. Done twice it adds nothing; what was added to the folder since is added.
    With ``dry_run`` it is counted, and nothing is stored. Raises what reading and storing raise; what was stored until then stays.
    """
    with store.transaction(write=False):
        before = frozenset(store.conversations())
    found: list[Imported] = []
    counted: set[str] | None = set() if dry_run else None
    for conversation in state.conversations():
        source = Input(_title(conversation), conversation.sha256, conversation.size)
        with store.transaction(write=not dry_run):
            target = _target(store, conversation, before)
            export = conversation.export
            done = process(store, source, lambda: export, Asked(target, dry_run, keep=False), counted)  # noqa: B023 - called here
        one = Imported(
            file=conversation.kind.file,
            name=conversation.name,
            conversation_id=done.conversation_id,
            entries=conversation.lines,
            messages=done.total,
            new=done.new,
            warnings=done.warnings,
            known_before=done.known_before,
        )
        found.append(one)
        if told is not None:
            told(one)
    return OriginalImport(found, state.damage, state.claims)


def usable_id(name: str) -> str:
    """``name`` where it can be the id of a conversation, else one made of it, the same each time and no other name's."""
    try:
        return validate_session_id(name)
    except UsageError:
        digits = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{session_id_from_name(name.replace('/', '-').replace(chr(92), '-'))}-{digits}"


def _title(conversation: OriginalConversation) -> str:
    """What the store notes as the name of the export."""
    if conversation.is_named:
        return file_name(f"{conversation.kind.file}: {conversation.name}")
    return file_name(conversation.name)


def _target(store: Store, conversation: OriginalConversation, before: Container[str]) -> str | None:
    """The conversation of the store that it goes into; None: the one that its content shows."""
    if not conversation.is_named:
        return None
    own = usable_id(conversation.name)
    if not before or store.canonical(own) != own or own in store.conversations():
        return own
    export = conversation.export
    belongs = conversation_of(store, export, view_of(export), own).conversation
    return belongs if belongs in before else own
