"""Secrets in files of well-known shapes, where a place and no name tells: ``.netrc``, ``.pgpass``, password hashes, JWK.

Each rule knows one shape and needs no more of the file than the lines around the secret: conversations show parts of files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import secret_values
from .matches import Match, later, mixed, occurrences
from .triggers import Trigger
from .vocabulary import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_GAP: Final = r"(?:\s|\\[nrt]|#[^\n]*\n){1,120}"
_NETRC: Final = later(
    rf"(?:{_GAP}[\w.:/-]{{1,253}})?(?:{_GAP}(?:login|user|account){_GAP}\S{{1,128}}){{0,2}}{_GAP}(?:password|passwd){_GAP}(?P<quote>\")?"
)
_DATABASE_LINE: Final = later(
    r"(?P<host>[\w.*-]{1,253}|\[[0-9a-f:]+\]|/[\w/.-]+):(?P<port>\d{2,5}|\*):(?P<base>[\w.*-]{1,64}):(?P<user>[\w.*@-]{1,64}):"
)
_PORT: Final = later(r":(?:\d{2,5}|\*):")
_IN_A_HOST: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.*-/"
_BASE_AND_USER: Final = later(r"[\w.*-]{1,64}:[\w.*@-]{1,64}:[^\s:]")
_PORTS: Final = words("* 5432 5433 5434 5439 6432 6543 3306 3307 1433 1521 26257 25060 15432 54322 54320")
_HASH: Final = later(
    r"(?:\$(?:1|2[abxy]|5|6|7|8|9|14|y|gy|apr1|argon2(?:id|i|d)|scrypt|md5|sha1|P|H|S|NT|bcrypt-sha256|pbkdf2(?:-sha\d+)?)\$[^\s:\"',;<>\\]{8,512}"
    r"|\$[PHS]\$?[./0-9A-Za-z]{31,64}|\{(?:SSHA|SHA|SMD5|MD5|CRYPT|PBKDF2)[\w-]{0,8}\}[A-Za-z0-9+/=$.]{16,256}"
    r"|(?:pbkdf2_sha(?:1|256)|bcrypt_sha256|argon2|scrypt)\$[^\s:\"',;<>\\]{20,512}|scrypt:\d+:\d+:\d+\$[^\s\"',;<>\\]{20,512}"
    r"|SCRAM-SHA-256\$\d+:[^\s\"',;<>\\]{40,256}|(?<![0-9a-fA-F])md5[0-9a-f]{32}(?![0-9a-fA-F]))"
)
_DUMPED: Final = later(r"\d{1,10}:([0-9a-fA-F]{32}:[0-9a-fA-F]{32}):::")
_JWK_MEMBER: Final = later(r"\\{0,7}\"(?:d|p|q|dp|dq|qi|k)\\{0,7}\"\s{0,4}:\s{0,4}\\{0,7}\"([A-Za-z0-9_-]{16,2048})")
_DOCKER: Final = later(
    r"\\{0,7}\"(?:auth|identitytoken|registrytoken)\\{0,7}\"\s{0,4}:\s{0,4}\\{0,7}\"([A-Za-z0-9+/=_.-]{8,4096})"
)
_WIFI: Final = later(
    r"(?:[A-Za-z0-9]{1,2}:(?:[^;\\\n]|\\.){0,128};){0,6}?P:(\"?(?:[^;\\\n]|\\.){4,256})(?=;)", re.IGNORECASE
)
_COOKIES: Final = later(
    r"(?:-jar)?(?:\\{0,7}[\"'])?[ \t]{0,4}(?:[:=,]|[ \t])[ \t]{0,4}(?:[brfBRF]?\\{0,7}[\"'`])?(?=[\w.%-]{1,64}=)"
)
_COOKIE: Final = later(r"(?P<name>[\w.%$|-]{1,64})=(?P<value>[^\s;,\"'`\\]{0,4096})(?:;[ \t]{0,2})?")
_SESSION: Final = later(
    r"sess|sid|auth|token|jwt|login|remember|csrf|xsrf|user|ident|secret|key|session", re.IGNORECASE
)
_TAB: Final = r"(?:\t|\\{1,3}t)"
_JAR_LINE: Final = later(
    rf"{_TAB}/[^\t\n\\]{{0,128}}{_TAB}(?:TRUE|FALSE){_TAB}\d{{1,12}}{_TAB}[^\t\n\\]{{1,128}}{_TAB}([^\s\\\"]{{8,4096}})"
)
_AUTHORIZATION: Final = later(
    r"\\{0,7}[\"'`]?\]?[ \t]{0,4}(?:=>|[:=,])[ \t]{0,4}(?:[brfBRF]?(?P<quote>\\{0,7}[\"'`]))?"
    r"(?:(?P<scheme>[A-Za-z][\w-]{1,24})[ \t=:]{1,4})?"
    r"(?:(?:token|apikey|key|id|credential)[=:][\"']?)?"
)
_DIGEST: Final = later(
    r"(?:response|signature)\\{0,7}[\"']?[=:]\s{0,2}\\{0,7}[\"']?([A-Za-z0-9+/=%_-]{24,512})", re.IGNORECASE
)
_PSK_LINE: Final = later(r"[ \t]{1,16}(?P<quote>\")")
_PPP: Final = later(
    r"(?:^|\n|\\n|[ \t])[ \t]*\\*\"[\w.@-]{1,64}\\*\"[ \t]+\*[ \t]+\\*\""
    r"(?:[ \t]*\r?\n[ \t│]*)?([^\s\"\\]{1,128}(?:[ \t]*\r?\n[ \t│]*[^\s\"\\]{1,128})?)\\*\"[ \t]+\*"
)
_ORACLE: Final = later(r"[\w.$#]{1,64}/([^\s/@\"']{3,128})@")
_COMMUNITY: Final = later(r"(?:[ \t]{1,4}|-string[ \t]{1,4})(?P<quote>\")?")
_ERLANG: Final = later(r"[^\n]{0,40}(?<![A-Z])([A-Z]{20})(?![A-Za-z])")


def _netrc(text: str, at: int, after: int) -> Iterator[Match]:
    given = _NETRC.match(text, at + len("default") if text[at : at + 1] in "dD" else after)
    if given:
        end, _ = secret_values.value_end(text, given.end(), given["quote"] or "", whole=True)
        if secret_values.secret(text[given.end() : end], secret_values.ANY, least=3):
            yield Match(given.end(), end, "password", "a password of a .netrc file")


def database_lines(text: str) -> Iterator[Match]:
    """``host:port:database:user:password``, as PostgreSQL keeps them."""
    for port in _PORT.finditer(text):
        if not _BASE_AND_USER.match(text, port.end()):
            continue  # a time, a place in a file
        host = text[max(0, port.start() - 254) : port.start()]
        line = _DATABASE_LINE.match(text, port.start() - len(host) + len(host.rstrip(_IN_A_HOST)))
        if line is None or line.start("port") != port.start() + 1:
            continue
        end, _ = secret_values.value_end(text, line.end(), "", whole=True)
        value = text[line.end() : end]
        need = secret_values.ANY if line["port"] in _PORTS else secret_values.RANDOM
        if secret_values.secret(value, need, least=4 if need == secret_values.ANY else 8) and not value.startswith(":"):
            yield Match(line.end(), end, "password", "a line of a .pgpass file")


def _hash(text: str, at: int) -> Iterator[Match]:
    found = _HASH.match(text, at)
    if found and not secret_values.stands_in(found[0][4:]) and len(set(found[0])) > 8:
        yield Match(*found.span(), "password-hash", "a password's hash")


def _dumped(text: str, at: int, after: int) -> Iterator[Match]:
    begin = max(0, at - 80)
    for found in _DUMPED.finditer(text, begin, after):
        yield Match(*found.span(1), "password-hash", "a password's hash of Windows")


def _jwk(text: str, at: int, after: int) -> Iterator[Match]:
    begin = max(text.rfind("{", max(0, at - 2048), at), 0)
    end = text.find("}", after, after + 3072)
    for found in _JWK_MEMBER.finditer(text, begin, end if end >= 0 else after + 3072):
        yield Match(*found.span(1), "private-key", "a private member of a web key")


def _docker(text: str, _at: int, after: int) -> Iterator[Match]:
    end = text.find("}}", after, after + 8192)
    for found in _DOCKER.finditer(text, after, end + 2 if end >= 0 else after + 8192):
        if secret_values.secret(found[1], secret_values.NO_WORD, quoted=True, least=8):
            yield Match(*found.span(1), "password", "credentials of a registry")


def _wifi(text: str, _at: int, after: int) -> Iterator[Match]:
    found = _WIFI.match(text, after)
    if found and not secret_values.stands_in(found[1]):
        yield Match(*found.span(1), "password", "the password in a network's code")


def _cookies(text: str, _at: int, after: int) -> Iterator[Match]:
    given = _COOKIES.match(text, after)
    at = given.end() if given else -1
    while at >= 0:
        pair = _COOKIE.match(text, at)
        if pair is None:
            return
        value = pair["value"].rstrip("),]}")
        least = 8 if _SESSION.search(pair["name"]) else 16
        if secret_values.random_key(value, least) or (secret_values.uuid(value) and least == 8):
            start = pair.start("value")
            yield Match(start, start + len(value), "cookie", "a value of a cookie")
        at = pair.end() if pair.end() > at and text[pair.end() - 1] in "; \t" else -1


def _cookie_jar(text: str, _at: int, after: int) -> Iterator[Match]:
    found = _JAR_LINE.match(text, after)
    if found and secret_values.random_key(found[1], 8):
        yield Match(*found.span(1), "cookie", "a value of a cookie")


def _authorization(text: str, _at: int, after: int) -> Iterator[Match]:
    given = _AUTHORIZATION.match(text, after)
    if given is None:
        return
    end, _ = secret_values.value_end(text, given.end(), "", whole=False)
    value = text[given.end() : end]
    if (
        secret_values.random_key(value, 8)
        or (secret_values.uuid(value))
        or (len(value) > 32 and secret_values.secret(value, secret_values.RANDOM))
    ):
        scheme = (given["scheme"] or "").lower()
        rule = f"{scheme}-credentials" if scheme in ("bearer", "basic") else "credentials"
        yield Match(given.end(), end, rule, "credentials in a header")
    stop = text.find("\n", after, after + 1024)
    for found in _DIGEST.finditer(text, given.end(), stop if stop >= 0 else after + 1024):
        if mixed(found[1]):
            yield Match(*found.span(1), "credentials", "credentials in a header")


def _preshared(text: str, _at: int, after: int) -> Iterator[Match]:
    given = _PSK_LINE.match(text, after)
    if given:
        end, closed = secret_values.value_end(text, given.end(), '"')
        if closed and secret_values.secret(text[given.end() : end], secret_values.ANY, least=6):
            yield Match(given.end(), end, "password", "a secret that both ends share")


def _ppp(text: str, at: int) -> Iterator[Match]:
    for found in _PPP.finditer(text, max(0, at - 64), at + 160):
        if secret_values.secret("".join(found[1].split()), secret_values.NO_WORD, quoted=True, least=6):
            yield Match(*found.span(1), "password", "a line of a chap-secrets file")


def _oracle(text: str, _at: int, after: int) -> Iterator[Match]:
    found = _ORACLE.match(text, after)
    if found and secret_values.secret(found[1], secret_values.ANY, least=3):
        yield Match(*found.span(1), "url-password", "a password in an address")


def _community(text: str, _at: int, after: int) -> Iterator[Match]:
    given = _COMMUNITY.match(text, after)
    if given:
        end, _ = secret_values.value_end(text, given.end(), given["quote"] or "")
        value = text[given.end() : end]
        if secret_values.secret(value, secret_values.RANDOM, least=6):
            yield Match(given.end(), end, "password", "a community string")


def _erlang(text: str, _at: int, after: int) -> Iterator[Match]:
    found = _ERLANG.match(text, after)
    if found:
        yield Match(*found.span(1), "secret", "the form of Erlang's cookie")


_HASH_START: Final = later(
    r"\$(?:[125-9PHS]|2[abxy]|14|g?y|apr1|argon2\w*|scrypt|md5|sha1|NT|pbkdf2[\w-]*)\$|\{(?:S?SHA|S?MD5|CRYPT|PBKDF2)|pbkdf2_sha|scrypt:\d|SCRAM-SHA"
)


def hashes(text: str, runs: str) -> Iterator[Match]:
    """Hashes of passwords in the forms of ``crypt``, LDAP and frameworks; ``runs`` are the long words of ``text``."""
    if not _HASH_START.search(runs) and not any(mark in text for mark in ("{S", "{CRYPT", "{MD5", "{PBK")):
        return
    for start in _HASH_START.finditer(text):
        yield from _hash(text, start.start())


def without_words(text: str, runs: Iterable[str]) -> Iterator[Match]:
    """What is found by signs alone; ``runs`` are the long words of ``text``."""
    yield from database_lines(text)
    yield from hashes(text, "\n".join(runs))
    for at in occurrences(text, '" * '):
        yield from _ppp(text, at)
    if ":::" in text:
        for at in occurrences(text, ":::"):
            yield from _dumped(text, at, at + 3)


TRIGGERS: Final = (
    Trigger("machine", _netrc, word=True),
    Trigger("default login", _netrc, needs="login"),
    Trigger('"kty', _jwk, needs="kty"),
    Trigger("auths", _docker, word=True),
    Trigger("wifi:", _wifi, needs="wifi"),
    Trigger("cookie", _cookies),
    Trigger(" -b", _cookies, needs="curl"),
    *(
        Trigger(f"{tab}{flag}", _cookie_jar, needs=needs)
        for tab in ("\t", "\\t")
        for flag in ("true", "false")
        for needs in ((flag,) if tab == "\t" else (f"t{flag}",))
    ),
    Trigger("authorization", _authorization),
    Trigger(": psk", _preshared, needs="psk"),
    Trigger("oracle:thin:", _oracle, needs="oracle"),
    Trigger("oracle:oci:", _oracle, needs="oracle"),
    Trigger("community", _community),
    Trigger("erlang.cookie", _erlang, needs="erlang"),
)
