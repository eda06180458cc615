"""Hosts and origins: whose name leads here, and whose page asks."""

from __future__ import annotations

import pytest

from deduplication.dashboard.origins import Place, is_loopback, public_address
from deduplication.errors import UsageError

LOCAL = Place("127.0.0.1", 8377)
OPEN = Place("0.0.0.0", 8377)
TEAM = Place("127.0.0.1", 8377, "https://dedup.example.org/tides/")


@pytest.mark.parametrize("host", ["127.0.0.1:8377", "localhost:8377", "LocalHost:8377", "[::1]:8377"])
def test_this_machine_s_own_names_are_ours(host):
    """By each of them a browser reaches the same address."""
    assert LOCAL.allows_host(host)
    assert TEAM.allows_host(host)


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8377", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8378", "192.168.0.7:8377"),
        *(
            "localhost.evil.example:8377",
            "127.0.0.1.evil.example:8377",
            "127.0.0.1:8377@evil.example",
            "evil.example#:8377",
        ),
        *("127.0.0.1:8377/x", "127.0.0.1:x", "[::1:8377", "user@localhost:8377", "dedup.example.org"),
    ],
)
def test_every_other_name_is_somebody_else_s(host):
    """A name that was made to lead to this machine is none of ours."""
    assert not LOCAL.allows_host(host)


def test_by_number_where_others_reach_us():
    """A machine has several addresses; none of them is a name that somebody can have lead elsewhere."""
    assert OPEN.allows_host("192.168.0.7:8377")
    assert OPEN.allows_host("[2001:db8::7]:8377")
    assert not OPEN.allows_host("evil.example:8377")
    assert not OPEN.allows_host("192.168.0.7:80")


def test_the_public_name():
    """That of the proxy, at the port of its scheme, and no other."""
    assert TEAM.allows_host("dedup.example.org")
    assert TEAM.allows_host("dedup.example.org:443")
    assert not TEAM.allows_host("dedup.example.org:8377")
    assert TEAM.allows_origin({"Origin": "https://dedup.example.org"})
    assert not TEAM.allows_origin({"Origin": "http://dedup.example.org"})
    assert TEAM.prefix == "/tides"
    assert TEAM.first == "https://dedup.example.org/tides"
    assert TEAM.is_secure
    assert not LOCAL.is_secure


@pytest.mark.parametrize(
    ("headers", "reads", "changes"),
    [
        ({}, True, False),
        ({"Origin": "http://127.0.0.1:8377"}, True, True),
        ({"Origin": "http://127.0.0.1:8377", "Sec-Fetch-Site": "same-origin"}, True, True),
        ({"Origin": "http://127.0.0.1:8377", "Sec-Fetch-Site": "cross-site"}, True, False),
        ({"Origin": "http://evil.example"}, False, False),
        ({"Origin": "https://127.0.0.1:8377"}, False, False),
        ({"Origin": "null"}, False, False),
        ({"Origin": "http://localhost:9999"}, False, False),
        ({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, True, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, False, False),
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, False, False),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, True, False),
    ],
)
def test_who_asks(headers, reads, changes):
    """A page of another site reads nothing, and a change says that it comes from a page of ours."""
    assert LOCAL.allows_origin(headers) is reads
    assert LOCAL.allows_change(headers) is changes


def test_what_is_this_machine_s_alone():
    """Names, both families, and nothing that others reach."""
    assert [is_loopback(each) for each in ("127.0.0.1", "127.1.2.3", "::1", "localhost")] == [True] * 4
    assert [is_loopback(each) for each in ("0.0.0.0", "::", "192.168.0.7", "box", "")] == [False] * 5


@pytest.mark.parametrize(
    "text", ["dedup.example.org", "ftp://x", "https://", "https://x/?a=1", "https://a@x/", "https://x/#f"]
)
def test_a_public_address_is_one(text):
    """What browsers cannot call is refused before anything listens."""
    with pytest.raises(UsageError, match="--public-url"):
        public_address(text)


def test_the_first_address_can_be_opened():
    """Also where it listens everywhere, and by an address of six times as many digits."""
    assert OPEN.first == "http://127.0.0.1:8377"
    assert Place("::", 80).first == "http://[::1]:80"
    assert Place("::1", 8377).first == "http://[::1]:8377"
