"""Values beside names that tell: ``password = …``, ``"api_key": "…"``, ``export TOKEN=…``, ``--secret …``, ``<Pass>…</Pass>``.

A name alone is no proof: types, placeholders, calls, paths, plain words and numbers stand beside such names all the time.
What a shell gives to a telling name in capitals is taken for a secret almost always; in code and prose the value must look
random. Hashes, UUIDs and the like are no secrets by themselves.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import secret_values, telling_names
from .matches import Match, later, mixed
from .secret_beside_name import APP_PASSWORD, DIGITS, LOWER_WORDS, TellingName, called, setting, spaced, telling
from .triggers import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterator

_LETTER: Final = r"A-Za-z0-9_\u00c0-\u024f\u0400-\u04ff"
_IN_A_NAME: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_TAIL: Final = later(rf"(?:[{_LETTER}-]|\.(?=[A-Za-z])){{0,48}}(?:\[\d{{1,3}}\])?")
_LEADING_WORD: Final = later(r"([A-Za-z]{2,16})[ ]\Z")
_ESCAPE: Final = later(r"\\[nrt]\Z")
_QUOTE: Final = r"(?P<quote>\\{0,7}[\"'`]|&quot;|%22)?"
_CLOSE: Final = r"(?:\\{0,7}[\"'`]|&quot;|%22|\*{1,2})?[\])]?\??"
_SPACE: Final = r"(?:\s|\\[nrt])"
_ASSIGNED: Final = later(
    rf"{_CLOSE}(?P<before>[ \t]{{0,24}})(?::[ \t]{{0,2}}&?(?:'\w+ )?[A-Za-z][\w.\[\]|<>]{{1,24}}[ \t]{{1,2}}(?==))?"
    rf"(?P<op>=>|:=|={{1,3}}|!=|:{{1,2}}|：|%3[dD]|<-)\*{{0,2}}(?P<after>[ \t]{{0,24}})"
    rf"(?:[bfruBFRULN]{{1,2}}(?=\\{{0,7}}[\"'])|[@$](?=[\"'])|(?:new )?[A-Za-z]{{0,12}}String\()?{_QUOTE}"
)
_PAIRED: Final = later(r"(?:\\{0,7}[\"'`])[\])]?[ \t]{0,4},[ \t]{0,4}(?P<quote>\\{0,7}[\"'`])")
_VALUED: Final = later(
    rf"\\{{0,7}}[\"']?\)?{_SPACE}{{0,20}}[,{{\s]?{_SPACE}{{0,40}}\\{{0,7}}[\"']?(?:value|default|val|content)\\{{0,7}}[\"']?"
    rf"[ \t]{{0,8}}[:=][ \t]{{0,8}}{_QUOTE}",
    re.IGNORECASE,
)
_ELEMENT: Final = later(r"[^<>\n]{0,80}>\s{0,40}(?:<(?:value|string)>|<!\[CDATA\[)?", re.IGNORECASE)
_CLOSED: Final = later(r"\s{0,40}(?:\]\]>)?<[\\/]")
_CALLED: Final = later(r"\([ \t]{0,4}(?P<quote>\\{0,7}[\"'])")
_OPTION: Final = later(r"(?:[ =:]{1,4}|(?:\\{0,7}[\"']),[ \t]{1,2}(?=\\{0,7}[\"']))(?P<quote>\\{0,7}[\"'])?")
_DIRECTIVE: Final = later(r"(?:\\{0,7}[\"'])?[ \t]{1,16}(?:[0-9][ \t])?(?P<quote>\\{0,7}[\"'`])?")
_LINE_START: Final = later(
    r"(?:^|\n|\\n)[ \t>+\-*│⎿●]{0,16}(?:(?:export|set|ENV|ARG|setx|env|-e|declare|local)[ \t]+(?:-x[ \t]+)?|\$env:)?\Z"
)
_SHELL_START: Final = later(r"(?:^|[\s\"'`(;,{}&|\[:│]|\\[nrt])(?:\$env:|-[De])?\Z", re.IGNORECASE)
_OPTION_START: Final = later(r"(?:^|[\s\"'`(\[,│=])\Z")
_SECTION: Final = later(
    r"(?:^|\n|\\n)[ \t]*\[[\w.: \"-]{1,64}\][ \t]*(?:\n|\\n)(?:[^\n=]{0,64}=[^\n]{0,200}\n|[#;][^\n]*\n|[ \t]*\n){0,12}[ \t]*\Z"
)
_SLASH_OPTION: Final = later(r"(?:^|\s)/\Z")
_BEFORE_LETTERS: Final = later(r"[^\n]{0,40}?(?<![a-z])(?=[a-z]{4}(?: [a-z]{4}){3}(?![a-z ]))")
_SET: Final = later(r"(?:\b|\\n)(?:ENV|ARG|setx|setenv|-gx|-x)[ \t]+\Z")
_WHY_NAME: Final = "a value beside a telling name"
_WHY_ENV: Final = "a line of settings with a telling name"


def _beside(text: str, at: int, after: int) -> Iterator[Match]:
    """The value beside the name that has something telling from ``at`` to ``after``."""
    name = _named(text, at, after)
    if name is None:
        return
    for form in (_option, _assigned, _valued, _in_an_element, _said_without_a_sign):
        found = form(text, name)
        if found is not None:
            start, end, why = found
            yield Match(
                start, end, "password" if name.kind in (telling_names.PASSWORD, telling_names.PIN) else "secret", why
            )
            return


def _named(text: str, at: int, after: int) -> TellingName | None:
    before = text[max(0, at - 48) : at]
    tail = _TAIL.match(text, after)
    begin, end = at - len(before) + len(before.rstrip(_IN_A_NAME)), tail.end() if tail else after
    if begin < at and text[begin] in "nrt" and text[begin - 1 : begin] == "\\":
        begin += 1
    name = text[begin:end]
    kind = telling_names.kind(name)
    if kind is None or kind == telling_names.KEY:
        word = _LEADING_WORD.search(text, max(0, begin - 20), begin)
        joined = telling_names.kind(f"{word[1]}_{name}") if word else None
        if word and joined == telling_names.SECRET:
            return TellingName(word.start(), end, f"{word[1].lower()}_{name.lower()}", joined)
    return TellingName(begin, end, name, kind) if kind is not None else None


def _option(text: str, name: TellingName) -> tuple[int, int, str] | None:
    dashed = name.name.startswith("-") and _OPTION_START.search(text[max(0, name.begin - 1) : name.begin])
    slashed = _SLASH_OPTION.search(text[max(0, name.begin - 2) : name.begin])
    given = _OPTION.match(text, name.end) if dashed or slashed else None
    if given is None or (slashed and text[given.start()] == " "):
        return None
    end, closed = secret_values.value_end(text, given.end(), given["quote"] or "", whole=True)
    value = text[given.end() : end]
    if called(text, end, value, closed=closed):
        return None
    if name.kind == telling_names.PASSWORD:
        good = not value.startswith("-") and secret_values.secret(value, secret_values.ANY, least=3)
    elif name.kind == telling_names.PIN:
        good = DIGITS.fullmatch(value) is not None
    else:
        good = secret_values.secret(value, secret_values.NO_WORD, quoted=True, least=8) and (
            mixed(value) or secret_values.random_key(value, 8)
        )
    return (given.end(), end, _WHY_NAME) if good else None


def _assigned(text: str, name: TellingName) -> tuple[int, int, str] | None:
    given = _ASSIGNED.match(text, name.end)
    quoted_only = _PAIRED.match(text, name.end) or _CALLED.match(text, name.end)
    if given is None:
        given = quoted_only
    if given is None:
        return None
    quote, start = given["quote"] or "", given.end()
    attached = (
        quoted_only is None and not given["before"] and not given["after"] and given["op"] in ("=", "%3D", "%3d", ":=")
    )
    shouted = quoted_only is None and telling_names.screaming(name.name)
    before = text[max(0, name.begin - 24) : name.begin]
    line = shouted and _LINE_START.search(before) is not None
    env = line or (shouted and attached and _SHELL_START.search(before) is not None)
    end, closed = secret_values.value_end(text, start, quote, whole=env and attached)
    value = text[start:end]
    if closed and secret_values.spaced(value):
        return (start, end, _WHY_NAME) if spaced(value, name) else None
    if quote and not closed:
        quote = quote if text[end : end + 1] in "\r\n " else ""
    if called(text, end, value, closed=bool(quote)):
        return None
    if env and setting(value, name, sure=attached, quoted=bool(quote)):
        return start, end, _WHY_ENV
    compared = quoted_only is None and given["op"] in ("==", "===", "!=")
    if compared and not quote:
        return None
    if given is quoted_only and value.isalpha() and value.islower():
        return None  # in a list of words
    good = telling(value, name, quoted=bool(quote), attached=attached)
    if attached and before[-1:] in ("?", "&", ";") and name.kind == telling_names.PASSWORD:
        good = good or (
            secret_values.secret(value, secret_values.ANY, least=4) and not secret_values.called_like_one(value)
        )
    if not good and quoted_only is None and name.kind == telling_names.PASSWORD and (attached or given["op"] == ":"):
        good = _alone_on_a_line(text, name, start, end)
    if (
        not good
        and quoted_only is None
        and given["op"] == "="
        and telling(value, name, quoted=bool(quote), attached=True)
    ):
        good = _section(text, name)
    return (start, end, _WHY_NAME) if good else None


def _alone_on_a_line(text: str, name: TellingName, start: int, end: int) -> bool:
    """Whether a line of settings gives words to the name, and holds nothing else. Types are short words, or known ones."""
    value = text[start:end]
    return (
        len(value) >= 8
        and LOWER_WORDS.fullmatch(value) is not None
        and name.name.lower() != "pass"
        and _LINE_START.search(text, max(0, name.begin - 24), name.begin) is not None
        and (end == len(text) or text[end] in "\r\n" or text.startswith("\\n", end))
        and secret_values.secret(value, secret_values.ANY)
        and not secret_values.called_like_one(value)
    )


def _section(text: str, name: TellingName) -> bool:
    """Whether the name begins a line of a file with sections."""
    return _SECTION.search(text, max(0, name.begin - 1000), name.begin) is not None


def _valued(text: str, name: TellingName) -> tuple[int, int, str] | None:
    given = _VALUED.match(text, name.end)
    if given is None:
        return None
    end, closed = secret_values.value_end(text, given.end(), given["quote"] or "")
    value = text[given.end() : end]
    good = telling(value, name, quoted=closed, attached=True) or (
        telling_names.screaming(name.name)
        and setting(value, name, sure=name.kind == telling_names.PASSWORD, quoted=closed)
    )
    return (given.end(), end, _WHY_NAME) if good and not secret_values.spaced(value) else None


def _in_an_element(text: str, name: TellingName) -> tuple[int, int, str] | None:
    opened = text.rfind("<", max(0, name.begin - 80), name.begin)
    if opened < 0 or text.find(">", opened, name.begin) >= 0 or text[opened + 1 : opened + 2] == "/":
        return None
    given = _ELEMENT.match(text, name.end)
    if given is None:
        return None
    stop = text.find("<", given.end(), given.end() + 1024)
    value = text[given.end() : stop].rstrip() if stop >= 0 else ""
    value = value.split("]]>", 1)[0]
    if not value or secret_values.spaced(value) or not _CLOSED.match(text, given.end() + len(value)):
        return None
    if name.kind == telling_names.PASSWORD:
        good = secret_values.secret(value, secret_values.ANY, least=4) and not secret_values.called_like_one(value)
    else:
        good = telling(value, name, quoted=True, attached=True)
    return (given.end(), given.end() + len(value), _WHY_NAME) if good else None


def _said_without_a_sign(text: str, name: TellingName) -> tuple[int, int, str] | None:
    """``requirepass …``, ``enable secret 5 …``, ``WITH PASSWORD '…'``: a blank stands between name and value."""
    given = _DIRECTIVE.match(text, name.end)
    if given is None or name.kind == telling_names.KEY or name.name.lower() == "pass":
        return None  # to pass is a verb, and what tests do
    quote = given["quote"] or ""
    end, closed = secret_values.value_end(text, given.end(), quote, whole=True)
    value = text[given.end() : end]
    if telling_names.screaming(name.name) and _SET.search(text, max(0, name.begin - 12), name.begin):
        good = setting(value, name, sure=True, quoted=closed)
    elif name.kind == telling_names.PIN:
        good = DIGITS.fullmatch(value) is not None
    elif closed and name.kind == telling_names.PASSWORD and "`" not in quote:
        good = secret_values.secret(value, secret_values.NO_WORD, quoted=True, least=4)
    elif name.kind == telling_names.PASSWORD:
        good = secret_values.secret(value, secret_values.RANDOM, least=8)
    else:
        good = (
            secret_values.random_key(value, 8)
            and secret_values.secret(value, secret_values.RANDOM)
            and not secret_values.uuid(value)
        )
    return (given.end(), end, _WHY_NAME) if good and not called(text, end, value, closed=closed) else None


def _app_password(text: str, _at: int, after: int) -> Iterator[Match]:
    """Four times four letters, as Google hands out passwords of apps."""
    found = _BEFORE_LETTERS.match(text, after)
    letters = APP_PASSWORD.match(text, found.end()) if found else None
    if letters and secret_values.secret(letters[0].replace(" ", ""), secret_values.RANDOM):
        yield Match(*letters.span(), "password", "the form of a password of an app")


def _worth(text: str, at: int, after: int) -> bool:
    """Whether a name tells of a secret, or goes on in the next line."""
    name = _named(text, at, after)
    return name is not None or text[after : after + 1] in ("", "\n", "_", "-")


_STEMS: Final = ("pass", "psk", "pw", "secret", "token", "cred", "key", "auth", "cookie", "otp", "seed", "jwt")
"""What stands in the midst of names, too."""
_WHOLE: Final = (
    *("psw", "pswd", "bearer", "phrase"),
    *(
        "pin",
        "puk",
        "cvv",
        "cvc",
        "pat",
        "sas",
        "codes",
        "hmac",
        "mnemonic",
        "connectionstring",
        "kennwort",
        "contrasena",
    ),
    *(
        "contraseña",
        "clave",
        "senha",
        "wachtwoord",
        "haslo",
        "hasło",
        "parol",
        "parola",
        "parole",
        "heslo",
        "salasana",
        "mdp",
    ),
    *("losenord", "lösenord", "adgangskode", "jelszo", "jelszó", "sifre", "şifre", "lozinka", "пароль"),
)
TRIGGERS: Final = (
    *(Trigger(stem, _beside, worth=_worth) for stem in _STEMS),
    *(Trigger(word, _beside, word=True, worth=_worth) for word in _WHOLE),
    Trigger("app password", _app_password, needs="password"),
)
