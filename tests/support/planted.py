"""Secrets that never were: random ones in the providers' own formats, and texts to plant them in.

The formats are written down here a second time, from what the providers publish and not from the product's table, so that a
mistake there does not repeat itself here. Nothing in this file is a secret, and none is ever the same twice.
"""

from __future__ import annotations

import base64
import json
import random
import string

ALNUM = string.ascii_letters + string.digits
URL_SAFE = ALNUM + "_-"
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
BASE32 = string.ascii_uppercase + "234567"

FORMATS = {
    "aws access key": ("AKIA", BASE32, 16),
    "aws session key": ("ASIA", BASE32, 16),
    "google api key": ("AIza", URL_SAFE, 35),
    "google oauth secret": ("GOCSPX-", URL_SAFE, 28),
    "google oauth token": ("ya29.a0", URL_SAFE, 180),
    "digitalocean": ("dop_v1_", HEX, 64),
    "netlify": ("nfp_", ALNUM, 36),
    "vault": ("hvs.", URL_SAFE, 92),
    "planetscale": ("pscale_tkn_", URL_SAFE, 43),
    "doppler": ("dp.pt.", ALNUM, 43),
    "pulumi": ("pul-", HEX, 40),
    "databricks": ("dapi", HEX, 32),
    "github classic": ("ghp_", ALNUM, 36),
    "github oauth": ("gho_", ALNUM, 36),
    "github server": ("ghs_", ALNUM, 36),
    "github fine-grained": ("github_pat_", ALNUM, 22, "_", ALNUM, 59),
    "gitlab": ("glpat-", URL_SAFE, 20),
    "gitlab runner": ("glrt-", URL_SAFE, 20),
    "atlassian": ("ATATT3xFfGF0", URL_SAFE, 170, "=", HEX, 8),
    "linear": ("lin_api_", ALNUM, 40),
    "slack bot": ("xoxb-", string.digits, 12, "-", string.digits, 12, "-", ALNUM, 24),
    "slack user": ("xoxp-", string.digits, 12, "-", string.digits, 12, "-", ALNUM, 32),
    "slack app": ("xapp-1-A", UPPER, 10, "-", string.digits, 13, "-", HEX, 64),
    "slack webhook": ("https://hooks.slack.com/services/T", UPPER, 10, "/B", UPPER, 10, "/", ALNUM, 24),
    "discord webhook": ("https://discord.com/api/webhooks/", string.digits, 18, "/", URL_SAFE, 68),
    "telegram": ("", "123456789", 9, ":AA", URL_SAFE, 33),
    "sendgrid": ("SG.", URL_SAFE, 22, ".", URL_SAFE, 43),
    "mailgun": ("key-", HEX, 32),
    "mailchimp": ("", HEX, 32, "-us", "123456789", 1),
    "twilio": ("SK", HEX, 32),
    "stripe live": ("sk_live_", ALNUM, 24),
    "stripe restricted": ("rk_live_", ALNUM, 99),
    "stripe webhook": ("whsec_", ALNUM, 32),
    "square": ("sq0atp-", URL_SAFE, 22),
    "shopify": ("shpat_", HEX, 32),
    "anthropic": ("sk-ant-api03-", URL_SAFE, 93, "AA"),
    "anthropic oauth": ("sk-ant-oat01-", URL_SAFE, 93, "AA"),
    "openai project": ("sk-proj-", URL_SAFE, 74, "T3BlbkFJ", URL_SAFE, 74),
    "openai old": ("sk-", ALNUM, 20, "T3BlbkFJ", ALNUM, 20),
    "openrouter": ("sk-or-v1-", HEX, 64),
    "deepseek": ("sk-", HEX, 32),
    "groq": ("gsk_", ALNUM, 52),
    "xai": ("xai-", ALNUM, 80),
    "huggingface": ("hf_", string.ascii_letters, 34),
    "replicate": ("r8_", ALNUM, 37),
    "nvidia": ("nvapi-", URL_SAFE, 64),
    "npm": ("npm_", ALNUM, 36),
    "pypi": ("pypi-AgEIcHlwaS5vcmc", URL_SAFE, 160),
    "rubygems": ("rubygems_", HEX, 48),
    "docker": ("dckr_pat_", URL_SAFE, 27),
    "new relic": ("NRAK-", UPPER, 27),
    "grafana": ("glsa_", ALNUM, 32, "_", HEX, 8),
    "airtable": ("pat", ALNUM, 14, ".", HEX, 64),
    "notion": ("ntn_", string.digits, 11, ALNUM, 35),
    "figma": ("figd_", URL_SAFE, 40),
    "postman": ("PMAK-", HEX, 24, "-", HEX, 34),
    "tailscale": ("tskey-auth-k", ALNUM, 11, "-", ALNUM, 32),
    "terraform": ("", ALNUM, 14, ".atlasv1.", URL_SAFE, 67),
    "age": ("AGE-SECRET-KEY-1", "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
}


def of_format(name, chance):
    """A random secret of a provider's format."""
    parts, waiting = [], None
    for part in FORMATS[name]:
        if isinstance(part, int):
            parts.append("".join(chance.choice(waiting) for _ in range(part)))
            waiting = None
        else:
            if waiting is not None:
                parts.append(waiting)
            waiting = part
    parts.append(waiting or "")
    secret = "".join(parts)
    # A provider's own generator gives no key that ends in a mark of punctuation, which a sentence would cut off.
    return secret[:-1] + "a" if not secret[-1].isalnum() else secret


def jwt(chance):
    """A signed web token."""

    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    body = {"sub": str(chance.randrange(10**9)), "iat": chance.randrange(10**9), "scope": "read write"}
    return ".".join((part(b'{"alg":"HS256","typ":"JWT"}'), part(json.dumps(body).encode()), part(chance.randbytes(32))))


def password(chance):
    """A password of a generator: letters, digits, at least one of each."""
    return "".join(chance.choice(ALNUM) for _ in range(chance.randrange(10, 24))) + "k7"


def private_key(chance, kind="RSA "):
    """A private key block."""
    body = base64.b64encode(chance.randbytes(chance.randrange(600, 1200))).decode()
    lines = [body[n : n + 64] for n in range(0, len(body), 64)]
    return "\n".join((f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"))


def _code(secret, chance):
    return chance.choice(
        (
            f'client = Client("{secret}")  # production',
            f"const key = '{secret}';",
            f"curl -H 'X-Api-Key: {secret}' https://api.example.com/v1/things",
            f"    os.environ['KEY'] = \"{secret}\"",
            f"- run: deploy --with {secret} --now",
        )
    )


def _prose(secret, chance):
    return chance.choice(
        (
            f"I pasted the wrong one, it should be {secret}, please use that.",
            f"The key ({secret}) was revoked yesterday.",
            f"Use `{secret}` for staging.",
            f"Here it is: {secret}",
            f"> {secret}\n\nThanks, that works.",
        )
    )


def _json(secret, chance):
    return chance.choice(
        (
            json.dumps({"name": "deploy", "value": secret, "count": 3}),
            json.dumps({"log": f"starting\n{secret}\ndone"}),
            json.dumps({"content": json.dumps({"value": secret})}),
        )
    )


def _environment(secret, chance):
    return chance.choice((f"SERVICE_CREDENTIAL={secret}", f'export THE_KEY="{secret}"', f"ANY: {secret}"))


def _address(secret, chance):
    return chance.choice(
        (
            f"https://api.example.com/v1?value={secret}&page=2",
            f"git clone https://oauth2:{secret}@git.example.com/a/b.git",
        )
    )


PLACES = {"code": _code, "prose": _prose, "json": _json, "environment": _environment, "address": _address}


def wrapped(text, width):
    """``text`` as an export draws it: cut at a width, in the middle of words too, further lines indented."""
    lines = []
    for line in text.split("\n"):
        lines.append(line[:width])
        rest = line[width:]
        while rest:
            lines.append("  " + rest[: width - 2])
            rest = rest[width - 2 :]
    return "\n".join(lines)


def planted(count, seed):
    """``count`` triples of a description, a secret and a text that holds it: known formats in every kind of place."""
    chance = random.Random(seed)
    names = list(FORMATS)
    made = []
    for number in range(count):
        name = names[number % len(names)] if number < 10 * len(names) else chance.choice(names)
        place = chance.choice(list(PLACES))
        secret = of_format(name, chance)
        if place == "address" and "://" in secret:
            place = "prose"
        made.append((f"{name} in {place}", secret, PLACES[place](secret, chance)))
    for _ in range(count // 20):
        made.append(("jwt", secret := jwt(chance), _code(secret, chance)))
        secret = password(chance)
        text = chance.choice(
            (
                f"DATABASE_URL=postgres://app:{secret}@db.example.com:5432/main",
                f"redis://:{secret}@cache:6379/0",
                f"mongodb+srv://app:{secret}@cluster0.example.net/?retryWrites=true",
                f"Server=db;Database=app;User Id=sa;Password={secret};Encrypt=true",
                f"host=db user=app password={secret} dbname=main",
                f"DB_PASSWORD={secret}",
                f"export ADMIN_PASSWD='{secret}'",
                f'"password": "{secret}"',
                f"mysql --user=root --password={secret} app",
                f"  secret_key: {secret}xyzzy",
            )
        )
        made.append(("password", secret, text))
        kind = chance.choice(("RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "))
        block = private_key(chance, kind)
        made.append(("private key", block.split("\n")[3], chance.choice((block, json.dumps({"key": block})))))
    return made
