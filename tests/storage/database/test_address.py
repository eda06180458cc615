from __future__ import annotations

import copy
import logging

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deduplication.errors import DedupError, UsageError
from deduplication.storage.database.errors import DatabaseAddressInvalid
from deduplication.storage.database.server.address import Address
from deduplication.storage.database.server.address_reader import EXPOSED, OPTION, VARIABLE, exposure, find, read

conninfo = pytest.importorskip("psycopg.conninfo")

SECRET = "hidden"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:hidden@db.example.org:5433/store", "postgresql://me@db.example.org:5433/store"),
        ("postgres://me:hidden@db.example.org/store", "postgresql://me@db.example.org/store"),
        ("postgresql://db.example.org/store?user=me&password=hidden", "postgresql://me@db.example.org/store"),
        ("host=db.example.org dbname=store user=me password=hidden", "postgresql://me@db.example.org/store"),
        ("  host=a password='hidden and more'\n", "postgresql://a/"),
        (
            "postgresql://me:hidden@a/store?sslmode=verify-full&sslkey=/k&sslpassword=hidden&passfile=/p",
            "postgresql://me@a/store?passfile=/p&sslmode=verify-full&sslkey=/k",
        ),
        ("postgresql://me:hidden@a:1,b:2/store", "postgresql://me@a:1,b:2/store"),
        ("host=a,b port=5 password=hidden", "postgresql://a:5,b:5/"),
        ("postgresql://[::1]:5/store", "postgresql://[::1]:5/store"),
        ("postgresql:///store?host=/var/run/postgresql&port=5", "postgresql:///store?host=/var/run/postgresql&port=5"),
        ("port=5 password=hidden%ff", "postgresql:///?port=5"),
        ("service=team password=hidden", "postgresql:///?service=team"),
        ("postgresql://m%65:hidden@a/%2Fodd%20name", "postgresql://me@a/%2Fodd%20name"),
        ("postgresql://", "postgresql:///"),
        ("dbname=store options='-c search_path=team'", "postgresql:///store?options=-c%20search_path%3Dteam"),
    ],
)
def test_an_address_is_shown_without_a_password(text, shown):
    """As a URL that means the same, but for what is secret."""
    address = read(text, OPTION)
    assert address.shown() == shown
    assert SECRET not in f"{address!r}"
    again = read(shown, OPTION)
    assert again.shown() == shown
    told = {key: value for key, value in conninfo.conninfo_to_dict(text.strip()).items() if "password" not in key}
    ports = len(told.get("host", "").split(",")) * [told["port"]] if "port" in told else []
    expected = {**told, "port": ",".join(ports)} if ports and "," not in told["port"] else told
    assert conninfo.conninfo_to_dict(shown) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("mysql://me:hidden@a/b", "begins with postgresql://, not with mysql://"),
        ("postgresql+psycopg://me:hidden@a/b", "not with postgresql+psycopg://"),
        ("jdbc:postgresql://me:hidden@a/b", "neither a URL"),
        ("/var/run/postgresql", "neither a URL"),
        ("hidden", "neither a URL"),
        ("postgresql://me:hid den@a/b", "a blank in a URL is written %20"),
        ("postgresql://me:hidden%@a/b", "a percent sign in a URL is written %25"),
        ("postgresql://me:hid%00den@a/b", "a character of the value 0"),
        ("postgresql://me:hidden%ff@a/b", "not UTF-8"),
        ("host=a password=hidden\udcff", "not UTF-8"),
        ("host=a password=hidden\0", "value 0"),
        ("postgresql://me:hidden@half@a/b", "@ is written %40"),
        ("postgresql://me:hidden/half@a/b", "/ is written %2F"),
        ("postgresql://me:12/hidden@a/b", "/ is written %2F"),
        ("postgresql://me:hidden", "a port is not a number"),
        ("postgresql://a:b:hidden/c", "a port is not a number"),
        ("host=a port=hidden", "a port is not a number"),
        ("host=a port=0", "from 1 to 65535, not 0"),
        ("host=a port=5432,99999", "from 1 to 65535, not 99999"),
        ("host=a,b,c port=1,2", "several ports, but not one for each host"),
        ("hots=a dbname=b", "libpq knows no word hots"),
        ("hots=a password=hidden", "a word in it is none of libpq's"),
        ("password=my hidden host=a", "stands without quotes"),
        ("password='hidden host=a", "half of a quote is missing"),
        ("postgresql://me:hidden@a/b?sslmod=require", "a word in it is none of libpq's"),
        ("postgresql://me:hidden@[::1/b", "a word in it"),
    ],
)
def test_what_is_wrong_with_an_address(text, says):
    """It is said without a word of what may be a password, and is the user's mistake, not ours."""
    with pytest.raises(DatabaseAddressInvalid) as caught:
        read(text, OPTION)
    assert isinstance(caught.value, UsageError)
    assert says in str(caught.value)
    assert OPTION in str(caught.value)
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    assert "hid" not in str(caught.value).split(OPTION)[1]
    assert caught.value.__cause__ is caught.value.__context__ is None


_ODD = st.text(st.sampled_from("abS/@:?#%&= '\\,[]+.é\n2F"), min_size=6, max_size=14).map(lambda text: f"Zq{text}qZ")


@given(
    _ODD,
    st.sampled_from(
        [
            "postgresql://me:{}@a:5432/b",
            "postgresql://me:{}@a,b/c?sslmode=require",
            "postgresql://a/b?password={}",
            "postgresql://a/b?user=me&sslpassword={}&connect_timeout=1",
            "host=a password={} dbname=b",
            "password={}",
            "host=a password='{}'",
            "host=a sslpassword={} port=1",
        ]
    ),
)
@example("Zq/b@cqZ", "postgresql://me:{}@a:5432/b")
@example("Zq b=c qZ", "password={}")
def test_no_password_is_ever_shown(password, form):
    """Whatever a password holds and wherever it was put, rightly quoted or not, neither address nor error shows a piece of it."""
    try:
        address = read(form.format(password), OPTION)
    except DedupError as error:
        told = f"{error} {error.hint} {error!r} {vars(error)}"
    else:
        told = f"{address.shown()} {address} {address!r}"
        whole = conninfo.conninfo_to_dict(form.format(password)).get("password", "")
        if password == whole:
            assert password not in address.without_secrets(f"x {password} x")
    assert "Zq" not in told
    assert "qZ" not in told


def test_no_log_has_a_password(caplog):
    """Nothing is logged while an address is read, at any level."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DatabaseAddressInvalid):
        read("postgresql://me:hidden@half@a/b", OPTION)
    read("postgresql://me:hidden@a/b", OPTION)
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("secret", "text", "left"),
    [
        ("hidden", "password hidden", "password ***"),
        ("p@ss w", "p%40ss%20w and p@ss w", "*** and ***"),
        ("a", "database a", "database a"),
        ("postgres", 'user "postgres"', 'user "postgres"'),
    ],
    ids=["as it is", "as in a URL", "no password worth the name", "what is shown anyway"],
)
def test_a_password_is_taken_out_of_a_text(secret, text, left):
    """Whoever quotes it, it is not passed on; what the address shows by itself stays readable."""
    assert Address({"user": "postgres", "password": secret}).without_secrets(text) == left


# --- what libpq is told -------------------------------------------------------------------------------------------

DEFAULTS = {
    "connect_timeout": "3",
    "tcp_user_timeout": "10000",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "fallback_application_name": "export-dedup",
    "client_encoding": "UTF8",
}


def test_defaults_are_for_what_nobody_decided():
    """The address stands above them, with its password; the encoding is not to be chosen."""
    address = read("postgresql://me:hidden@a/b?connect_timeout=9&keepalives_idle=7&client_encoding=latin1", OPTION)
    own = {
        "user": "me",
        "password": "hidden",
        "host": "a",
        "dbname": "b",
        "connect_timeout": "9",
        "keepalives_idle": "7",
    }
    assert address.parameters() == {**DEFAULTS, **own}
    assert address.parameters() == address.parameters(reading=True)


def test_the_environment_and_a_service_decide_too(monkeypatch, tmp_path):
    """What libpq takes from there is not told otherwise."""
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "8")
    assert "connect_timeout" not in read("host=a", OPTION).parameters()
    services = tmp_path / "services"
    services.write_text("# [team]\n[other]\nhost=x\n[team]\nhost=a,b\nkeepalives_idle = 5\n#port=1\npassword=hidden\n")
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    told = read("service=team", OPTION)
    assert "keepalives_idle" not in told.parameters()
    assert "host" not in told.parameters()
    assert told.parameters()["target_session_attrs"] == "read-write"
    assert told.without_secrets("hidden") == "***"
    assert not told.has_secret
    monkeypatch.setenv("PGSERVICE", "team")
    assert read("dbname=b", OPTION).parameters()["target_session_attrs"] == "read-write"
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "missing"))
    assert "target_session_attrs" not in read("service=team", OPTION).parameters()


@pytest.mark.parametrize(
    ("asked", "writing", "reading"),
    [
        (None, "read-write", "any"),
        ("any", "read-write", "any"),
        ("prefer-standby", "read-write", "prefer-standby"),
        ("read-only", "read-write", "read-only"),
        ("standby", "read-write", "standby"),
        ("primary", "primary", "primary"),
        ("read-write", "read-write", "read-write"),
    ],
)
def test_of_several_hosts_the_one_that_fits(monkeypatch, asked, writing, reading):
    """A writer never asks for a server that takes no changes; a reader asks for what the address says, wherever it says it."""
    told = f"&target_session_attrs={asked}" if asked else ""
    for address in (
        read(f"postgresql://a,b/c?user=me{told}", OPTION),
        read(f"hostaddr=1.1.1.1,2.2.2.2 {told[1:]}", OPTION),
    ):
        assert address.parameters()["target_session_attrs"] == writing
        assert address.parameters(reading=True)["target_session_attrs"] == reading
    if asked:
        monkeypatch.setenv("PGTARGETSESSIONATTRS", asked)
        assert read("host=a,b", OPTION).parameters()["target_session_attrs"] == writing
        assert "target_session_attrs" not in read("host=a", OPTION).parameters()


# --- where it is told ---------------------------------------------------------------------------------------------


def test_the_option_stands_above_the_environment():
    """Each is said to be where an address came from; without any it is said how to name one."""
    assert find("host=a", {VARIABLE: "host=b"}).origin == OPTION
    assert find(None, {VARIABLE: "host=b"}).shown() == "postgresql://b/"
    with pytest.raises(DatabaseAddressInvalid, match=VARIABLE):
        find(None, {VARIABLE: "nothing"})
    for environment in ({}, {VARIABLE: ""}):
        with pytest.raises(DatabaseAddressInvalid) as caught:
            find(None, environment)
        assert OPTION in caught.value.hint
        assert VARIABLE in caught.value.hint


def test_the_environment_is_the_real_one(monkeypatch):
    """Unless a test says otherwise."""
    monkeypatch.setenv(VARIABLE, "postgresql://me:hidden@b/")
    assert find(None).shown() == "postgresql://me@b/"


@pytest.mark.parametrize(
    ("text", "exposed"),
    [
        ("postgresql://me:hidden@a/b", True),
        ("postgresql://a/b?sslpassword=hidden", True),
        ("host=a password='hidden and more'", True),
        ("postgresql://me@a/b", False),
        ("service=team", False),
        ("postgresql://me:hid den@a/b", False),
    ],
    ids=["a URL", "a key's", "words", "no password", "a service", "refused where it is used"],
)
def test_an_exposed_password_is_told(text, exposed):
    """What is said of it names the option in which it stands and what to do instead, and nothing of the address."""
    said = exposure(text, "--to")
    assert said == (EXPOSED.format(option="--to") if exposed else "")
    assert SECRET not in said
    assert exposure(text) == said.replace("--to", OPTION)
    assert VARIABLE in EXPOSED


def test_a_copy_shows_no_more():
    """Neither does a copy of an address, nor one among others."""
    address = read("postgresql://me:hidden@a/b", OPTION)
    assert SECRET not in f"{[copy.copy(address)]} {(address,)} {[address]!s}"
