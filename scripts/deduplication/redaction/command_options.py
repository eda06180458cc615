"""Secrets in the arguments of commands: ``curl -u user:…``, ``mysql -p…``, ``sshpass -p …``, ``docker login -p …``.

Options that tell by their names (``--password``, ``--db-pass``) are the business of ``named.py``. Here are the short ones,
whose meaning depends on the command, and arguments that have no name at all.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from . import secret_values
from .matches import Match, later, mixed
from .triggers import Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .triggers import Rule

_Q: Final = r"(?P<quote>\\{0,7}[\"'])?"
_S: Final = r"(?:\s|\\{1,2}\n|\\[nt])"
_REACH: Final = 600
"""Characters of a command that are looked at."""
_CUT: Final = later(r"(?<!\\)(?:\r?\n|\\n)|\s(?:\|{1,2}|&&|;)\s|(?<=[^\\];)\s")
_BEHIND: Final = (" ", "\t", "\n", "\\", '"', "'", ".", "-", "_", "<")


def _given(*options: str) -> str:
    """A blank or ``=`` stands between the option and its secret."""
    return rf"(?<![^\s\"',\[])(?:{'|'.join(options)})(?:\\{{0,7}}[\"'],)?[ \t=]{{1,8}}{_Q}"


def _attached(*options: str) -> str:
    """The secret follows the option at once."""
    return rf"(?<!\S)(?:{'|'.join(options)}){_Q}(?=\S)"


def _user(*options: str, mark: str = ":") -> str:
    """A user, a mark and the secret follow the option."""
    given = rf"(?<![^\s\"'])(?:{'|'.join(options)})(?:\\{{0,7}}[\"'],)?[ \t=]{{0,8}}"
    return rf"{given}{_Q}[^\s:\"'{mark}]{{0,128}}{mark}(?!//)"


def _after(words: str) -> str:
    """The secret follows these words."""
    return rf"{words}[ \t]{{1,8}}{_Q}(?!-)"


_OPTIONS: Final = r"(?:\s+--?[\w-]+(?:=\S+)?)*?"
_ARGUMENT: Final = r"\s+[^\s\"'-]\S*"

_TABLE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    # Transfers
    (
        "curl xh wget",
        (_user("-u", "--user", "-U", "--proxy-user"), _given("--oauth2-bearer", "--proxy-pass"), _user("-E", "--cert")),
    ),
    ("httpie xh", (_user("-a", "--auth"),)),
    ("lftp ncftp", (_user("-u", mark=","), _given("-p"))),
    ("sshpass", (_given("-p"), _attached("-p"))),
    ("plink pscp psftp putty kitty winscp", (_given("-pw", "-pwfile"), _given("-p"))),
    # Databases
    (
        "mysql mariadb mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlsh mycli mysqlslap mydumper xtrabackup",
        (_attached("-p"), _user("-u", mark=":")),
    ),
    ("redis valkey keydb", (_given("-a"), _after("auth"))),
    (
        "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop",
        (_given("-p"), _attached("-p(?!o)")),
    ),
    (
        "cqlsh clickhouse influx beeline impala presto trino couchbase cbq snowsql vsql nzsql gsql dsbulk taos arangosh surreal",
        (_given("-p", "-w", "-pw"), _attached("-p")),
    ),
    ("sqlcmd bcp osql isql tsql", (_given("-P"), _attached("-P"), _given("-p"))),
    (
        "sqlplus sqlldr expdp impdp rman tnsping sqlcl",
        (rf"{_OPTIONS}\s+{_Q}[\w.$#]{{1,64}}/(?=[^\s/@]{{3,}}(?:@|[\s\"']|$))",),
    ),
    ("psql pg createuser", (_given("--pass"),)),
    # Containers, clouds, deployment
    (
        "docker podman nerdctl buildah skopeo crane oras helm regctl",
        (rf"\blogin\b[^\n|;]{{0,200}}?\s(?:-p|-P)[ =]{{0,2}}{_Q}", _user("--creds", "--src-creds", "--dest-creds")),
    ),
    ("azure", (_given("-p", "-w"),)),
    ("ibmcloud rancher argocd kubeadm eksctl nomad consul faas", (_given("-p", "-t"),)),
    ("vault", (_after(r"login(?:\s+-[\w-]+(?:=\S+)?)*"), _after(r"unseal(?:\s+-[\w-]+(?:=\S+)?)*"))),
    (
        "doctl hcloud linode scw civo flyctl fly railway vercel netlify heroku wrangler surge",
        (_given("-t", "--auth-token", "--access-token"),),
    ),
    ("kubectl", (r"--from-literal[ =]" + _Q + r"[\w.-]*(?i:pass|pw|secret|token|key|cred|auth)[\w.-]*=",)),
    ("ansible", (_given("-P"),)),
    ("glab", (rf"secret\s+set\b[^\n|;]{{0,120}}?\s(?:-b|--body)[ =]{_Q}",)),
    ("wsadmin wlst asadmin jboss", (_given("-p", "-password"),)),
    # Package managers
    (
        "npm yarn pnpm bun",
        (rf"_(?:auth|authToken|password)[ =]{_Q}", _after(r"config\s+set\s+[\w.]*(?i:token|auth|ident|password)\w*")),
    ),
    ("poetry", (_after(r"pypi-token\.[\w-]+"), _after(r"http-basic\.[\w-]+\s+\S+"))),
    ("twine gem", (_given("-p", "-k"),)),
    (
        "cargo snyk ngrok tailscale cloudflared",
        (_after(r"(?:login|auth|unlock|authtoken|add-authtoken|up)(?:\s+[\w.+-]+@\S+)?(?:\s+--\s)?"),),
    ),
    ("nuget dotnet", (_given("-ApiKey", "-k", "-p", "-Password"),)),
    ("aws", (_after(r"set\s+\S*(?:secret|token|password)\S*"),)),
    # Keys, archives, documents
    (
        "openssl",
        (rf"(?:pass|passin|passout)[ :]{{0,2}}{_Q}pass:", rf"-pass(?:in|out)?\s+{_Q}pass:", _given("-k", "-K")),
    ),
    (
        "keytool jarsigner apksigner",
        (_given("-storepass", "-keypass", "-srcstorepass", "-deststorepass", "-new"), rf"\spass:{_Q}"),
    ),
    ("zip unzip zipcloak", (_given("-P"), _attached("-P"))),
    ("rar unrar", (_attached("-hp", "-p"),)),
    ("ssh", (_given("-N", "-P"),)),
    ("pdftk", (_after("(?:user_pw|owner_pw|input_pw)"),)),
    ("pdftotext pdfinfo pdfimages pdftoppm pdftops pdftohtml", (_given("-upw", "-opw"),)),
    ("qpdf", (rf"--encrypt\s+{_Q}(?=\S)", rf"--encrypt\s+\S+\s+{_Q}(?=\S)")),
    ("security", (_given("-w", "-p", "-P"), _after(r"unlock-keychain\s+-p"))),
    # Users and directories
    (
        "htpasswd",
        (
            rf"\s-\w*b\w*(?:\s+-\w+(?:\s+\d+)?)*\s+(?:\S+\s+)?[^\s\"'-]\S*\s+{_Q}(?=[^\s\"'|>\\]+(?:\\|[\"'`]|\s*$|\s*[|>;)&]))",
        ),
    ),
    ("mosquitto", (_given("-P"),)),
    ("passwd", (rf"\s-b\s+\S+\s+\S+\s+{_Q}",)),
    (
        "ldapsearch ldapadd ldapmodify ldapwhoami ldappasswd ldapdelete ldapmodrdn ldapcompare ldapexop",
        (_given("-w", "-s", "-a"), _attached("-w")),
    ),
    (
        "smbclient smbmap smbget rpcclient nmblookup net wmic samba crackmapexec nxc netexec winexe pth smbcacls smbcquotas",
        (_user("-U", "--user", "-u", mark="%"), _given("-p")),
    ),
    (
        "net",
        (
            rf"\buser\s+[^\s/]+\s+{_Q}(?![/\s\"'])",
            rf"\buse\s+(?:\S+\s+)?\\\\\S+\s+{_Q}(?!/)",
            rf"/user:\S+\s+{_Q}(?!/)",
        ),
    ),
    (
        "cmdkey wmic psexec schtasks runas xfreerdp wfreerdp rdesktop remmina winrs mstsc",
        (rf"(?<=\s)[/-](?:pass(?:word)?|p|rp)[: ]{_Q}",),
    ),
    ("useradd usermod adduser dscl", (_given("-p"),)),
    ("rabbitmqctl", (_after(r"(?:add_user|change_password|authenticate_user)\s+\S+"),)),
    ("rabbitmqadmin", (_given("-p"),)),
    ("etcdctl", (_user("--user"),)),
    ("ipmitool bmc racadm", (_given("-P", "-p"),)),
    ("snmpget snmpwalk snmpset snmpbulkwalk snmptrap", (_given("-A", "-X", "-c"),)),
    # Networks and mail
    ("nmcli", (_after("password"), _after(r"wifi-sec\.psk"))),
    ("wpa", (rf"_passphrase\s+\S+\s+{_Q}",)),
    ("iwconfig", (_after("key"),)),
    ("networksetup", (rf"-setairportnetwork\s+\S+\s+\S+\s+{_Q}",)),
    ("swaks sendemail", (_given("-xp", "-ap", "--auth-password"),)),
    ("sudo su", (rf"-S\s*<<<\s*{_Q}",)),
    ("convertto", (rf"-SecureString\s+(?:-String\s+)?{_Q}(?![-$])",)),
    ("hydra medusa evil winrm", (_given("-p"),)),
    ("maven mvn sonar gradle", (rf"-D(?:sonar\.login|sonar\.token)={_Q}",)),
    ("send", (r"(?:\s+--)?\s+(?P<quote>\\{0,7}\")(?=[^\"\s]{4,128}\\{1,8}[rn]\\{0,7}\")",)),
    (
        "identified",
        (
            r"\s+(?:(?:WITH|with)\s+\S+\s+)?(?:BY|by|AS|as)\s+(?:(?:PASSWORD|password)\s+)?(?P<quote>\\{0,7}[\"'])",
            r"\s+BY\s+(?=[\w#$]{0,30}\d)",
        ),
    ),
    ("requirepass masterauth", (rf"\A[ \t]+{_Q}",)),
    ("chpasswd", (rf"<<<\s*{_Q}[\w.-]+:",)),
)
_PIPED: Final = later(
    rf"(?:\s+-[neE]+)*\s+(?:\\{{0,7}}[\"']%s(?:\\+n)?\\{{0,7}}[\"']\s+)?{_Q}(?P<user>[\w.-]{{1,32}}:)?(?P<value>[^\s\"'|]{{3,256}}?)"
    r"(?:\\+n)?(?:\\{0,7}[\"'])?\s*\|\s*(?:sudo\s+(?!-S))?"
    r"(?P<to>kinit|sudo\s+(?:-\w+\s+)*-S|sudo\s+--stdin|su\b|chpasswd|passwd|smbpasswd|cryptsetup|vncpasswd|faillock|pdbedit|ecryptfs\S*"
    r"|[\w-]+[^|\n]{0,200}(?:--?[\w-]*(?:stdin|with-token|passphrase-fd)|login|secret\b|keyring))"
)
_SOMEBODY: Final = later(r"\s(?:-u|-U|-l|-D|--user(?:name)?|--login)[ =]?[^\s-]")
_FOR_SOMEBODY: Final = later(rf"\s(?:-p|-P|-w|-pw|-a|-password|-pass)[ =]?{_Q}")


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
                end = _taken(text, start, quote)
                if _secret(text[start:end], text, end):
                    yield Match(start, end, "password", "an argument of a command")

    return arguments


def _taken(text: str, start: int, quote: str) -> int:
    """Where the argument ends that begins at ``start``; line ends that a program is sent with it are no part of it."""
    end = text.find(quote, start, start + 512) if quote else -1
    if end < 0 or "\n" in text[start:end]:
        return secret_values.taken(text, start, "", whole=True)[0]
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
            end = _taken(text, start, given["quote"] or "")
            value = text[start:end]
            if (secret_values.secret(value, secret_values.RANDOM) or secret_values.made_up(value or "-")) and _secret(
                value, text, end
            ):
                yield Match(start, end, "password", "an argument of a command with a user")


def _user_and_password(text: str, at: int, _after: int) -> Iterator[Match]:
    """``anything -u user:…`` with something that looks random."""
    given = _compiled(_user("-u", "-U", "--user", "--auth", "--creds")).match(text, at + 1)
    if given is None:
        return
    end = _taken(text, given.end(), given["quote"] or "")
    value = text[given.end() : end]
    if secret_values.secret(value, secret_values.RANDOM, least=6) and mixed(value):
        yield Match(given.end(), end, "password", "an argument of a command with a user")


def _grouped() -> Iterator[Trigger]:
    for names, patterns in _TABLE:
        rule = _rule(patterns)
        for name in names.split():
            yield Trigger(name, rule, word=True, worth=_called)


def _pairs() -> Iterator[Trigger]:
    """Commands with short names, which stand in many other words: with what follows them."""
    for name in ("7z", "7za", "7zr"):
        yield Trigger(f"{name} ", _rule((_attached("-p"),)), needs=name[1:])
    for name, words, patterns in (
        ("az", "login acr ad storage", (_given("-p", "-w"),)),
        ("cf", "login auth", (_given("-p"),)),
        ("oc", "login", (_given("-p", "-t"),)),
        ("bx", "login", (_given("-p"),)),
        ("gh", "secret auth", (rf"\bset\b[^\n|;]{{0,120}}?\s(?:-b|--body)[ =]{_Q}",)),
        ("bw", "login unlock", (_after(r"\A(?:\s+[\w.+-]+@\S+)?"),)),
        ("http", "-", (_user("-a", "--auth"),)),
        ("https", "-", (_user("-a", "--auth"),)),
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
