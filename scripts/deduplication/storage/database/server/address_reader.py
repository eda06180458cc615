"""Reads the address of a database from a URL or from libpq's words, as ``psql`` does.

What libpq says of one that it cannot read quotes pieces of it, which may be pieces of a password: none of that is passed on, and
what is said here quotes nothing but names that cannot be secret.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, Optional
from urllib.parse import unquote_to_bytes

from ....errors import DedupError
from ....start.late_pattern import late_pattern
from ..errors import DatabaseAddressInvalid
from .address import OPTION, VARIABLE, Address
from .driver import load

if TYPE_CHECKING:
    from collections.abc import Mapping

EXPOSED: Final = (
    f"The list of processes shows the password in {{option}} while this runs: set {VARIABLE} instead, or use ~/.pgpass."
)
"""What a command says of an option whose address has a password."""
_URL: Final = late_pattern(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SCHEMES: Final = ("postgresql", "postgres")
_WORD: Final = late_pattern(r"(?:^|\s)([a-z_]+)\s*=")
_PORTS: Final = range(1, 65536)


def find(told: Optional[str], environment: Optional[Mapping[str, str]] = None) -> Address:
    """The address that the command was told, else that of the environment.

    Raises :class:`DatabaseAddressInvalid` where there is none or it cannot be used, ``PsycopgMissing``.
    """
    if told is not None:
        return read(told, OPTION)
    kept = (os.environ if environment is None else environment).get(VARIABLE)
    if not kept:
        hint = f"Pass {OPTION} postgresql://USER@HOST/DATABASE, or set {VARIABLE}, which no list of processes shows."
        raise DatabaseAddressInvalid("none is named", hint=hint)
    return read(kept, VARIABLE)


def read(text: str, origin: str) -> Address:
    """Read one. Raises :class:`DatabaseAddressInvalid`, which says what is wrong with it, ``PsycopgMissing``."""
    text = text.strip()
    url = _URL.match(text)
    problem = _odd_text(text, is_url=bool(url)) or (_odd_url(url[1], text[url.end() :]) if url else "")
    told = None if problem else _words_of(text)
    if told is None:
        raise DatabaseAddressInvalid(f"{origin}: {problem or _unreadable(text, is_url=bool(url))}")
    problem = _odd_ports(told)
    if problem:
        raise DatabaseAddressInvalid(f"{origin}: {problem}")
    return Address(told, origin)


def exposure(text: str, option: str = OPTION) -> str:
    """What a command says of an address that was passed as ``option``: nothing, unless a password stands in it.

    What cannot be read is refused by name where it is used.
    """
    try:
        return EXPOSED.format(option=option) if read(text, option).has_secret else ""
    except DedupError:
        return ""


def _words_of(text: str) -> dict[str, str] | None:
    """The words of an address, as libpq reads them; None where it cannot read it."""
    load()
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {key: str(value) for key, value in conninfo_to_dict(text).items()}
    except ProgrammingError:
        return None


def _odd_text(text: str, *, is_url: bool) -> str:
    """What is wrong with any kind of address; else nothing."""
    if not text:
        return "it is empty"
    if "\0" in text:
        return "it has a character of the value 0"
    try:
        (unquote_to_bytes(text) if is_url else text.encode()).decode()
    except UnicodeError:
        return "it is not UTF-8"
    return ""


def _odd_url(scheme: str, rest: str) -> str:
    """What is wrong with a URL, whichever version of libpq reads it; else nothing.

    A character that has a meaning in URLs and stands for itself in a password cuts the password in two, and its second half would
    be taken for a host or a database, which are shown.
    """
    if scheme not in _SCHEMES:
        return f"a database's URL begins with postgresql://, not with {scheme}://"
    if re.search(r"\s", rest):
        return "a blank in a URL is written %20"
    if re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        return "a percent sign in a URL is written %25"
    if "%00" in rest:
        return "it has a character of the value 0"
    before, at, behind = rest.partition("@")
    if "@" in behind or (at and "/" in before):
        return "in a user's name and a password @ is written %40, / is written %2F; and so is an @ elsewhere"
    return ""


def _odd_ports(told: Mapping[str, str]) -> str:
    """What is wrong with ports and hosts; else nothing. Only a number is quoted: anything else may be half of a password."""
    ports = [port for port in told.get("port", "").split(",") if port]
    if not all(port.isascii() and port.isdigit() for port in ports):
        return "a port is not a number (in a user's name and a password : is written %3A, / is written %2F)"
    beyond = [port for port in ports if int(port[:9]) not in _PORTS]
    if beyond:
        return f"a port is a number from 1 to 65535, not {beyond[0][:20]}"
    hosts = max(told.get(key, "").count(",") for key in ("host", "hostaddr"))
    if len(ports) > 1 and told["port"].count(",") != hosts:
        return "it has several ports, but not one for each host"
    return ""


def _unreadable(text: str, *, is_url: bool) -> str:
    """What is probably wrong with an address that libpq cannot read."""
    words = _WORD.findall(text)
    if not is_url and not words:
        return "it is neither a URL that begins with postgresql:// nor libpq's words (host=HOST dbname=DATABASE)"
    unknown = [] if is_url or "pass" in text else [word for word in words if word not in _known_words()]
    if unknown:
        return f"libpq knows no word {unknown[0]}"
    return (
        "a word in it is none of libpq's, or a value with a blank stands without quotes, or half of a quote is missing"
    )


def _known_words() -> set[str]:
    """All words of this libpq."""
    from psycopg.pq import Conninfo

    return {option.keyword.decode() for option in Conninfo.get_defaults()}
