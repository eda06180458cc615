"""Names that tell of a secret, in any casing and with any separator: ``DB_PASS``, ``clientSecret``, ``x-api-key``, ``rootpw``.

A name is split into words; its last word that says something decides. ``token_count`` is a count, ``password_file`` a file.
"""

from __future__ import annotations

import functools
from typing import Final, Optional

from . import vocabulary
from .matches import later

PASSWORD: Final = "password"  # noqa: S105 - what the value of a name is, no value
SECRET: Final = "secret"  # noqa: S105 - likewise
PIN: Final = "pin"
KEY: Final = "key"
"""A key of some kind, which may be one of a dictionary."""

_WORDS: Final = later(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_PASSWORDS: Final = vocabulary.words(
    "password passwd passwrd passphrase passcode passwort kennwort pass pwd pw pswd psw paswd psk passkey pword",
    "contrasena contraseña contrasenya clave senha wachtwoord haslo hasło heslo parola parole losenord lösenord",
    "salasana mdp motdepasse adgangskode passord jelszo jelszó sifre şifre lozinka zaporka geslo passworte",
    "kodeord sandi storepass keypass keypassword requirepass masterauth becomepass bindpw rootpw userpw adminpw",
    "пароль пароля лозинка парола",
)
_GLUED_PASSWORDS: Final = ("password", "passwd", "passphrase", "passwort", "passcode", "kennwort", "contrasena", "pwd")
_GLUED_PASS: Final = later(
    r"(?:my|db|user|usr|root|admin|adm|smtp|imap|pop|ftp|ssh|sudo|su|become|ldap|bind|mail|http|proxy|wifi|wlan|vpn|login|auth|store|key"
    r"|trust|app|web|api|sql|pg|redis|mongo|rabbit|mq|master|require|conn|vault|enable|ssl|pem|p|client|server|sys|vnc|rdp|sa|old|new)"
    r"(?:pass|pw|psk)"
)
_SECRETS: Final = vocabulary.words(
    "secret secrets token credential credentials cred creds apikey appkey accesskey secretkey privatekey privkey authkey",
    "sharedkey masterkey signingkey encryptionkey accountkey presharedkey authtoken accesstoken mnemonic jwt auth",
    "connectionstring clientsecret pat sas bearer webhooksecret wepkey seedphrase cookie authorization otpauth hmac",
)
_GLUED_SECRETS: Final = (
    *("secret", "token", "apikey", "accesskey", "secretkey", "privatekey", "authkey", "sharedkey", "credential"),
)
_TELLING_KEYS: Final = vocabulary.words(
    "api access secret private priv auth encryption encrypt encrypted decryption signing sign signature master account",
    "shared license licence client service app application consumer deploy deployment admin root hmac aes rsa jwt",
    "crypt crypto cipher subscription write ingest ingestion integration preshared pre wep wpa webhook server user",
    "session cookie token sas storage stripe rest maps bot project secure security machine validation functions host",
    "recovery unlock unseal ssh tls ssl wallet kms data",
)
_OTHER_KEYS: Final = vocabulary.words(
    "cache primary foreign sort partition public pub index dict idempotency row map group object lookup unique json",
    "registry hot arrow composite surrogate natural column field property translation message feature param config",
    "search query routing dedup dedupe deduplication content hash i18n key first last next prev any each only no",
)
_NEUTRAL: Final = vocabulary.words(
    "value val base hex plain plaintext raw prod production dev development staging stage test live sandbox new old",
    "current default primary secondary main backup b enc encoded clear text str string env one two data here now",
)
_HAS: Final = vocabulary.words(
    "count counts type types url uri urls path paths file files folder dir name names id ids length len size min max limit",
    "ttl expiry expires expiration expire age days hours minutes seconds policy host port user users username email label",
    "field fields input prompt hint reset error errors message class provider manager store storage env var regex pattern",
    "enabled required disabled algorithm alg format prefix suffix header scope scopes issuer audience endpoint version hash",
    "status state usage budget rate index time date created updated valid mode level group role method cost rounds chars",
)
_SEEDS: Final = vocabulary.words("otp totp hotp mfa twofactor wallet recovery master bip authenticator tfa")
_SECRET_IDS: Final = frozenset((("secret", "id"), ("private", "key", "id")))
_STRONG: Final = 64


@functools.lru_cache(maxsize=4096)
def kind(name: str) -> Optional[str]:
    """What a value beside ``name`` is: :data:`PASSWORD`, :data:`SECRET`, :data:`PIN`, :data:`KEY`, or nothing that is secret."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if tuple(words[-2:]) in _SECRET_IDS or tuple(words[-3:]) in _SECRET_IDS:
        return SECRET
    if words[-1:] == ["data"] and words[-2:-1] != ["key"]:
        return None
    while len(words) > 1 and words[-1] in _NEUTRAL:
        words.pop()
    if not words:
        return None
    head, before = words[-1], words[-2] if len(words) > 1 else ""
    if head in _PASSWORDS or head.endswith(_GLUED_PASSWORDS) or _GLUED_PASS.fullmatch(head):
        return PASSWORD
    if head in _SECRETS or head.endswith(_GLUED_SECRETS):
        return SECRET
    if before == "pass" and head in ("phrase", "word"):
        return PASSWORD
    if before in ("seed", "recovery", "secret") and head == "phrase":
        return SECRET
    if head in ("pin", "puk", "cvv", "cvc"):
        return PIN
    if (head in ("seed", "code", "codes") and before in _SEEDS) or (head in ("otp", "totp") and before):
        return SECRET
    if head in ("key", "keys", "keystring"):
        return SECRET if before in _TELLING_KEYS else KEY if before and before not in _OTHER_KEYS else None
    # A secret of something: ``TOKEN_OF_TIDES``. What it is of must not be what it has: a length, a file.
    of = any(word in _PASSWORDS or word in _SECRETS for word in words) and _HAS.isdisjoint(words) and name.isupper()
    return KEY if of else None


def screaming(name: str) -> bool:
    """Whether ``name`` is written as names of the environment are."""
    return name.isupper()


def compound(name: str) -> bool:
    """Whether ``name`` has more words than one: it is no word of a sentence."""
    return len(_WORDS.findall(name)) > 1 or not name.isalpha()
