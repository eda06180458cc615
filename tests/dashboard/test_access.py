"""Token, cookie, rate: who may look, for how long, how often."""

from __future__ import annotations

import pytest

from deduplication.dashboard import access
from deduplication.dashboard.access import Access, Caller
from deduplication.dashboard.rates import Rate, RateLimit
from deduplication.errors import UsageError


class Clock:
    """A time that moves when it is told to."""

    now = 50.0

    def __call__(self):
        return self.now


def test_a_cookie_is_not_the_token_and_opens_nothing_after_its_end():
    """Each is a secret of its own, and a cookie that was given up is good for nothing."""
    door = Access()
    one, other = door.begin(), door.begin()
    assert len({door.token, one, other}) == 3
    assert door.caller(one, {}, "x") == Caller(one, by_cookie=True)
    door.end(one)
    assert door.caller(one, {}, "x") is None
    assert door.caller(other, {}, "x") is not None
    assert door.caller("", {}, "x") is None
    assert door.caller(door.token, {}, "x") is None


def test_each_process_has_another_token():
    """Of 256 bits, in letters that an address may have."""
    tokens = {Access().token for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)


def test_a_cookie_lasts_as_long_as_it_is_used():
    """It is forgotten when nobody used it for twelve hours."""
    clock = Clock()
    door = Access(now=clock)
    cookie = door.begin()
    for _ in range(3):
        clock.now += access.LONGEST - 1
        assert door.caller(cookie, {}, "x") is not None
    clock.now += access.LONGEST
    assert door.caller(cookie, {}, "x") is None
    assert door.caller(cookie, {}, "x") is None


def test_only_so_many_cookies_are_remembered():
    """The oldest goes: nobody fills the memory by signing in."""
    door = Access()
    first = door.begin()
    for _ in range(access._SESSIONS):
        last = door.begin()
    assert door.caller(first, {}, "x") is None
    assert door.caller(last, {}, "x") is not None


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("Bearer {}", True),
        ("Bearer  {} ", True),
        ("Basic {}", False),
        ("{}", False),
        ("Bearer {}x", False),
        ("Bearer ", False),
    ],
)
def test_a_program_sends_the_token(header, fits):
    """As Prometheus and proxies do."""
    door = Access()
    assert (door.caller("", {"Authorization": header.format(door.token)}, "10.0.0.1") is not None) is fits


def test_the_rate_is_a_bucket():
    """So many at once, then so many a second, each name for itself; the wait that is told is enough."""
    clock = Clock()
    limit = RateLimit(Rate(3, 2), clock)
    assert [limit.wait("a") for _ in range(3)] == [0, 0, 0]
    wait = limit.wait("a")
    assert wait == pytest.approx(0.5)
    assert limit.wait("b") == 0
    clock.now += wait
    assert limit.wait("a") == 0
    assert limit.wait("a") > 0
    clock.now += 1000
    assert [bool(limit.wait("a")) for _ in range(4)] == [False, False, False, True]
    limit.forgive("a")
    assert limit.wait("a") == 0


def test_a_rate_remembers_only_so_many():
    """Whoever comes under ever new names does not fill the memory."""
    limit = RateLimit(Rate(1, 1))
    for number in range(10_100):
        limit.wait(str(number))
    assert len(limit._left) == 10_000


def test_a_token_of_one_s_own(tmp_path):
    """It stands in the first line of a file, and is no word that could be guessed."""
    path = tmp_path / "token"
    path.write_text("a-token-of-more-than-twenty\nmore\n", encoding="utf-8")
    assert access.token_in(str(path)) == "a-token-of-more-than-twenty"
    for words in ("", "short", "x" * 19, "with a blank in it, and long", "tökentökentökentöken"):
        path.write_text(words, encoding="utf-8")
        with pytest.raises(UsageError, match="20 characters"):
            access.token_in(str(path))
    with pytest.raises(UsageError, match="--token-file"):
        access.token_in(str(tmp_path / "none"))
