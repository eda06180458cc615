"""Secrets in the arguments of commands: ``curl -u user:…``, ``mysql -p…``, ``sshpass -p …``, ``docker login -p …``.

Options that tell by their names (``--password``, ``--db-pass``) are the business of ``named_values``. Here are the short ones,
whose meaning depends on the command, and arguments that have no name at all.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from . import command_table, secret_values
from .matches import Match, later, mixed
from .triggers import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .triggers import Rule

_REACH: Final = 600
"""Characters of a command that are looked at."""
_CUT: Final = later(r"(?<!\\)(?:\r?\n|\\n)|\s(?:\|{1,2}|&&|;)\s|(?<=[^\\];)\s")
_BEHIND: Final = (" ", "\t", "\n", "\\", '"', "'", ".", "-", "_", "<")
_PIPED: Final = later(
    rf"(?:\s+-[neE]+)*\s+(?:\\{{0,7}}[\"']%s(?:\\+n)?\\{{0,7}}[\"']\s+)?{command_table.QUOTE}(?P<user>[\w.-]{{1,32}}:)?(?P<value>[^\s\"'|]{{3,256}}?)"
    r"(?:\\+n)?(?:\\{0,7}[\"'])?\s*\|\s*(?:sudo\s+(?!-S))?"
    r"(?P<to>kinit|sudo\s+(?:-\w+\s+)*-S|sudo\s+--stdin|su\b|chpasswd|passwd|smbpasswd|cryptsetup|vncpasswd|faillock|pdbedit|ecryptfs\S*"
    r"|[\w-]+[^|\n]{0,200}(?:--?[\w-]*(?:stdin|with-token|passphrase-fd)|login|secret\b|keyring))"
)
_SOMEBODY: Final = later(r"\s(?:-u|-U|-l|-D|--user(?:name)?|--login)[ =]?[^\s-]")
_FOR_SOMEBODY: Final = later(rf"\s(?:-p|-P|-w|-pw|-a|-password|-pass)[ =]?{command_table.QUOTE}")


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _command(text: str, after: int, name: str) -> str:
    """What follows the ``name`` of a command up to its end or the next such one, further lines after backslashes included."""
    rest = text[after : after + _REACH]
    again = rest.find(name)
    if again > 0 and rest[again - 1] not in "./_-":
        rest = rest[:again]
    cut = _CUT.search(rest)
    return rest[: cut.start()] if cut else rest


def _called(text: str, at: int, after: int) -> bool:
    """Whether a command's name stands alone, as in front of its arguments."""
    if text[after : after + 1] not in _BEHIND:
        return False
    before = text[max(0, at - 2) : at]
    return not (before[-1:].isalnum() or before[-1:] in ("_", "$", ".", "-")) or before in ("\\n", "\\t", "\\r")


def _rule(patterns: Iterable[str]) -> Rule:
    def arguments(text: str, at: int, after: int) -> Iterator[Match]:
        if text[after - 1] in " -":
            after -= 1  # what stands behind the name was a part of the word that was looked for
        if not _called(text, at, after):
            return
        rest = _command(text, after, text[at:after])
        for pattern in patterns:
            for given in _compiled(pattern).finditer(rest):
                start = after + given.end()
                quote = given.groupdict().get("quote") or ""
                end = _argument_end(text, start, quote)
                if _secret(text[start:end], text, end):
                    yield Match(start, end, "password", "an argument of a command")

    return arguments


def _argument_end(text: str, start: int, quote: str) -> int:
    """Where the argument ends that begins at ``start``; line ends that a program is sent with it are no part of it."""
    end = text.find(quote, start, start + 512) if quote else -1
    if end < 0 or "\n" in text[start:end]:
        return secret_values.value_end(text, start, "", whole=True)[0]
    while end > start and text[end - 2 : end] in ("\\r", "\\n"):
        end -= 2
        while text[end - 1] == "\\":
            end -= 1
    return end


def _secret(value: str, text: str, end: int) -> bool:
    """Whether an argument is a secret: no option, no call, no port."""
    if value.startswith("-") or text[end : end + 1] == "(":
        return False
    if value.isdigit() and len(value) < 6:
        return False
    return secret_values.secret(value, secret_values.ANY, least=3) and not re.fullmatch(
        r"\d+(?:[:/-]\d+)+(?:/\w+)?", value
    )


def _piped(text: str, _at: int, after: int) -> Iterator[Match]:
    """``echo … | kinit``: what a command reads a password from."""
    given = _PIPED.match(text, after, after + _REACH)
    if given is None:
        return
    value = given["value"]
    start, end = given.span("value")
    if given["user"] and not given["to"].startswith("chpasswd"):
        start, value = given.start("user"), given["user"] + value
    if secret_values.secret(value, secret_values.ANY, least=4):
        yield Match(start, end, "password", "what a command reads a password from")


def _for_somebody(text: str, at: int, after: int) -> Iterator[Match]:
    """``anything -u somebody -p …``: a command that nobody told us of, with a user and something that looks random."""
    if not _SOMEBODY.match(text, at):
        return
    rest = _command(text, after, text[at:after])
    begin = max(text.rfind("\n", max(0, at - 200), at) + 1, at - 200, 0)
    for offset, part in ((begin, text[begin:at]), (after, rest)):
        for given in _FOR_SOMEBODY.finditer(part):
            start = offset + given.end()
            end = _argument_end(text, start, given["quote"] or "")
            value = text[start:end]
            if (secret_values.secret(value, secret_values.RANDOM) or secret_values.made_up(value or "-")) and _secret(
                value, text, end
            ):
                yield Match(start, end, "password", "an argument of a command with a user")


def _user_and_password(text: str, at: int, _after: int) -> Iterator[Match]:
    """``anything -u user:…`` with something that looks random."""
    given = _compiled(command_table.user("-u", "-U", "--user", "--auth", "--creds")).match(text, at + 1)
    if given is None:
        return
    end = _argument_end(text, given.end(), given["quote"] or "")
    value = text[given.end() : end]
    if secret_values.secret(value, secret_values.RANDOM, least=6) and mixed(value):
        yield Match(given.end(), end, "password", "an argument of a command with a user")


def _grouped() -> Iterator[Trigger]:
    for names, patterns in command_table.TABLE:
        rule = _rule(patterns)
        for name in names.split():
            yield Trigger(name, rule, word=True, worth=_called)


def _pairs() -> Iterator[Trigger]:
    """Commands with short names, which stand in many other words: with what follows them."""
    for name in ("7z", "7za", "7zr"):
        yield Trigger(f"{name} ", _rule((command_table.attached("-p"),)), needs=name[1:])
    for name, words, patterns in (
        ("az", "login acr ad storage", (command_table.given("-p", "-w"),)),
        ("cf", "login auth", (command_table.given("-p"),)),
        ("oc", "login", (command_table.given("-p", "-t"),)),
        ("bx", "login", (command_table.given("-p"),)),
        ("gh", "secret auth", (rf"\bset\b[^\n|;]{{0,120}}?\s(?:-b|--body)[ =]{command_table.QUOTE}",)),
        ("bw", "login unlock", (command_table.after(r"\A(?:\s+[\w.+-]+@\S+)?"),)),
        ("http", "-", (command_table.user("-a", "--auth"),)),
        ("https", "-", (command_table.user("-a", "--auth"),)),
    ):
        for word in words.split():
            yield Trigger(f"{name} {word}", _rule(patterns), needs=name)


TRIGGERS: Final = (
    *_grouped(),
    Trigger("echo", _piped, word=True, worth=_called),
    Trigger("printf", _piped, word=True, worth=_called),
    *_pairs(),
    *(
        Trigger(f" {option}", rule, needs=option.strip("-"))
        for option in ("-u", "--user")
        for rule in (_for_somebody, _user_and_password)
    ),
    *(Trigger(f" {option}", _user_and_password, needs=option.strip("-")) for option in ("--auth", "--creds")),
)
