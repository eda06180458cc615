"""Secrets are found by the kind of place they stand in, wherever that is; what only looks like one stays."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.redaction import encoded, secret_values, telling_names
from deduplication.redaction.redact import PRIVATE, redact
from deduplication.redaction.vocabulary import Vocabulary
from planted import ALNUM, of_format
from secret_kinds import KINDS, PLACES, left, made, placed

CUT_ELSEWHERE = {"app password"}
"""A secret with blanks in it that the end of a line cuts is found at most places of the cut."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_secret_is_found_wherever_it_stands(kind):
    """Alone in prose, in a fence, in what a tool printed, in JSON and cut by a terminal; and redacting twice changes nothing."""
    for place in PLACES:
        if place == "wrapped" and kind in CUT_ELSEWHERE:
            continue
        text, secret = made(kind, 0)
        text = placed(text, secret, place, 0)
        clean, _ = redact(text, PRIVATE)
        assert not left(secret, clean), place
        assert clean.count("\n") == text.count("\n")
        assert redact(clean, PRIVATE) == (clean, [])


@pytest.mark.parametrize(
    "text",
    [
        "curl -u $USER:$TOKEN https://api.example.org",
        "curl -u ${API_USER}:${API_KEY} https://api.example.org",
        "mysql -u root -p${DB_PASS} tides",
        "mysql -u root -p tides",
        "docker run -p 8080:80 -u 1000:1000 nginx",
        "ssh -p 22 ann@example.org && mkdir -p build/out1",
        "sshpass -p <your-password> ssh ann@example.org",
        "docker login -u ann -p $DOCKER_TOKEN",
        "docker login --password-stdin < token.txt",
        "PGPASSWORD=$PASS psql",
        "DB_PASS=********",
        "DB_PASS=${DB_PASS}",
        "API_TOKEN={{ vault_token }}",
        "password = os.environ['DB_PASSWORD']",
        'password: process.env.DB_PASSWORD || "",',
        "password = getpass.getpass('Password: ')",
        "def login(password: str, pin: int = 0) -> None:",
        "def connect(host, password=None, token=None, timeout=30):",
        "token_count = 5, max_tokens: 4096, total_tokens=188293",
        'passwd = self.settings["smtp_password"]',
        "cookie: consent; cookie_name = session",
        "Set-Cookie: theme=dark; Path=/",
        "machine learning default login page",
        "auth = HTTPBasicAuth(user, password)",
        "secret = base64.b64encode(data).decode()",
        "the password is stored in the vault and the token is expired",
        "Das Passwort ist falsch, le mot de passe est obligatoire, la contraseña es correcta",
        "密码是必需的。パスワードは8文字以上です。",
        "password (see docs/password-reset.md)",
        "PASS  test_compare_equal__0  (exit code: 0)",
        "items identified by the index, pass timeout=None to wait",
        "src/tides/clock.py:120:8:error:unused",
        "12:45:10:tides:started",
        "WIFI:T:nopass;S:harbour;;",
        "Permission key: read, sort key: name1",
        "the pin code for the door",
        'send "hello"',
        "7z x archive.7z -oout",
        "az group list -o table",
        "kubectl get secret tides -o yaml",
        "vault login -method=oidc",
        "npm config set registry https://registry.example.org",
        "echo done | tee log.txt",
        "IDENTIFIED BY <password>",
        'Error: "password" is required, "token" must be a string',
        '{"type": "password", "name": "password", "label": "Password"}',
        "SGVsbG8sIHRoaXMgaXMgbm8gc2VjcmV0IGF0IGFsbCwgYnkgbm8gbWVhbnM=",
    ],
    ids=lambda text: text[:40],
)
def test_what_refers_to_a_secret_or_holds_its_place_stays(text):
    """Variables, placeholders, types, counts, ports, paths and sentences about passwords."""
    for shown in (text, f"  ⎿  {text}", json.dumps({"text": text}, ensure_ascii=False)):
        assert redact(shown, PRIVATE) == (shown, [])


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        *(
            (name, telling_names.PASSWORD)
            for name in ("DB_PASS", "dbPassword", "smtp-pw", "PGPASSWORD", "rootpw", "mail.passwd")
        ),
        *(
            (name, telling_names.PASSWORD)
            for name in ("ansible_become_pass", "userPassphrase2", "MotDePasse_mdp", "pass_phrase")
        ),
        *(
            (name, telling_names.SECRET)
            for name in ("clientSecret", "X-Api-Key", "oauth_token", "AWSSecretKey", "_authToken", "secret_id")
        ),
        *(
            (name, telling_names.SECRET)
            for name in ("client-key-data", "TOKEN_PROD", "totpSeed", "recovery_codes", "SharedAccessKey")
        ),
        *((name, telling_names.PIN) for name in ("PIN", "simPin")),
        ("twilio_key", telling_names.KEY),
        ("TOKEN_OF_TIDES", telling_names.KEY),
        *(
            (name, None)
            for name in ("token_count", "password_file", "secretName", "max_tokens", "cache_key", "public_key")
        ),
        *(
            (name, None)
            for name in ("bypass", "compass", "author", "monkey", "certificate-authority-data", "passwordPolicy", "")
        ),
    ],
)
def test_the_last_word_of_a_name_that_says_something_decides(written, kind):
    """In any casing, with any separator and in short forms; counts, files and kinds of secrets are none."""
    assert telling_names.kind(written) == kind


@given(
    st.sampled_from(["pass", "password", "pw", "secret", "token"]),
    st.lists(st.sampled_from(["db", "smtp", "app"]), max_size=3),
)
def test_casing_and_separators_of_a_name_make_no_difference(head, before):
    """``db_smtp_pass``, ``db-smtp-pass``, ``DB_SMTP_PASS`` and ``dbSmtpPass`` are one name."""
    parts = [*before, head]
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    written = ["_".join(parts), "-".join(parts), ".".join(parts), "_".join(parts).upper(), camel]
    assert {telling_names.kind(each) for each in written} == {
        telling_names.PASSWORD if head.startswith("p") else telling_names.SECRET
    }


@given(st.text(st.sampled_from(ALNUM + "!#%*+=?@^~"), min_size=9, max_size=30), st.integers(0, 10**6))
def test_a_sure_place_takes_whatever_stands_there(value, seed):
    """After ``sshpass -p '`` stands a password, whatever it looks like, but a variable or a stand-in."""
    if secret_values.stands_in(value) or secret_values.refers(value) or value.startswith("-"):
        return
    assert value not in redact(f"sshpass -p '{value}' ssh host{seed}", PRIVATE)[0]


def test_encoded_text_is_decoded_once():
    """Base64 and hexadecimal of a key are taken for the key, base64 of base64 for what it is."""
    key = of_format("github classic", random.Random(7)).encode()
    once = encoded.base64.b64encode(key).decode()
    assert redact(f"value {once} end", PRIVATE)[0] == "value [REDACTED:github-token] end"
    assert redact(f"value {key.hex()} end", PRIVATE)[0] == "value [REDACTED:github-token] end"
    twice = encoded.base64.b64encode(once.encode()).decode()
    assert redact(f"value {twice} end", PRIVATE)[1] == []


def test_a_password_ends_where_its_own_characters_end():
    """Marks in the midst of it belong to it, what follows it in a list or a sentence does not."""
    assert redact("DB_PASS=a9,x(K;w", PRIVATE)[0] == "DB_PASS=[REDACTED:password]"
    assert redact("run(password=Tides42x, user=ann)", PRIVATE)[0] == "run(password=[REDACTED:password], user=ann)"
    assert redact("Pwd=Tides42x;Encrypt=true", PRIVATE)[0] == "Pwd=[REDACTED:password];Encrypt=true"
    assert redact("/x?pass=Tides42x&page=2", PRIVATE)[0] == "/x?pass=[REDACTED:password]&page=2"
    assert redact("The password is Tides42x.", PRIVATE)[0] == "The password is [REDACTED:password]."


def test_the_next_line_is_no_part_of_a_secret_that_is_whole():
    """A list of long lines of settings stays a list: only the values go."""
    first, second = "export THE_DATABASE_OF_TIDES_PASSWORD=Xk29fjq0", "export ANOTHER=setting"
    assert redact(f"{first}\n{second}\n", PRIVATE)[0] == (
        f"export THE_DATABASE_OF_TIDES_PASSWORD=[REDACTED:password]\n{second}\n"
    )


def test_a_vocabulary_has_the_words_of_a_text():
    """Letters between anything else are words, and the letter of an escape is none of theirs."""
    found = Vocabulary('a\\ncurl -u "x:y" contraseña 密码')
    assert {b"curl", "contraseña".encode(), "密码".encode()} <= found.words
    assert found.holds(b"url")
    assert found.without_blanks()
    assert not Vocabulary("plain ─ text ⎿").without_blanks()


PIECES = st.sampled_from(
    [
        *(
            "curl -u ann:",
            "mysql -p",
            "password ",
            "密码是",
            "Cookie: sid=",
            "machine x login y password ",
            "PIN: ",
            "echo ",
            " | kinit",
        ),
        *(
            "DB_PASS=",
            "token: ",
            "<password>",
            "</password>",
            '"',
            "'",
            "\n",
            "\r\n",
            " ",
            "\\n",
            "\\",
            "=",
            ":",
            ",",
            ";",
            "(",
            ")",
        ),
        *(
            "Xk29fjq0Lm",
            "a1B2c3D4e5F6g7H8",
            "hunter2",
            "$6$",
            "tides",
            "[REDACTED:x]",
            "x" * 45,
            "WIFI:S:a;P:",
            "kty",
            "│",
            "-u a -p ",
        ),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_kinds_put_together_are_redacted_once_and_in_place(text):
    """Redacting twice changes nothing, and no line comes or goes, whatever stands side by side."""
    once, _ = redact(text, PRIVATE)
    assert redact(once, PRIVATE) == (once, [])
    assert once.count("\n") == text.count("\n")
    assert once.count("\r") == text.count("\r")


@pytest.mark.parametrize(
    "piece", ["token=", "curl -u a:", "a:5432:b:c:", "password \n", '"kty":{"d":"', "-u a -p b ", "密码是", "$6$"]
)
def test_a_rule_is_asked_once_for_each_word(piece, monkeypatch):
    """Text made of nothing but telling words asks each rule in proportion to its length."""
    from deduplication.redaction import triggers

    asked = []
    real = triggers.Trigger.matches
    monkeypatch.setattr(triggers.Trigger, "matches", lambda self, *place: asked.append(1) or real(self, *place))

    def calls(size):
        asked.clear()
        redact(piece * (size // len(piece)), PRIVATE)
        return len(asked)

    assert calls(8000) <= 5 * calls(2000) + 20
