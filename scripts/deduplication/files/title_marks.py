"""Titles in our own documents, in forms that tell whose they are: so that a purge finds them there, and nothing else.

A title stands as the text of a link to the session's file, or in bold before the digits of the session. The name of a file has
it before the same digits.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def unlinked(title: str, digits: str) -> str:
    """A title, escaped already, where there is no file to link to."""
    return f"**{title}** (`{digits}`)"


def without_titles(data: bytes, digits: Iterable[str]) -> bytes:
    """``data`` without the titles of the sessions with these digits, and without those in the names of their files."""
    for each in digits:
        mark = re.escape(each.encode())
        if each.encode() not in data:
            continue
        word = rb"(?:\\.|[^\\\[\]\n])"
        data = re.sub(
            rb"\[" + word + rb"*\](\([^)\s]*-" + mark + rb"[^)\s]*\))", rb"[`" + each.encode() + rb"`]\1", data
        )
        data = re.sub(rb"\*\*(?:\\.|[^\\*\n])*\*\* \(`" + mark + rb"`\)", b"`" + each.encode() + b"`", data)
        data = re.sub(rb"[^\s/()\[\]<>\"'`|]*-(?=" + mark + rb"[.\s\"')`|])", b"", data)
    return data
