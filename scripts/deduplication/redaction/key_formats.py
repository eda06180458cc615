"""Keys and tokens that their providers made recognisable: a fixed beginning, then so and so many characters of a kind.

A format's ``rest`` is matched after its beginning. Lengths are lower bounds wherever the beginning is unmistakable:
providers make keys longer, and a rule that counts exactly then finds nothing.
"""

from __future__ import annotations

import base64
import functools
import re
from typing import TYPE_CHECKING, Final, Optional

from ..start.late_dataclass import dataclass
from ..start.late_pattern import late_pattern
from .matches import Match, begins, mixed, monotonous, occurrences

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class KeyFormat:
    """One format: its name in the placeholder, whose key it is, how it begins, what follows.

    ``back`` characters before the beginning belong to the key too (``before`` says of which kind). ``random``: the
    beginning alone is no proof, what follows must mix letters and digits.
    """

    name: str
    whose: str
    starts: tuple[str, ...]
    rest: str
    before: Optional[str] = None
    back: int = 0
    random: bool = False


_CLASSES: Final = (("<W>", "[A-Za-z0-9_-]"), ("<A>", "[A-Za-z0-9]"), ("<H>", "[a-f0-9]"))
"""How the table below abbreviates what most keys are made of."""


def _format(
    name: str, whose: str, starts: str, rest: str, *, before: str = "", back: int = 0, random: bool = False
) -> KeyFormat:
    for short, full in _CLASSES:
        rest, before = rest.replace(short, full), before.replace(short, full)
    pattern = before + r"\Z" if before else None
    return KeyFormat(name, whose, tuple(starts.split()), rest, pattern, back, random)


FORMATS: Final[tuple[KeyFormat, ...]] = (
    # Cloud
    _format("aws-access-key", "Amazon Web Services", "AKIA ASIA ABIA ACCA", r"[A-Z2-7]{16}(?![A-Za-z0-9])"),
    _format("google-api-key", "Google", "AIza", r"<W>{35,64}"),
    _format("google-oauth-token", "Google", "ya29.", r"[A-Za-z0-9_.-]{20,2048}"),
    _format("google-oauth-secret", "Google", "GOCSPX-", r"<W>{20,64}"),
    _format("google-refresh-token", "Google", "1//0", r"<W>{30,256}"),
    _format("azure-client-secret", "Microsoft Entra", "Q~", r"[A-Za-z0-9_.~-]{31,40}", before=r"<A>{3}\d", back=4),
    _format("azure-devops-token", "Azure DevOps", "AZDO", r"<A>{4}(?!<A>)", before=r"<A>{76}", back=76),
    _format("alibaba-access-key", "Alibaba Cloud", "LTAI", r"<A>{12,24}(?!<A>)", random=True),
    _format("tencent-secret-id", "Tencent Cloud", "AKID", r"<A>{32}(?!<A>)", random=True),
    _format("digitalocean-token", "DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", r"<H>{64}"),
    _format("heroku-key", "Heroku", "HRKU-", r"<W>{36,80}"),
    _format("cloudflare-origin-key", "Cloudflare", "v1.0-", r"<H>{24}-<H>{100,160}"),
    _format("vault-token", "HashiCorp Vault", "hvs. hvb. hvr.", r"<W>{24,300}"),
    _format("terraform-token", "Terraform Cloud", ".atlasv1.", r"[A-Za-z0-9_=-]{40,90}", before=r"<A>{14}", back=14),
    _format("fly-token", "Fly.io", "fo1_", r"<W>{43,128}"),
    _format("fly-macaroon", "Fly.io", "fm1r_ fm1a_ fm2_", r"[A-Za-z0-9+/=,_-]{60,4096}"),
    _format("netlify-token", "Netlify", "nfp_ nfc_ nfo_ nfb_ nfu_", r"<A>{36,64}"),
    _format("vercel-blob-token", "Vercel", "vercel_blob_rw_", r"[A-Za-z0-9_]{30,128}"),
    _format("supabase-token", "Supabase", "sbp_ sb_secret_", r"<W>{20,128}"),
    _format("planetscale-token", "PlanetScale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[A-Za-z0-9=._-]{32,64}"),
    _format("neon-token", "Neon", "napi_", r"<A>{40,128}"),
    _format("doppler-token", "Doppler", "dp.pt. dp.st. dp.sa. dp.ct. dp.scim. dp.audit.", r"[A-Za-z0-9_.-]{40,80}"),
    _format("pulumi-token", "Pulumi", "pul-", r"<H>{40}"),
    _format("databricks-token", "Databricks", "dapi", r"<H>{32}(?:-\d)?(?!<A>)"),
    _format("tailscale-key", "Tailscale", "tskey-", r"[a-z]{2,12}-<W>{10,128}"),
    _format("scaleway-key", "Scaleway", "SCW", r"[A-Z0-9]{17}(?!<A>)", random=True),
    _format("yandex-key", "Yandex Cloud", "AQVN y0_ t1.", r"<W>{35,300}", random=True),
    # Version control and issue trackers
    _format("github-token", "GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"<A>{36,255}"),
    _format("github-token", "GitHub", "github_pat_", r"[A-Za-z0-9_]{60,255}"),
    _format(
        "gitlab-token",
        "GitLab",
        "glpat- gldt- glrt- glptt- glcbt- glimt- glagent- gloas- glsoat- glft- glffct- GR1348941",
        r"[A-Za-z0-9_.-]{20,300}",
    ),
    _format("bitbucket-token", "Bitbucket", "ATBB ATCTT3", r"[A-Za-z0-9_=-]{28,300}", random=True),
    _format("atlassian-token", "Atlassian", "ATATT3", r"[A-Za-z0-9_=-]{60,300}"),
    _format("sourcegraph-token", "Sourcegraph", "sgp_", r"(?:local_|<H>{16}_)?<H>{40}"),
    _format("linear-key", "Linear", "lin_api_ lin_oauth_", r"<A>{32,64}"),
    _format("gitea-token", "Gitea", "gta_", r"<H>{40}"),
    _format("buildkite-token", "Buildkite", "bkua_ bkat_", r"<A>{40}"),
    _format("circleci-token", "CircleCI", "CCIPAT_ CCIPRJ_", r"<A>{22}_<H>{40}"),
    _format("octopus-key", "Octopus Deploy", "API-", r"[A-Z0-9]{25,34}(?!<A>)", random=True),
    # Chat and mail
    _format(
        "slack-token",
        "Slack",
        "xoxb- xoxa- xoxp- xoxr- xoxs- xoxe- xoxc- xoxd- xoxe. xapp-",
        r"[A-Za-z0-9._%/+=-]{20,300}",
    ),
    _format("slack-webhook", "Slack", "hooks.slack.com/services/ hooks.slack.com/workflows/", r"[A-Za-z0-9/]{24,120}"),
    _format(
        "discord-webhook", "Discord", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"\d{15,22}/<W>{60,90}"
    ),
    _format("discord-token", "Discord", "mfa.", r"<W>{80,100}"),
    _format("telegram-token", "Telegram", ":AA", r"<W>{33}(?!<W>)", before=r"(?<!\d)\d{8,10}", back=10),
    _format("teams-webhook", "Microsoft Teams", "webhook.office.com/webhookb2/", r"[A-Za-z0-9@/-]{60,300}"),
    _format("twilio-key", "Twilio", "SK", r"<H>{32}(?!<A>)"),
    _format("sendgrid-key", "SendGrid", "SG.", r"<W>{16,32}\.<W>{32,64}"),
    _format("mailgun-key", "Mailgun", "key-", r"<H>{32}(?!<A>)"),
    _format("mailchimp-key", "Mailchimp", "-us", r"\d{1,2}(?!<A>)", before=r"<H>{32}", back=32),
    _format("brevo-key", "Brevo", "xkeysib- xsmtpsib-", r"<H>{64}-<A>{16}"),
    _format("resend-key", "Resend", "re_", r"<A>{6,10}_<A>{20,40}", random=True),
    _format("matrix-token", "Matrix", "syt_", r"[A-Za-z0-9=]{1,128}_<A>{20}_<A>{6}"),
    # Payment and shops
    _format("stripe-key", "Stripe", "sk_live_ sk_test_ rk_live_ rk_test_", r"<A>{16,255}"),
    _format("stripe-webhook-secret", "Stripe", "whsec_", r"[A-Za-z0-9+/=]{24,255}"),
    _format("square-token", "Square", "sq0atp- sq0csp- sq0idp-", r"<W>{22,43}"),
    _format("square-token", "Square", "EAAA", r"<W>{60,64}(?!<W>)", random=True),
    _format("braintree-token", "Braintree", "access_token$", r"(?:production|sandbox)\$<A>{16}\$<H>{32}"),
    _format("shopify-token", "Shopify", "shpat_ shpca_ shppa_ shpss_ shptka_", r"[A-Fa-f0-9]{32}"),
    _format("plaid-token", "Plaid", "access-sandbox- access-development- access-production-", r"<H>{8}-[a-f0-9-]{27}"),
    _format("razorpay-key", "Razorpay", "rzp_live_ rzp_test_", r"<A>{14,24}"),
    _format("flutterwave-key", "Flutterwave", "FLWSECK-", r"<H>{32}-X"),
    _format("flutterwave-key", "Flutterwave", "FLWSECK_TEST-", r"<A>{12,40}(?:-X)?"),
    _format("easypost-key", "EasyPost", "EZAK EZTK", r"<A>{54}"),
    _format("shippo-token", "Shippo", "shippo_live_ shippo_test_", r"<H>{40}"),
    _format("duffel-token", "Duffel", "duffel_live_ duffel_test_", r"[A-Za-z0-9_=-]{43}"),
    # AI
    _format("anthropic-key", "Anthropic", "sk-ant-", r"<W>{40,300}"),
    _format("openai-key", "OpenAI", "sk-proj- sk-svcacct- sk-admin- sk-None-", r"<W>{40,300}"),
    _format("openrouter-key", "OpenRouter", "sk-or-v1-", r"<H>{64}"),
    _format("langfuse-key", "Langfuse", "sk-lf-", r"<H>{8}-[a-f0-9-]{27}"),
    _format("ai-key", "OpenAI, DeepSeek and others", "sk-", r"<A>{32,128}(?!<W>)", random=True),
    _format("groq-key", "Groq", "gsk_", r"<A>{48,64}"),
    _format("xai-key", "xAI", "xai-", r"<A>{60,100}"),
    _format("perplexity-key", "Perplexity", "pplx-", r"<A>{40,64}"),
    _format("huggingface-token", "Hugging Face", "hf_ api_org_", r"<A>{34,40}(?!<A>)"),
    _format("replicate-token", "Replicate", "r8_", r"<A>{37,40}(?!<A>)"),
    _format("fireworks-key", "Fireworks", "fw_", r"<A>{22,40}(?!<A>)", random=True),
    _format("cerebras-key", "Cerebras", "csk-", r"<A>{40,64}"),
    _format("together-key", "Together", "tgp_v1_", r"<W>{40,64}"),
    _format("nvidia-key", "NVIDIA", "nvapi-", r"<W>{60,100}"),
    _format("elevenlabs-key", "ElevenLabs", "sk_", r"<H>{48}(?!<A>)"),
    _format("langsmith-key", "LangSmith", "lsv2_pt_ lsv2_sk_", r"<H>{32}_<H>{10}"),
    _format("tavily-key", "Tavily", "tvly-", r"<W>{20,64}"),
    _format("pinecone-key", "Pinecone", "pcsk_", r"[A-Za-z0-9_]{50,100}"),
    _format("jina-key", "Jina", "jina_", r"<W>{60,70}"),
    _format("firecrawl-key", "Firecrawl", "fc-", r"<H>{32}(?!<A>)"),
    # Package registries
    _format("npm-token", "npm", "npm_", r"<A>{36,64}"),
    _format("pypi-token", "PyPI", "pypi-Ag", r"<W>{50,1000}"),
    _format("rubygems-key", "RubyGems", "rubygems_", r"<H>{48}"),
    _format("crates-token", "crates.io", "cio", r"<A>{32}(?!<A>)", random=True),
    _format("docker-token", "Docker Hub", "dckr_pat_ dckr_oat_", r"<W>{20,64}"),
    _format("nuget-key", "NuGet", "oy2", r"[a-z0-9]{43}(?!<A>)", random=True),
    _format("jfrog-key", "JFrog", "AKCp", r"<A>{69}(?!<A>)"),
    _format("jfrog-token", "JFrog", "cmVmdGtu", r"<A>{56}(?!<A>)"),
    _format("clojars-token", "Clojars", "CLOJARS_", r"[a-z0-9]{60}"),
    # Monitoring and data
    _format("newrelic-key", "New Relic", "NRAK- NRJS- NRAL- NRII-", r"[A-Za-z0-9_-]{19,40}", random=True),
    _format("sentry-token", "Sentry", "sntrys_ sntryu_", r"[A-Za-z0-9_+/=]{60,400}"),
    _format("grafana-token", "Grafana", "glc_ glsa_", r"[A-Za-z0-9_+/=]{32,400}"),
    _format("dynatrace-token", "Dynatrace", "dt0c01. dt0s01. dt0s16.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _format("launchdarkly-key", "LaunchDarkly", "sdk- api- mob-", r"<H>{8}-<H>{4}-4<H>{3}-<H>{4}-<H>{12}(?!<W>)"),
    _format("posthog-key", "PostHog", "phx_", r"<A>{40,64}"),
    _format("honeycomb-key", "Honeycomb", "hcaik_ hcbik_ hccik_", r"<A>{58}"),
    _format("airtable-token", "Airtable", "pat", r"<A>{14}\.<H>{64}"),
    _format("notion-token", "Notion", "ntn_ secret_", r"<A>{43,50}(?!<A>)", random=True),
    _format("figma-token", "Figma", "figd_ figu_", r"<W>{40,64}"),
    _format("dropbox-token", "Dropbox", "sl.", r"<W>{120,2048}"),
    _format("facebook-token", "Facebook", "EAA", r"<A>{80,300}", random=True),
    _format("twitter-bearer", "X", "AAAAAAAAAAAAAAAAAAAAA", r"[A-Za-z0-9%]{60,120}", random=True),
    _format("postman-key", "Postman", "PMAK-", r"<H>{24}-<H>{34}"),
    _format("contentful-token", "Contentful", "CFPAT-", r"<W>{43}"),
    _format("typeform-token", "Typeform", "tfp_", r"[A-Za-z0-9_.=-]{40,64}"),
    _format("prefect-key", "Prefect", "pnu_ pnb_", r"[a-z0-9]{36}"),
    _format("hubspot-token", "HubSpot", "pat-na1- pat-na2- pat-eu1-", r"<H>{8}-[a-f0-9-]{27}"),
    _format("mapbox-token", "Mapbox", "sk.eyJ", r"<W>{40,200}\.<W>{20,40}"),
    _format("1password-token", "1Password", "ops_eyJ", r"<W>{100,2000}"),
    _format("age-key", "age", "AGE-SECRET-KEY-1", r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    # Others
    _format("bedrock-key", "Amazon Bedrock", "ABSK", r"[A-Za-z0-9+/]{100,140}={0,2}"),
    _format("aws-mws-key", "Amazon", "amzn.mws.", r"<H>{8}-<H>{4}-<H>{4}-<H>{4}-<H>{12}"),
    _format("firebase-key", "Firebase", ":APA91b", r"<W>{120,180}", before=r"AAAA<W>{7}", back=11),
    _format("trello-token", "Trello", "ATTA", r"<H>{64,80}"),
    _format("sonarqube-token", "SonarQube", "sqp_ squ_ sqa_", r"<H>{40}"),
    _format("docker-swarm-token", "Docker Swarm", "SWMTKN-1-", r"[a-z0-9]{40,60}-[a-z0-9]{20,30}"),
    _format("bitcoin-key", "a wallet", "xprv yprv zprv tprv", r"<A>{100,112}"),
    _format("nostr-key", "Nostr", "nsec1", r"[a-z0-9]{50,64}"),
    _format("runpod-key", "RunPod", "rpa_", r"<A>{40,64}", random=True),
    _format("render-key", "Render", "rnd_", r"<A>{28,40}", random=True),
    _format("apify-token", "Apify", "apify_api_", r"<A>{32,48}"),
    _format("e2b-key", "E2B", "e2b_", r"<H>{40}"),
    _format("voyage-key", "Voyage AI", "pa-", r"<W>{40,48}(?!<W>)", random=True),
    _format("brave-key", "Brave", "BSA", r"<W>{27,31}(?!<W>)", random=True),
    _format("readme-key", "ReadMe", "rdme_", r"[a-z0-9]{60,80}"),
    _format("wakatime-key", "WakaTime", "waka_", r"<H>{8}-[a-f0-9-]{27}"),
    _format("chromatic-token", "Chromatic", "chpt_", r"<A>{12,40}", random=True),
    _format("ory-token", "Ory", "ory_at_ ory_rt_ ory_ac_ ory_pat_ ory_wak_", r"[A-Za-z0-9_.-]{24,120}"),
    _format("onepassword-key", "1Password", "A3-", r"[A-Z0-9]{6}-(?:[A-Z0-9]{5,6}-){3,4}[A-Z0-9]{5,6}"),
    _format("lob-key", "Lob", "live_ test_", r"<H>{35}(?!<A>)", random=True),
    _format("coze-token", "Coze", "pat_", r"<A>{60,80}(?!<A>)", random=True),
    _format("vercel-token", "Vercel", "vcp_ vci_ vca_ vcr_ vck_", r"<A>{24,64}", random=True),
    _format("cloudflare-token", "Cloudflare", "cfut_ cfat_ cfk_", r"<W>{36,80}", random=True),
    _format("linkedin-secret", "LinkedIn", "WPL_AP1. WPL_AP0.", r"[A-Za-z0-9+/=.]{16,64}"),
    _format("okta-token", "Okta", "SSWS", r"(?:%20|\+)?00<W>{38,42}"),
    _format("paypal-token", "PayPal", "A21AA", r"<W>{60,120}"),
    _format("zapier-webhook", "Zapier", "hooks.zapier.com/hooks/catch/", r"[A-Za-z0-9/]{10,80}"),
    _format(
        "service-key",
        "a service",
        "_sk_ sk_ sk- _pat_ pat_ _key_ key_ key- token_ secret_ live_ _prod_ prod_ api_ api-",
        r"<A>{24,128}(?!<W>)",
        before=r"(?:[a-z0-9]{2,16}[_-]){0,3}",
        back=48,
        random=True,
    ),
    _format("jwt", "a signed web token", "eyJ", r"<W>{8,2048}\.eyJ<W>{4,8192}(?:\.<W>{8,2048}){1,3}"),
)
_compiled: Final = functools.lru_cache(maxsize=None)(re.compile)
"""Compiled where a beginning is met: most texts have none, and all of them together take longer than a short run."""
_LOOKED_AT: Final = 100
_WITH_HYPHEN: Final = frozenset({"ai-key", "launchdarkly-key", "mailgun-key", "firecrawl-key"})
"""Formats whose short beginning is also the end of common hyphenated words."""


_DISCORD: Final = late_pattern(r"\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,64}")
_SNOWFLAKE: Final = late_pattern(r"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9]{21,30}\Z")
_RUN: Final = late_pattern(r"[A-Za-z0-9_.~%+/=@$:,-]{16,}")
"""What every key of the table is a part of: none is shorter, none has another character."""


def runs_in(text: str) -> list[str]:
    """The stretches of ``text`` that keys can be a part of."""
    return _RUN.findall(text)


def find(text: str, found_runs: Sequence[str] | None = None) -> Iterator[Match]:
    """Every key of a known format in ``text``; ``found_runs`` are its :func:`runs_in`, where somebody has them already."""
    # Most texts have few such runs: the beginnings are looked for in these alone, then in the text where they really are.
    runs = "\n".join(runs_in(text) if found_runs is None else found_runs)
    if not runs:
        return
    if "." in runs:
        yield from _discord(text, runs)
    for form in FORMATS:
        for start in form.starts:
            if start not in runs:
                continue
            for at in occurrences(text, start):
                found = _match(form, text, at, at + len(start))
                if found is not None:
                    yield Match(*found, form.name, f"the format of a key of {form.whose}")


def _discord(text: str, runs: str) -> Iterator[Match]:
    """Tokens of Discord: the number of a user in base64, a time, a signature, and no beginning of their own."""
    for middle in _DISCORD.finditer(runs):
        lead = _SNOWFLAKE.search(runs, max(0, middle.start() - 40), middle.start())
        if lead is None or not base64.b64decode(lead[0] + "=" * (-len(lead[0]) % 4)).isdigit():
            continue
        token = runs[lead.start() : middle.end()]
        for at in occurrences(text, token):
            yield Match(at, at + len(token), "discord-token", "the format of a key of Discord")


def _match(form: KeyFormat, text: str, at: int, after: int) -> tuple[int, int] | None:
    begin = at
    if form.before is not None:
        lead = _compiled(form.before).search(text[max(0, at - form.back) : at])
        if lead is None:
            return None
        begin = at - (lead.end() - lead.start())
    if not begins(text, begin, hyphen=form.name in _WITH_HYPHEN):
        return None
    rest = _compiled(form.rest).match(text, after)
    if rest is None or monotonous(rest[0][-_LOOKED_AT:]) or (form.random and not mixed(rest[0])):
        return None
    return begin, rest.end()
