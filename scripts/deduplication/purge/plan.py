"""What a scope comes to in the store: which occurrences go, which bodies and images with them, and what stays and why."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from ..alignment.fingerprint import fingerprint, skeleton
from ..alignment.tombstone import Bans, tombstone_of
from ..errors import NothingToPurge
from ..ingest.conversation_choice import choose
from ..model import PROMPT, counts
from ..start.late_dataclass import dataclass, field, replace
from ..storage.log.lines import is_commit
from ..storage.log.records import PURGED as TOMBSTONE
from ..storage.log.records import blobs_of, is_occurrence, tombstone_record
from .file_names import has_title, neutral_name, reveals_prompt
from .probes import Probes, texts
from .scope_chosen import Row, chosen_by, message_of, rows_of
from .united import ids_of, with_united

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..alignment.tombstone import Tombstone
    from ..storage.log.lines import Record
    from ..storage.log_backed import FolderStore
    from .scope import Scope

_PROMPT: Final = 400


@dataclass
class Plan:
    """``tombstones`` are the lines that take the place of others, by conversation and sequence number.

    Counts are of messages that count; ``chained`` are other forms of a message that was meant, ``by_capture`` those for which the
    time of storing stood in. ``bodies`` go from the store, ``shared`` stay because other places use them. ``quoted`` are places
    whose message says something of what goes. ``names`` maps the name of a file that tells what was said to one that does not.
    """

    scope: Scope
    forget: bool = False
    conversations: dict[str, int] = field(default_factory=dict)
    """Messages that go, by conversation."""
    whole: set[str] = field(default_factory=set)
    """Conversations of which nothing stays."""
    tombstones: dict[tuple[str, int], Record] = field(default_factory=dict)
    before: dict[str, set[int]] = field(default_factory=dict)
    """What was purged earlier, by conversation."""
    occurrences: int = 0
    chained: int = 0
    by_capture: int = 0
    bodies: int = 0
    body_bytes: int = 0
    shared: int = 0
    blobs: dict[str, int] = field(default_factory=dict)
    """Images and documents that go, with their bytes."""
    kept_blobs: set[str] = field(default_factory=set)
    """Those that stay."""
    quoted: list[tuple[str, int]] = field(default_factory=list)
    quoted_keys: set[str] = field(default_factory=set)
    bans: Bans = field(default_factory=Bans)
    """What goes wherever it is shown."""
    names: dict[str, str] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    """Hashes of files that are forgotten as well, and what stands for them."""
    probes: Probes = field(default_factory=Probes)
    prompts: list[bytes] = field(default_factory=list)
    """Letters and digits of the beginnings of prompts that go, by which names of files are judged."""
    identities: set[str] = field(default_factory=set)
    layouts: set[str] = field(default_factory=set)

    def is_gone(self, conversation_id: str, number: int) -> bool:
        """True for an occurrence that goes, or went."""
        return (conversation_id, number) in self.tombstones or number in self.before.get(conversation_id, ())


def plan(store: FolderStore, scope: Scope, *, forget: bool = False) -> Plan:
    """Inside a transaction. Raises :class:`NothingToPurge`, ``ConversationUnclear``, ``UsageError``, the ``StoreError`` family."""
    sessions = tuple(dict.fromkeys(choose(store, session) for session in scope.sessions))
    scope = replace(scope, sessions=tuple(dict.fromkeys(each for name in sessions for each in ids_of(store, name))))
    rows = rows_of(store)
    found = Plan(scope, forget)
    found.before = {name: set(store.conversation(name).purged) for name in rows}
    chosen = with_united(store, rows, chosen_by(store, scope, rows, found))
    if not chosen:
        raise NothingToPurge(_options_of(scope))
    _add_tombstones(store, rows, chosen, found)
    _count(store, rows, found)
    _quotes_and_names(store, found)
    return found


def _options_of(scope: Scope) -> str:
    return " and ".join(f"--{kind}" for kind in scope.kinds)


# -- what takes its place, and what it comes to --------------------------------------------------------------------------


def _add_tombstones(
    store: FolderStore, rows: dict[str, dict[int, Row]], chosen: dict[str, set[int]], found: Plan
) -> None:
    """A tombstone for each occurrence, and what to look for afterwards."""
    everywhere = []
    for name, numbers in chosen.items():
        for body in store.bodies(name, sorted(numbers)):
            number = body["index"]
            row = rows[name][number]
            message = message_of(body)
            left = tombstone_of(message, fingerprint(message), everywhere=found.scope.everywhere)
            found.identities.add(left.identity)
            found.layouts.add(left.layout or left.identity)
            found.probes.add(left.identity, message.content)
            if found.scope.everywhere:
                everywhere.append(left)
            if found.forget:
                left = _forgotten(left)
            extends = row.extends if row.extends in numbers else None
            found.tombstones[name, number] = tombstone_record(name, number, left, extends, row.source_index)
            found.occurrences += 1
            found.conversations[name] = found.conversations.get(name, 0) + (counts(message.kind) and extends is None)
        left_over = [n for n, row in rows[name].items() if row.content_hash and n not in numbers]
        if not left_over:
            found.whole.add(name)
    found.bans = Bans(everywhere)


def _forgotten(left: Tombstone) -> Tombstone:
    """Its place and the source's own id, and nothing that was made from what it said."""
    return replace(
        left,
        identity=secrets.token_hex(32),
        key=secrets.token_hex(8),
        weight=0,
        layout="",
        drawn=(),
        heads=(),
        cut=None,
        call="",
        everywhere=False,
    )


def _count(store: FolderStore, rows: dict[str, dict[int, Row]], found: Plan) -> None:
    """Which bodies and blobs nothing refers to any more."""
    goes: set[str] = set()
    stays: set[str] = set()
    for name, own in rows.items():
        for number, row in own.items():
            (goes if (name, number) in found.tombstones else stays).add(row.content_hash)
    found.bodies = len(goes - stays)
    found.shared = len(goes & stays)
    used: dict[str, int] = {}
    for _, record in store.records():
        if "message" in record:
            bodiless = record["content_hash"] in goes - stays
            if bodiless:
                found.body_bytes += len(str(record["message"]["content"]).encode("utf-8", "surrogatepass"))
            for digest, size in blobs_of(record).items():
                used[digest] = size
                if not bodiless:
                    found.kept_blobs.add(digest)
    found.blobs = {digest: size for digest, size in used.items() if digest not in found.kept_blobs}


def _quotes_and_names(store: FolderStore, found: Plan) -> None:
    """Messages that stay and say something of what goes; names of files that do; files whose hash is to be forgotten."""
    found.prompts = [skeleton(content)[:_PROMPT] for content in _prompts(store, found)]
    touched: set[str] = set()
    stays: dict[str, tuple[str, int]] = {}
    for _, record in store.records():
        name = record["conversation_id"]
        if is_commit(record):
            file = record["export"]["name"]
            gone = any(found.is_gone(name, n) for a, b in record["window"] for n in range(a, b + 1))
            if file and file not in found.names and ((gone and has_title(file)) or reveals_prompt(file, found.prompts)):
                found.names[file] = neutral_name(file)
            if found.forget and gone:
                touched.add(record["export"]["sha256"])
            continue
        if not is_occurrence(record) or TOMBSTONE in record or (name, record["index"]) in found.tombstones:
            continue
        stays.setdefault(record["content_hash"], (name, record["index"]))
    for _, record in store.records():
        place = stays.get(record.get("content_hash", ""))
        if place is not None and "message" in record and record["content_hash"] not in found.identities:
            keys = {key for text in texts(record["message"]["content"]) for key in found.probes.found(text)}
            if keys:
                found.quoted.append(place)
                found.quoted_keys |= keys
        elif place is not None and "message" in record:
            found.quoted_keys.add(record["content_hash"])
    for digest in touched - {""}:
        other = secrets.token_hex(32)
        found.hashes[digest] = other
        found.hashes[digest[:16]] = other[:16]


def _prompts(store: FolderStore, found: Plan) -> Iterable[Any]:
    by_name: dict[str, list[int]] = {}
    for name, number in found.tombstones:
        by_name.setdefault(name, []).append(number)
    for name, numbers in by_name.items():
        for body in store.bodies(name, numbers):
            if body["kind"] == PROMPT:
                yield body["content"]
