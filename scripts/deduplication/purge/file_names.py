"""Names of files that tell what a purged prompt said, as the client's own names do, and names that tell nothing."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ..alignment.fingerprint import skeleton
from ..project.export_names import MEMBER, PURGED
from ..start.late_pattern import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable


_DATE: Final = late_pattern(r"^\d{4}-\d\d-\d\d[-_T]?(?:\d\d-?\d\d-?\d\d[-_]?)?")
_TELLING: Final = 12
"""Letters of a file's name from which it is told that they are the beginning of a prompt."""


def reveals_prompt(name: str, prompts: Iterable[bytes]) -> bool:
    """True for a file's name that is made of the words of a prompt, as the client's own names are."""
    stem = _DATE.sub("", name.rsplit("/", 1)[-1].rsplit(".", 1)[0])
    bones = skeleton(stem)
    return len(bones) >= _TELLING and any(bones in prompt for prompt in prompts)


def has_title(name: str) -> bool:
    """True for the name of one conversation of a file: the file's, and the conversation's title."""
    return MEMBER in name


def neutral_name(name: str) -> str:
    """A name in the place of one that tells something: the day of the old one, and digits; the file's where it has a title."""
    if has_title(name):
        holder = name.partition(MEMBER)[0]
        return f"{holder}{MEMBER}{neutral_name(holder)}"
    day = _DATE.match(name)
    ending = name.rsplit(".", 1)[-1] if "." in name else "txt"
    digits = sha256(secrets.token_bytes(16)).hexdigest()[:8]
    return f"{day.group().rstrip('-_T') + '-' if day else ''}{PURGED}{digits}.{ending}"
