"""Passwords that sentences say, in many languages: “das Passwort lautet …”, “le mot de passe est …”, “密码是…”.

A word for a password or a key, something like *is* (or a colon, or nothing at all) and something that no language has for a
word. What reads like a word stays, unless quotes set it apart: nobody can tell “the password is expired” from a password.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from . import secret_values
from .matches import Match, later, mixed
from .triggers import Trigger
from .vocabulary import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .triggers import Rule

_PASSWORDS: Final = words(
    "password passwords passwd passphrase passcode pass pwd pw login logins credentials creds",
    "passwort passworts kennwort zugangsdaten losung wachtwoord adgangskode passord lösenord lösenordet losenord",
    "lykilorð contraseña contrasena contraseñas clave contrasenya pasahitza contrasinal senha palavra-passe",
    "parola parole parolă parool paroles slaptažodis slaptazodis hasło haslo hasła heslo heslá geslo lozinka šifra sifra",
    "jelszó jelszo jelszava salasana şifre sifre şifresi parolası fjalëkalimi pasvorto cyfrinair sandi kata-sandi",
    "пароль пароля паролем паролю парола лозинка шифр құпиясөз",
    "κωδικός κωδικος συνθηματικό гасло סיסמה הסיסמה סיסמא רמז",
    "رمز مرور کلمه پاسورد السر المرور كلمة گذرواژه पासवर्ड पासवर्ड़ कूटशब्द পাসওয়ার্ড கடவுச்சொல் పాస్వర్డ్ సంకేతపదం",
    "รหัสผ่าน ລະຫັດຜ່ານ ពាក្យសម្ងាត់ პაროლი գաղտնաբառ нууц құпия mật khẩu khẩu nywila",
    "mdp codice segreto salasanan wachtwoorden wachtwoordzin kodeord kodeordet adgangskoden passordet",
)
_PHRASES: Final = (
    *(
        "mot de passe",
        "mots de passe",
        "phrase secrète",
        "palabra clave",
        "frase de paso",
        "palavra passe",
        "parola chiave",
    ),
    *("parola d'ordine", "parola d’ordine", "kata sandi", "mật khẩu", "mat khau", "facal-faire"),
)
_SECRETS: Final = words(
    "token secret key apikey schlüssel zugriffstoken geheimnis clé jeton jeton secreto ficha chave segredo chiave",
    "sleutel geheim klucz klíč ключ токен секрет nyckel nøgle nøkkel avain kulcs anahtar cheie токена ключа",
)
_WITHOUT_BLANKS: Final = (
    *("密码", "密碼", "口令", "パスワード", "パスコード", "暗証番号", "비밀번호", "패스워드", "암호", "รหัสผ่าน"),
    *("密钥", "密鑰", "令牌", "トークン", "キー", "토큰", "키"),
)
_WORD: Final = r"[^\W\d_]{1,16}"
_IS: Final = (
    r"(?:is|was|are|be|to|as|reads?|lautet|ist|war|sei|heißt|heisst|est|sera|était|es|era|será|son|é|è|e|era|sarà|foi|ser|is|luidt"
    r"|jest|to|brzmi|je|bylo|byl|byla|este|e|eshte|är|er|on|van|volt|olan|olarak|adalah|ialah|là|la|это|является|был|есть|такой|είναι"
    r"|هو|هي|है|হল|คือ|ni|da|bu|dir|set|now|use|using|with|uses?|היא|הוא|-|–|—|→|->|:)"
)
_GAP: Final = later(
    rf"(?P<words>(?:['’]s)?(?:[ \t,(]{{1,3}}{_WORD}(?:[/'’.-]{_WORD}){{0,2}}[,)]?){{0,7}}?)[ \t]{{0,3}}"
    rf"(?P<is>(?::|：|->|→|[ \t]{_IS}(?=[\s:\"'`„“«「*]|\\{{1,7}}[\"'])[ \t:]{{0,3}}(?:{_IS}(?=\s)[ \t]{{0,3}})?))[ \t*_]{{0,4}}"
    r"(?P<quote>\\{0,7}[\"'`]|[„“”«»‘‚’「『《])?[ \t]?"
)
_FAR: Final = later(rf"(?:[ \t]{{1,2}}{_WORD}){{1,5}}[ \t]{{1,2}}[(*_]{{0,3}}(?P<quote>\\{{0,7}}[\"'`])?(?=[!-~]{{8}})")
_NEXT: Final = later(r"(?:['’]s)?[ \t]{1,3}[(*_]{0,3}(?P<quote>\\{0,7}[\"'`]|[„“”«»‘‚’「『])?")
_NO_BLANK: Final = later(
    r"[^\x00-\x7f\n]{0,10}?[ \t]{0,2}(?:[:=：＝]|是|为|為|は|が|を|는|은|가|이|คือ|[ \t])[^\x21-\x7e\n]{0,8}?[ \t]{0,2}"
    r"(?P<quote>[\"'`]|[「『“”‘’《])?(?=[\x21-\x7e])"
)
_CLOSING: Final = {
    "„": "“”",
    "“": "”“",
    "”": "”",
    "«": "»",
    "»": "«",
    "‘": "’‘",
    "‚": "‘’",
    "’": "’",
    "「": "」",
    "『": "』",
    "《": "》",
}
_TOKEN: Final = later(r"[!-~]{1,256}")
_MARKS: Final = ".,:;!?)]}>\"'`*_"
_FILE: Final = later(
    r"[\w.-]+\.(?:py|js|ts|md|txt|json|ya?ml|toml|html?|sh|go|rs|java|c|h|cpp)(?::\d+)*|[\w.-]+\(.*|v?\d+(?:\.\d+)+\S{0,8}"
)
_AS: Final = words("is was as als ist comme como come jako как é è est es")
_AND_USER: Final = later(
    r"[ \t:]{1,4}(?:(?:are|is|sind|:)[ \t:]{0,3})?[`\"']?(?P<user>[A-Za-z][\w.@-]{1,63})"
    r"[ \t]?(?:/|:|,| and | und | et | y )[ \t]?[`\"']?"
    r"(?P<value>[!-~]{4,128})"
)
_NEAR: Final = 24
"""Characters between the word and what it is, up to which quotes alone prove a password."""
_WHY: Final = "a sentence that says a password"


def _value(text: str, start: int, quote: str) -> tuple[int, bool]:
    """Where the word that begins at ``start`` ends, and whether quotes set it apart."""
    for mark in _CLOSING.get(quote, quote and quote[-1:]):
        end = text.find(quote if quote.startswith("\\") else mark, start, start + 256)
        if end > start and "\n" not in text[start:end]:
            return end, True
    token = _TOKEN.match(text, start)
    if token is None:
        return start, False
    stripped = token[0].rstrip(_MARKS)
    if "\\n" in stripped:
        stripped = stripped.split("\\n", 1)[0]
    stripped = re.split(r"\\{0,7}\"|</", stripped, maxsplit=1)[0].rstrip(_MARKS + "\\")
    if token[0][len(stripped) :] in ("!", "?") and secret_values.secret(stripped, secret_values.RANDOM) is False:
        stripped = token[0]
    return start + len(stripped), False


def _says(value: str, *, apart: bool, sure: bool, machine: bool) -> bool:
    """Whether a sentence that speaks of a password (``machine``: of a key) gives it with ``value``."""
    if secret_values.spaced(value) or (
        secret_values.called_like_one(value) and secret_values.plain(value, digits=True)
    ):
        return False
    if machine:
        return secret_values.random_key(value, 12 if apart else 16) and not secret_values.uuid(value)
    if _FILE.fullmatch(value):
        return False
    if sure and secret_values.made_up(value):
        return True
    if apart and sure and value.isalpha() and value.islower():
        return secret_values.secret(value, secret_values.ANY)
    if apart and sure:
        return secret_values.secret(value, secret_values.NO_WORD, quoted=True, least=4) and (
            mixed(value) or len(value) >= 8
        )
    return secret_values.secret(value, secret_values.RANDOM, least=6 if sure else 8)


def _said(*, machine: bool) -> Rule:
    def rule(text: str, at: int, after: int) -> Iterator[Match]:
        if (at and text[at - 1] in "_-.$") or text[after : after + 1] in ("_", "-", "("):
            return  # a part of a name
        given = _GAP.match(text, after)
        sure = given is not None
        given = given or (_NEXT.match(text, after) if text[at:after].lower() != "pass" else None)
        start = end = after
        if given is not None:
            start = given.end()
            end, apart = _value(text, start, given["quote"] or "")
            direct = sure and len(given.groupdict().get("words", "")) < _NEAR
            if _says(text[start:end], apart=apart and direct, sure=sure, machine=machine):
                yield Match(start, end, "secret" if machine else "password", _WHY)
        if machine:
            return
        far = _FAR.match(text, after) if given is None or not secret_values.random_key(text[start:end], 8) else None
        if far is not None:
            end, _ = _value(text, far.end(), far["quote"] or "")
            value = text[far.end() : end]
            if (
                value.isalnum()
                and _says(value, apart=False, sure=False, machine=False)
                and secret_values.random_key(value, 8)
            ):
                yield Match(far.end(), end, "password", _WHY)
        yield from _before(text, at)
        pair = _AND_USER.match(text, after)
        if pair:
            end, _ = _value(text, pair.start("value"), "")
            if _says(text[pair.start("value") : end], apart=False, sure=True, machine=False):
                yield Match(pair.start("value"), end, "password", _WHY)

    return rule


def _before(text: str, at: int) -> Iterator[Match]:
    """``… is the password``: the word that stands before something like *is* or *as*."""
    begin = max(text.rfind("\n", max(0, at - 160), at) + 1, at - 160, 0)
    before = text[begin:at].split()
    for number in range(1, min(4, len(before))):
        if before[-number].lower() in _AS:
            value = before[-number - 1].strip("`\"'“”„»«(),*")
            if _says(value, apart=False, sure=True, machine=False):
                start = text.rfind(value, begin, at)
                yield Match(start, start + len(value), "password", _WHY)
            return


def _without_blanks(text: str, _at: int, after: int) -> Iterator[Match]:
    given = _NO_BLANK.match(text, after)
    if given is None:
        return
    end, apart = _value(text, given.end(), given["quote"] or "")
    if _says(text[given.end() : end], apart=apart, sure=True, machine=False):
        yield Match(given.end(), end, "password", _WHY)


_PASSWORD_RULE: Final = _said(machine=False)
_SECRET_RULE: Final = _said(machine=True)
TRIGGERS: Final = (
    *(Trigger(word, _PASSWORD_RULE, word=True, needs=word.split("-")[0], back=True) for word in sorted(_PASSWORDS)),
    *(Trigger(phrase, _PASSWORD_RULE, needs=re.findall(r"[^\W\d_]+", phrase)[-1], back=True) for phrase in _PHRASES),
    *(Trigger(word, _SECRET_RULE, word=True) for word in sorted(_SECRETS)),
    *(Trigger(word, _without_blanks) for word in _WITHOUT_BLANKS),
)
