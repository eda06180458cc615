"""Values beside names that tell: ``password = …``, ``"api_key": "…"``, ``export TOKEN=…``, ``--secret …``, ``password is …``.

A name alone is no proof: types, placeholders, calls, paths, plain words and numbers stand beside such names all the time.
What a line in the style of a ``.env`` file gives to a telling name in capitals is taken for a secret almost always; in
code and prose the value must look random. Hashes, UUIDs and the like are no secrets by themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .matches import Match, dull, entropy, lowered, mixed, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator

_PASSWORDS: Final = ("passw", "passphrase", "pwd")
_KEYS: Final = (
    *("secret", "token", "credential", "api_key", "api-key", "apikey", "access_key", "access-key", "accesskey"),
    *("private_key", "privatekey", "encryption_key", "encryptionkey", "signing_key", "account_key", "accountkey"),
    *("master_key", "auth_key", "authkey", "service_key", "sharedaccesskey", "_auth", "_key", "x-auth"),
)
_ASSIGNED: Final = re.compile(
    r"(?P<tail>[\w-]{0,32}(?:\[\d{1,3}\])?)(?:\\{0,3}[\"'`])?\]?[ \t]{0,4}(?:=>|:=|===?|!=|=|:)[ \t]{0,4}"
    r"(?:[bfruBFRU]{1,2}(?=[\"']))?(?P<quote>\\{0,3}[\"'`])?"
)
_OPTION: Final = re.compile(r"(?P<tail>[\w-]{0,32})[ =]{1,4}(?P<quote>[\"'])?")
_SAID: Final = re.compile(r"(?P<tail>\w{0,8})[ \t]{1,4}(?:is|was)[ \t:]{1,4}(?P<quote>[\"'`])?")
_DASHES: Final = re.compile(r"(?<!\S)--?[\w-]{0,32}\Z")
_LEAD: Final = re.compile(r"[\w-]{0,48}\Z")
_QUOTED: Final = re.compile(r"[^\"'`\r\n]{1,1024}")
_BARE: Final = re.compile(r"[^\s\"'`,;<>(){}\[\]|&\\]{1,1024}")
_LINE_START: Final = re.compile(r"(?:^|\n)[ \t>+\-*│]{0,12}(?:(?:export|set|ENV|ARG|setx|env|-e)[ \t]+|\$env:)?\Z")
_WORDS: Final = re.compile(r"[A-Za-z_$@][A-Za-z_]*(?:[.:/_-]{1,2}[A-Za-z_]+)*\??")
"""Plain words, dotted names, words with hyphens: what stands in code where a secret would in a setting."""
_ELSEWHERE: Final = re.compile(
    r"[./~\\$@%#*]|https?:|file:|data:|sha\d{3}[-:]|process\.|os\.|env\.|self\.|this\.|config\.", re.IGNORECASE
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOTHING: Final = frozenset(
    (
        "true",
        "false",
        "none",
        "null",
        "nil",
        "undefined",
        "empty",
        "unset",
        "string",
        "str",
        "bytes",
        "required",
        "optional",
    )
)
_WHY_NAME: Final = "a value beside a telling name"
_WHY_ENV: Final = "a line of settings with a telling name"


def find(text: str) -> Iterator[Match]:
    """Every value beside a telling name that looks like a secret."""
    lower = lowered(text)
    for names, password in ((_PASSWORDS, True), (_KEYS, False)):
        for name in [name for name in names if name in lower]:
            for at in occurrences(lower, name):
                found = _value(text, at, at + len(name), password=password)
                if found is not None:
                    yield found


def _value(text: str, at: int, after: int, *, password: bool) -> Match | None:
    lead_text = text[max(0, at - 64) : at]
    lead = _LEAD.search(lead_text)
    head = lead[0] if lead else ""
    option = _DASHES.search(lead_text) is not None
    given = (_OPTION if option else _ASSIGNED).match(text, after) or _SAID.match(text, after)
    if given is None:
        return None
    start, quote = given.end(), given["quote"]
    name = f"{head}{text[at:after]}{given['tail']}"
    if not name.replace("_KEY", "").isupper() and text[at:after].lower() == "_key" and not quote:
        return None  # dictionaries, sorting and caches have keys, too
    if _counts(name):
        return None
    found = (_QUOTED if quote else _BARE).match(text, start)
    if found is None:
        return None
    value, end = found[0], found.end()
    closed = bool(quote) and text[end : end + 1] == quote[-1]
    if quote:
        value = (value if closed else value.split(" ", 1)[0]).rstrip("\\")  # of a quote that is escaped itself
        end = start + len(value)
    if not quote:
        stripped = value.rstrip(".,:!?*%")
        value, end = stripped, end - (len(value) - len(stripped))
    env = name.isupper() and _LINE_START.search(text[max(0, at - len(head) - 24) : at - len(head)]) is not None
    if not value or not _telling(value, password=password, env=env, quoted=bool(quote)):
        return None
    return Match(start, end, "password" if password else "secret", _WHY_ENV if env else _WHY_NAME)


def _counts(name: str) -> bool:
    """Names of numbers and sorts of tokens, not of tokens."""
    small = name.lower()
    return small.endswith(
        ("tokens", "_count", "_type", "_url", "_uri", "_path", "_file", "_name", "_id", "id", "length")
    ) and not small.endswith("_pwd")


def _telling(value: str, *, password: bool, env: bool, quoted: bool) -> bool:
    """Whether a value beside a telling name is taken for a secret."""
    small = value.lower()
    if small in _NOTHING or dull(value) or any(c.isspace() for c in value):
        return False
    if env:
        if _ELSEWHERE.match(value) or "$" in value[:2]:
            return False
        return len(value) >= (4 if password else 8) and not (value.isdigit() and not password)
    if value.isdigit() or _ELSEWHERE.match(value) or _WORDS.fullmatch(value):
        return False
    if password:
        if mixed(value):
            return len(value) >= (6 if quoted else 8)
        kinds = sum(any(map(test, value)) for test in (str.islower, str.isupper, str.isdigit, _is_symbol))
        return quoted and len(value) >= 8 and kinds >= 3
    if _UUID.fullmatch(value) and not quoted:
        return False
    return len(value) >= (12 if quoted else 16) and mixed(value) and entropy(value) >= 2.7


def _is_symbol(character: str) -> bool:
    return not character.isalnum()
