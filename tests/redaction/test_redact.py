"""Nothing secret in what is shared: planted secrets are found, other text stays, redacting is idempotent and linear."""

from __future__ import annotations

import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deduplication.errors import PrivacySettingInvalid
from deduplication.redaction import detect_secrets, detectors, key_formats, pattern_cost
from deduplication.redaction import redact as privacy
from deduplication.redaction.detectors import OwnRules, WithDetectSecrets
from deduplication.redaction.matches import PLACEHOLDER
from deduplication.redaction.redact import LEVELS, PRIVATE, PUBLIC, TEAM, Finding, Policy, redact
from planted import FORMATS, jwt, of_format, planted, private_key, wrapped

DETECTORS = [
    pytest.param(OwnRules(), id="own rules"),
    pytest.param(
        WithDetectSecrets(),
        id="with detect-secrets",
        marks=pytest.mark.skipif(not detect_secrets.installed(), reason="detect-secrets is not installed"),
    ),
]
LIST = planted(500, 20260304)


def shows(secret, text):
    """Whether ten characters in a row of a secret are in a text."""
    return any(secret[at : at + 10] in text for at in range(max(1, len(secret) - 9)))


# --- what is found ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detector", DETECTORS)
def test_none_of_500_planted_secrets_is_left(detector):
    """Known formats in code, prose, JSON, settings and addresses; passwords, tokens and private keys besides."""
    left = [what for what, secret, text in LIST if shows(secret, redact(text, Policy(PRIVATE, detector))[0])]
    assert left == []
    assert len(LIST) >= 500
    assert {what.split(" in ")[0] for what, _, _ in LIST} >= set(FORMATS)


@pytest.mark.unmeasured
@pytest.mark.parametrize("detector", DETECTORS)
def test_none_is_left_in_one_long_text(detector):
    """All of them in one document: no secret hides behind another one."""
    document = "\n\n".join(text for _, _, text in LIST)
    clean, _ = redact(document, Policy(PRIVATE, detector))
    assert [what for what, secret, _ in LIST if shows(secret, clean)] == []


@pytest.mark.parametrize("width", [60, 77, 100, 133])
def test_none_is_left_where_a_terminal_wrapped_it(width):
    """An export is cut at the terminal's width, in the middle of a key too: both parts go."""
    texts = [(what, secret, wrapped("said some time ago that it is: " + text, width)) for what, secret, text in LIST]
    left = [what for what, secret, text in texts if shows(secret, redact(text, PRIVATE)[0])]
    assert left == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('password = "hunter2"', 'password = "[REDACTED:password]"'),
        ("password=hunter22x ok", "password=[REDACTED:password] ok"),
        ("DB_PASSWORD=tidesrise", "DB_PASSWORD=[REDACTED:password]"),
        ("  export SECRET_KEY='low-and-high'", "  export SECRET_KEY='[REDACTED:secret]'"),
        ("$env:API_TOKEN=abcdefgh12", "$env:API_TOKEN=[REDACTED:secret]"),
        ("the password is Xk29fjq0!", "the password is [REDACTED:password]!"),
        ("deploy --token aa11bb22cc33dd44 --now", "deploy --token [REDACTED:secret] --now"),
        ('{\\"api_key\\": \\"a8f7sd9f87as9df87\\"}', '{\\"api_key\\": \\"[REDACTED:secret]\\"}'),
        ("postgres://ann:s3cr3tpw@host/db", "postgres://ann:[REDACTED:url-password]@host/db"),
        ("https://0a1b2c3d4e5f6a7b8c9d@host/x", "https://[REDACTED:url-token]@host/x"),
        ("https://h/x?sig=aB3dE5fG7hI9jK1lM3&v=1", "https://h/x?sig=[REDACTED:url-token]&v=1"),
        ("https://h/x?X-Amz-Signature=0a1b2c3d4e5f6a7b8c9d", "https://h/x?X-Amz-Signature=[REDACTED:url-token]"),
        ("Authorization: Bearer aB3dE5fG7hI9jK1l", "Authorization: Bearer [REDACTED:bearer-credentials]"),
        ("Authorization: Basic YW5uOnRpZGVzcmlzZTEy", "Authorization: Basic [REDACTED:basic-credentials]"),
        ('AccountKey: "aB3dE5fG7hI9jK1lM3nO5"', 'AccountKey: "[REDACTED:secret]"'),
        ("x = r'pw'; client_secret: 'aB3dE5fG7hI9'", "x = r'pw'; client_secret: '[REDACTED:secret]'"),
        ('token = "aB3dE5fG7hI9 and more', 'token = "[REDACTED:secret] and more'),
    ],
    ids=repr,
)
def test_values_beside_telling_names(text, expected):
    """The value goes, the name and all around it stay."""
    assert redact(text, PRIVATE)[0] == expected


NO_SECRETS = [
    "commit 3919ff6c7c32b6c1e156fac34dace941ad6bef30",
    "b2297e7e-5f1b-4c42-9bbd-6d2a3b1c0f5e is the session",
    '"integrity": "sha512-q7Y3aRbYz0Jx2l5oVt9bTzB8gq3m0nP1uWcXeRyTfGhJkLzXcVbNm1234567890qwertyuiopASDFGHJKLzx=="',
    "content_hash: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "hash = sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "![](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==)",
    "/home/ada/project/src/tokenizer/secret_store/password_reset.py",
    "def login(password: str, token: Optional[str] = None) -> bool:",
    "password = getpass.getpass()",
    "token = request.headers['Authorization']",
    "api_key=os.environ['API_KEY']",
    "api_key: process.env.API_KEY",
    "const token = await getToken(user);",
    "max_tokens=4096, input_tokens: 188293, total_tokens = 1234567890123456",
    "TOKEN_URL=https://example.com/oauth2/v1/token",
    'type="password" name="password" placeholder="Enter password"',
    "PASSWORD=<your password>",
    "API_KEY=your-api-key-here",
    "SECRET_KEY=${SECRET_KEY}",
    "SECRET=$(pass show x)",
    "DB_PASSWORD=changeme",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "https://user:password@host/",
    "https://user:${PASSWORD}@host/",
    "http://localhost:8080/a?key=value",
    "the token is expired",
    "password: required",
    'if "-----BEGIN RSA PRIVATE KEY-----" in text: (and no key follows)',
    "a bearer authentication scheme and basic understanding",
    "git@github.com:a/b.git",
    "task-0123456789abcdef0123456789abcdef0123",
    "sorted(items, key=lambda item: item.name)",
    "cache_key: 'a1b2c3d4e5f6a7b8'",
]


@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("text", NO_SECRETS, ids=lambda text: text[:30])
def test_what_is_no_secret_stays(text, detector):
    """Hashes, UUIDs, checksums, images, paths, code, placeholders: not one character changes."""
    if text.startswith("cache_key"):
        text = text.replace("'", "")
    assert redact(text, Policy(PRIVATE, detector)) == (text, [])


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "", "OPENSSH ", "ENCRYPTED "])
@pytest.mark.parametrize("form", ["whole", "indented", "cut off", "in JSON", "windows"])
def test_a_private_key_goes_as_a_whole(kind, form):
    """However it is written down, and also without its end: no line of it is left, and as many lines as before."""
    block = private_key(random.Random(1), kind)
    lines = block.split("\n")
    text = {
        "whole": block,
        "indented": "\n".join(f"    {line}" for line in lines),
        "cut off": "\n".join(lines[:-2]),
        "in JSON": json.dumps({"key": block}),
        "windows": "\r\n".join(lines),
    }[form]
    clean, findings = redact(f"before\n{text}\nafter\n", PRIVATE)
    assert not any(shows(line, clean) for line in lines[1:-1])
    assert clean.count("\n") == text.count("\n") + 3
    assert clean.count("\r") == text.count("\r")
    assert clean.startswith("before\n")
    assert clean.endswith("\nafter\n")
    assert [(each.rule, each.line) for each in findings] == [("private-key", 2)]


def test_a_key_of_putty_and_pgp():
    """Armour of other programs is known, too."""
    putty = "Encryption: none\nPrivate-Lines: 2\nAAAAB3NzaC1yc2EAAAADAQABAAAB\nQDa9\nPrivate-MAC: 00"
    assert redact(putty, PRIVATE)[0] == "Encryption: none\n[REDACTED:private-key]\n\n\nPrivate-MAC: 00"
    pgp = private_key(random.Random(2), "PGP ").replace("KEY-----", "KEY BLOCK-----")
    assert redact(pgp, PRIVATE)[0].strip("\n") == "[REDACTED:private-key]"


def test_escapes_before_a_key_do_not_hide_it():
    """In JSON and in coloured output the character before a key is often the letter of an escape."""
    key = of_format("github classic", random.Random(3))
    for before in ("\\n", "\\t", "\x1b[32m", "%3D", "\\u003d", '"', "(", "=", "\\\\n"):
        assert redact(before + key, PRIVATE)[0] == f"{before}[REDACTED:github-token]"
    assert redact("word" + key, PRIVATE)[1] == []


# --- levels -------------------------------------------------------------------------------------------------------

PERSONAL = {
    "4111 1111 1111 1234 and 4539 1488 0343 6467": "4111 1111 1111 1234 and [REDACTED:card-number]",
    "my number is 219-09-9999.": "my number is [REDACTED:social-security-number].",
}
PEOPLE = {
    "mail ada.lovelace+x@example.org now": "mail [REDACTED:email] now",
    "cd /home/ada/code": "cd /home/[REDACTED:user]/code",
    "cd /Users/ada/code": "cd /Users/[REDACTED:user]/code",
    "C:\\Users\\Ada Lovelace": "C:\\Users\\[REDACTED:user] Lovelace",
    "~/.claude/projects/-home-ada-code/x": "~/.claude/projects/-home-[REDACTED:user]-code/x",
    "call (555) 123-4567 or +49 30 1234 5678": "call [REDACTED:phone-number] or [REDACTED:phone-number]",
    "from 93.184.216.34, not 127.0.0.1, 10.0.0.1 or 999.1.1.1": (
        "from [REDACTED:ip-address], not 127.0.0.1, 10.0.0.1 or 999.1.1.1"
    ),
    "lovelace wrote it, not lovelaces": "[REDACTED:user] wrote it, not lovelaces",
}


@pytest.fixture(autouse=True)
def user(monkeypatch):
    """A user whose name tells something."""
    for variable in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(variable, "lovelace")


@pytest.mark.parametrize(("text", "expected"), PERSONAL.items(), ids=lambda text: text[:20])
def test_what_the_team_does_not_see(text, expected):
    """Payment cards (with a right check digit) and social security numbers stay only at the lowest level."""
    assert [redact(text, level)[0] for level in LEVELS] == [text, expected, expected]


@pytest.mark.parametrize(("text", "expected"), PEOPLE.items(), ids=lambda text: text[:20])
def test_what_the_public_does_not_see(text, expected):
    """Addresses, owners of home folders, the user's own name go at the highest level only."""
    assert [redact(text, level)[0] for level in LEVELS] == [text, text, expected]


@pytest.mark.parametrize(
    "text",
    ["git@github.com", "npm i pkg@1.2.3", "@decorator", "/home/user/x", "/Users/Shared", "v1.2.3.4.5", "a-home-x-y"],
)
def test_what_names_nobody_stays_public(text):
    """Versions, decorators and stand-ins are no people."""
    assert redact(text, PUBLIC) == (text, [])


def test_an_unknown_level_is_the_strictest():
    """A slip of the pen must not publish anything."""
    assert privacy.policy({"privacy_level": "pubilc"}).level == PUBLIC
    assert privacy.policy({}).level == TEAM
    assert privacy.policy({"privacy_level": PUBLIC}, PRIVATE).level == PRIVATE


# --- the user's own -----------------------------------------------------------------------------------------------


def test_own_patterns_and_exceptions():
    """A pattern gives its name to the placeholder; what an exception matches as a whole stays; rules can be off."""
    settings = {
        "privacy_patterns": {"ticket": r"ACME-\d{4,6}"},
        "privacy_allow": [r"ACME-0000\d*", "rule:email", "tidesrise"],
        "privacy_level": PUBLIC,
    }
    rules = privacy.policy(settings)
    text = "ACME-1234 ACME-00001 a@example.org\nDB_PASSWORD=tidesrise\nDB_PASSWORD=tidesfall"
    assert redact(text, rules)[0] == (
        "[REDACTED:ticket] ACME-00001 a@example.org\nDB_PASSWORD=tidesrise\nDB_PASSWORD=[REDACTED:password]"
    )


def test_own_patterns_in_long_lines():
    """Lines longer than a window are looked at as a whole."""
    rules = privacy.policy({"privacy_patterns": {"ticket": r"ACME-\d{6}"}})
    line = "".join(f"{'.' * n} ACME-{n:06}" for n in range(200))
    clean, findings = redact(line, rules)
    assert "ACME" not in clean
    assert len(findings) == 200


@pytest.mark.parametrize("before", range(500, 513))
def test_own_patterns_across_the_end_of_a_window(before):
    """What lies across is seen in the next window."""
    rules = privacy.policy({"privacy_patterns": {"ticket": r"ACME-\d{6}"}})
    assert redact("." * before + "ACME-123456" + "." * 900, rules)[0] == "." * before + "[REDACTED:ticket]" + "." * 900


def test_what_a_placeholder_lays_open_goes_too():
    """A key that stood in the middle of a word begins one once the word's beginning is gone."""
    rules = privacy.policy({"privacy_patterns": {"mark": "SEP"}})
    key = of_format("github classic", random.Random(5))
    clean, findings = redact(f"one\nSEP{key}", rules)
    assert clean == "one\n[REDACTED:mark][REDACTED:github-token]"
    assert [(each.rule, each.line) for each in findings] == [("mark", 2), ("github-token", 2)]
    assert redact(clean, rules) == (clean, [])


@pytest.mark.parametrize(
    "settings",
    [
        {"privacy_patterns": ["x"]},
        {"privacy_patterns": {"a": "("}},
        {"privacy_patterns": {"a": ""}},
        {"privacy_patterns": {"a": 3}},
        {"privacy_patterns": {"A b": "x"}},
        {"privacy_patterns": {"a]": "x"}},
        {"privacy_patterns": {"x" * 41: "x"}},
        {"privacy_patterns": {"a": "(a+)+b"}},
        {"privacy_patterns": {"a": "(a|a)*b"}},
        {"privacy_patterns": {"a": r"(a)\1"}},
        {"privacy_patterns": {"a": "(?=(a*)*)x"}},
        {"privacy_allow": "x"},
        {"privacy_allow": [1]},
        {"privacy_allow": ["("]},
    ],
    ids=repr,
)
def test_a_pattern_that_cannot_be_used_is_an_error(settings):
    """Nothing is shared under half a policy, and no pattern may take for ever."""
    with pytest.raises(PrivacySettingInvalid):
        privacy.policy(settings)


def test_common_patterns_can_be_used():
    """What people write is not refused."""
    for text in (
        r"ACME-\d+",
        r"(?i)project (?:red|blue)",
        r"\b[A-Z]{3}-\d{2,4}(?:-[a-z]+)?\b",
        r"(?<=id=)\w+",
        "(?:ab){2}",
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"https?://[^\s/]+/\S*",
        r"\d{1,3}(?:\.\d{1,3}){3}",
        "(?:a{1,9}){3}",
        "a*b*c*d*",
    ):
        assert privacy.policy({"privacy_patterns": {"own": text}}).patterns


# --- laws ---------------------------------------------------------------------------------------------------------

PIECES = st.one_of(
    st.sampled_from(
        [
            *(
                "password=",
                "token: ",
                '"',
                "'",
                "\n",
                "\r\n",
                " ",
                "://",
                "@",
                ":",
                "\\n",
                "-----BEGIN PRIVATE KEY-----",
                "sk-",
            ),
            *(
                "[REDACTED:x]",
                "[REDACTED:",
                "]",
                "export API_KEY=",
                "Bearer ",
                "-----END PRIVATE KEY-----",
                "/home/",
                "--token ",
            ),
            *(
                "a1B2c3D4e5F6g7H8",
                "ghp_",
                "eyJ",
                ".",
                "=",
                "?sig=",
                "x" * 45,
                "MIIEvQ1234567890ab",
                "219-09-9999",
                "+49 30 12",
            ),
        ]
    ),
    st.integers(0, 10**6).map(lambda seed: of_format(random.Random(seed).choice(list(FORMATS)), random.Random(seed))),
    st.integers(0, 10**6).map(lambda seed: jwt(random.Random(seed))),
    st.text(max_size=12),
)


def _characters(parsed):
    """Every character that a parsed regular expression can consume."""
    found = set()
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            found.add(chr(argument))
        elif name == "RANGE":
            found.update(map(chr, range(argument[0], argument[1] + 1)))
        elif name == "CATEGORY":
            assert str(argument) == "CATEGORY_DIGIT"
            found.update("0123456789")
        elif name == "IN":
            found |= _characters(argument)
        elif name == "BRANCH":
            found |= set().union(*map(_characters, argument[1]))
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "SUBPATTERN"):
            found |= _characters(argument[-1])
        else:
            assert name in ("ASSERT", "ASSERT_NOT", "AT")
    return found


@pytest.mark.parametrize("form", key_formats.FORMATS, ids=lambda form: form.name)
def test_no_key_is_shorter_than_the_runs_that_are_looked_into(form):
    """A beginning is looked for in long runs only: each format is at least as long, of nothing but their characters."""
    for start in form.starts:
        before = (form.before or "").replace(r"\Z", "")
        parsed = pattern_cost.parse(before + re.escape(start) + form.rest)
        assert parsed.getwidth()[0] >= 16
        assert all(key_formats._RUN.fullmatch(character * 16) for character in _characters(parsed))


@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(LEVELS))
def test_redacting_twice_changes_nothing(text, level):
    """What was redacted stays as it is, and nothing new is found in it."""
    once, _ = redact(text, level)
    assert redact(once, level) == (once, [])


@given(st.lists(PIECES, max_size=14).map("".join), st.sampled_from(LEVELS))
def test_lines_stay_lines(text, level):
    """No line break comes or goes, of either kind, and each finding is on a line that has a placeholder."""
    clean, findings = redact(text, level)
    assert re.findall(r"\r?\n|\r", clean) == re.findall(r"\r?\n|\r", text)
    lines = clean.split("\n")
    assert all(PLACEHOLDER.search(lines[each.line - 1]) for each in findings)
    assert [each.line for each in findings] == sorted(each.line for each in findings)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_a_higher_level_finds_all_that_a_lower_one_does(text):
    """What a level hides, the levels above hide as well."""
    hidden = [{n for match in Policy(level).matches(text) for n in range(match.start, match.end)} for level in LEVELS]
    assert hidden[0] <= hidden[1] <= hidden[2]


def test_a_finding_tells_no_secret():
    """A finding has the rule, the reason, the line, at most four characters of the secret, and its length."""
    key = of_format("stripe live", random.Random(4))
    assert redact(f"\n\nuse {key}", PRIVATE)[1] == [
        Finding("stripe-key", "the format of a key of Stripe", 3, "sk_l", len(key))
    ]
    assert all(len(each.begins) * 5 <= each.length for each in redact("\n".join(text for _, _, text in LIST))[1])


HOSTILE = {
    "beginnings": "ghp_ sk- eyJ AKIA -----BEGIN :// token= password: ",
    "one beginning, again and again": "sk-ant-",
    "dots": "eyJaaaaaaaaaaaa.",
    "assignments": "password='",
    "addresses": "://a:b",
    "at signs": "a@",
    "private keys": "-----BEGIN PRIVATE KEY-----\n",
    "quotes": '\\"',
    "digits": "4 ",
    "blanks": "BEGIN ",
    "long lines": "aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW3xY5zA7bC9d\n",
    "homes": "/home/",
    "telephone": "+1 555 ",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_read_a_bounded_number_of_times(piece, monkeypatch):
    """Text made to be slow is looked at as often as any other: rounds do not grow with the text."""
    rounds = []
    real = Policy.matches
    monkeypatch.setattr(Policy, "matches", lambda self, text: rounds.append(len(text)) or real(self, text))
    text = piece * (20_000 // len(piece))
    redact(text, PUBLIC)
    assert sum(rounds) <= 4 * len(text)


def test_without_detect_secrets_our_rules_do_it(monkeypatch):
    """The extra package is used where it is there, and never asked for where a setting says no."""
    monkeypatch.setattr(detect_secrets, "installed", lambda: True)
    assert detectors.detector() == WithDetectSecrets()
    assert detectors.detector(use_detect_secrets=False) == OwnRules()
    monkeypatch.setattr(detect_secrets, "installed", lambda: False)
    assert detectors.detector() == OwnRules()


class _Detector:
    """Stands where a detector of detect-secrets would."""

    secret_type = "Very Own (Key)"

    def analyze_string(self, text):
        """Every word that begins with VERY."""
        return {*re.findall(r"VERY\w+", text), None}


def test_what_detect_secrets_finds_is_redacted(monkeypatch):
    """Its name for the sort of secret becomes the placeholder's, and each place of the value goes."""
    monkeypatch.setattr(detect_secrets, "_detectors", lambda: (_Detector(),))
    text = "VERYSECRETINDEED12 and VERYSECRETINDEED12\nVERY1\n"
    clean, findings = redact(text, Policy(PRIVATE, WithDetectSecrets()))
    assert clean == "[REDACTED:very-own-key] and [REDACTED:very-own-key]\nVERY1\n"
    assert {each.why for each in findings} == {"detect-secrets: Very Own (Key)"}
