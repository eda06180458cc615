"""Symbolic links on the way to what we write: found before anything is written, so that somebody can be asked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..files import anchored
from .errors import InstallRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    Place = Callable[[str], str]


def links_on_the_way(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """Each symbolic link below ``root`` that one of ``paths`` passes through -> the real path behind it.

    Raises :class:`InstallRefused` for a link that leads nowhere: what should be made there is not ours to guess.
    """
    found: dict[str, str] = {}
    checked: set[str] = set()
    for path in paths:
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            inside = "/".join(parts[:count])
            if inside in checked:
                continue
            checked.add(inside)
            full = os.path.join(root, inside)
            if os.path.islink(full):
                if not os.path.exists(full):
                    raise InstallRefused(
                        f"{inside} is a symbolic link that leads nowhere ({os.readlink(full)})",
                        hint="Make the folder it points to, or remove the link.",
                    )
                found[inside] = os.path.realpath(full)
    return found


def placed(root: Path, agreed: Mapping[str, str]) -> Place:
    """Where a path below ``root`` is: behind the links that were agreed to, and through no others that lead out.

    ``agreed`` is what :func:`links_on_the_way` gave. The file behind a link is replaced, never the link.
    """
    anchored.anchor(root)
    for real in agreed.values():
        if os.path.isdir(real):
            anchored.anchor(real, new=False)

    def place(path: str) -> str:
        parts = path.split("/")
        for count in range(len(parts), 0, -1):
            real = agreed.get("/".join(parts[:count]))
            if real is not None:
                return os.path.join(real, *parts[count:])
        return os.path.join(root, *parts)

    return place


def refuse_checkout(links: dict[str, str], checkout: Path) -> None:
    """Raise :class:`InstallRefused` where a link leads back into the checkout: it would be installed into itself."""
    home = str(checkout)
    for link, real in links.items():
        if real == home or real.startswith(home + os.sep):
            raise InstallRefused(
                f"{link} leads into this checkout of export-dedup ({real})",
                hint="Point the link somewhere else, or use the scripts of the checkout as they are.",
            )
