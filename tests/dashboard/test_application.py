"""Addresses and answers, with Flask's client."""

from __future__ import annotations

import hashlib
import json
import re
import time

import pytest

import dashboard_scenes as scenes
from dashboard_scenes import HOST, ORIGIN
from deduplication import ClaudeConversationDeduplicator
from deduplication.dashboard import access, application, gap_watch
from deduplication.dashboard.origins import Place
from deduplication.metrics.families import text_of
from deduplication.metrics.measurement import measure
from hostile import ATTACKS
from in_process import call

PAGES = ("/", "/panels", "/search?q=tide", "/search", "/conversation/rollout-master", "/metrics")
OPEN = ("/favicon.ico", "/static/dashboard.css", "/static/uplot.js", "/static/session.js", "/static/uplot.LICENSE.txt")


def digest(folder):
    """Every file of a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    "path", [*PAGES, *OPEN, "/nothing", "/static/nothing", "/conversation/nobody", "/?token=wrong"]
)
def test_every_answer_has_the_headers(dashboard, path):
    """Whatever is asked, whoever asks: the policy without inline code, no framing, no guessing of types, no address passed on."""
    for client in (dashboard.client, dashboard.app.test_client()):
        answer = client.get(path, base_url=ORIGIN)
        assert answer.headers["Content-Security-Policy"] == application.HEADERS["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        for name in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"):
            assert answer.headers[name] == application.HEADERS[name]
        assert answer.headers["Cache-Control"] in ("no-store", "no-cache", "no-cache, private")
        assert answer.headers.get("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/?token=wrong", "/?token="])
def test_nobody_else_sees_anything(dashboard, path):
    """Without cookie and token there is nothing of the store in the answer, not even whether the address exists."""
    answer = dashboard.app.test_client().get(path, base_url=ORIGIN)
    assert answer.status_code == 401
    for word in ("tides", "rollout", "harbour", str(dashboard.subject.state)):
        assert word not in answer.text


@pytest.mark.parametrize("path", OPEN)
def test_what_says_nothing_is_for_all(dashboard, path):
    """Style, scripts and the icon: the page that refuses has them, too. They are asked for again only where they changed."""
    client = dashboard.app.test_client()
    answer = client.get(path, base_url=ORIGIN)
    assert answer.status_code == 200
    again = client.get(path, base_url=ORIGIN, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "name", ["../application.py", "..%2fapplication.py", "%2e%2e/access.py", ".", "", "nothing.js", "templates"]
)
def test_no_other_file_is_given(dashboard, name):
    """Only files that lie in the folder, by their names."""
    assert dashboard.get(f"/static/{name}").status_code in (404, 308)


def test_the_first_address_lets_in_once_and_leaves_no_key_behind(dashboard):
    """The key becomes a cookie that no script reads and no other site sends; the address that stays has no key."""
    answer = dashboard.app.test_client().get(f"/?token={dashboard.access.token}", base_url=ORIGIN)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert re.fullmatch(rf"{access.COOKIE}=[\w-]{{43}}; HttpOnly; Path=/; SameSite=Strict", cookie)
    assert dashboard.access.token not in cookie


def test_behind_tls_the_cookie_stays_behind_tls(project):
    """And below the path that the proxy gives."""
    dashboard = scenes.Dashboard(
        scenes.state_of(project), place=Place("127.0.0.1", 8377, "https://d.example.org/tides")
    )
    answer = dashboard.client.get(
        f"/?token={dashboard.access.token}", base_url="https://d.example.org", headers={"Host": "d.example.org"}
    )
    assert answer.headers["Location"] == "/tides/"
    assert "; Secure;" in answer.headers["Set-Cookie"]
    assert "Path=/tides/" in answer.headers["Set-Cookie"]
    assert 'href="/tides/static/dashboard.css"' in answer.text or answer.status_code == 303


def test_guessing_the_key_is_slow(dashboard):
    """After a few wrong ones of an address the right one has to wait, too; somebody else's has not."""
    client = dashboard.app.test_client()
    codes = [client.get("/?token=guess", base_url=ORIGIN).status_code for _ in range(12)]
    assert codes[:10] == [401] * 10
    assert set(codes[10:]) == {429}
    assert client.get(f"/?token={dashboard.access.token}", base_url=ORIGIN).status_code == 429
    other = {"REMOTE_ADDR": "10.1.2.3"}
    path = f"/?token={dashboard.access.token}"
    assert client.get(path, base_url=ORIGIN, environ_base=other).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8377", "192.168.0.7:8377", "127.0.0.1"])
def test_another_name_for_this_machine_is_refused(dashboard, host):
    """DNS rebinding: the page's own name leads here, and its cookies would not, but the key might be tried."""
    for path in (*PAGES, f"/?token={dashboard.access.token}", "/static/uplot.js"):
        assert dashboard.get(path, Host=host).status_code == 403


def test_another_site_reads_nothing(dashboard):
    """Even with a cookie, which browsers do not send along."""
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}):
        assert dashboard.get("/panels", **headers).status_code == 403


def test_nothing_is_changed_by_reading(dashboard, project):
    """Every address, asked again and again: no file of the project is another one, and no method but GET is taken."""
    before = digest(project)
    for path in PAGES:
        assert dashboard.get(path).status_code == 200
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = dashboard.client.open(path, base_url=ORIGIN, method=method, headers={"Origin": ORIGIN})
            assert answer.status_code == 405
    dashboard.later()
    assert digest(project) == before


def test_signing_out(dashboard):
    """By a form of ours alone; then the cookie opens nothing."""
    assert dashboard.get("/logout").status_code == 405
    for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}):
        assert dashboard.client.post("/logout", base_url=ORIGIN, headers=headers).status_code == 403
    cookie = dashboard.client.get_cookie(access.COOKIE, domain="127.0.0.1")
    assert dashboard.client.post("/logout", base_url=ORIGIN, headers={"Origin": ORIGIN}).status_code == 200
    kept = {"Cookie": f"{access.COOKIE}={cookie.value}"}
    assert dashboard.app.test_client().get("/", base_url=ORIGIN, headers=kept).status_code == 401


def test_a_program_has_no_cookie(dashboard):
    """The key as a bearer token, as Prometheus sends it."""
    client = dashboard.app.test_client()
    headers = {"Authorization": f"Bearer {dashboard.access.token}"}
    assert client.get("/metrics", base_url=ORIGIN, headers=headers).status_code == 200
    assert client.get("/metrics", base_url=ORIGIN, headers={"Authorization": "Bearer x"}).status_code == 401


def test_too_many_requests(dashboard):
    """Whoever asks without end is told to wait; somebody else is not. Searches have a smaller rate."""
    codes = [dashboard.get("/panels").status_code for _ in range(int(access.REQUESTS.burst) + 5)]
    assert codes[0] == 200
    assert codes[-1] == 429
    other = dashboard.app.test_client()
    assert (
        other.get(
            f"/?token={dashboard.access.token}", base_url=ORIGIN, environ_base={"REMOTE_ADDR": "10.9.9.9"}
        ).status_code
        == 303
    )
    searches = [other.get("/search?q=zz", base_url=ORIGIN).status_code for _ in range(int(access.SEARCHES.burst) + 1)]
    assert searches == [200] * int(access.SEARCHES.burst) + [429]
    dashboard.now += 3600
    assert dashboard.get("/panels").status_code == 200


def test_what_is_sent_is_small(dashboard):
    """A body that nobody asked for is not read to its end."""
    data = b"x" * (application.LARGEST_BODY + 1)
    answer = dashboard.client.post("/logout", base_url=ORIGIN, headers={"Origin": ORIGIN}, data=data)
    assert answer.status_code in (200, 413)


# -- panels --------------------------------------------------------------------------------------------------------------


def test_panels_follow_the_store(dashboard, project):
    """304 while nothing changed; after a run those that changed, and only those, by number and by tag."""
    first = dashboard.get("/panels")
    told = json.loads(first.data)
    assert {"overview", "trends", "backups"} <= set(told["panels"])
    assert dashboard.get("/panels", **{"If-None-Match": first.headers["ETag"]}).status_code == 304
    assert json.loads(dashboard.get(f"/panels?since={told['number']}").data)["panels"] == {}
    dedup = ClaudeConversationDeduplicator(scenes.state_of(project))
    dedup.ingest(scenes.numbered("another", range(3)), name="another.json", conversation_id="another")
    dashboard.later()
    after = dashboard.get(f"/panels?since={told['number']}", **{"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200
    changed = json.loads(after.data)["panels"]
    assert {"overview", "conversations", "growth", "runs"} <= set(changed)
    assert "backups" not in changed
    assert "another" in changed["conversations"]
    assert "another" not in told["panels"]["conversations"]


@pytest.mark.parametrize("since", ["x", "-1", "99999999999999999999", "1e3", "٣", ""])
def test_a_number_that_is_none_gives_all_panels(dashboard, since):
    """What a page of another process remembers, or somebody types."""
    assert len(json.loads(dashboard.get(f"/panels?since={since}").data)["panels"]) >= 12


def test_the_figures_are_those_of_stats(dashboard, project):
    """Each number of the overview is one of the measurement that ``stats`` and Prometheus have."""
    measured = measure(ClaudeConversationDeduplicator(scenes.state_of(project)), str(scenes.state_of(project)))
    shown = {each["name"]: each["value"] for each in dashboard.panel("overview").data["figures"]}
    totals = measured.totals
    assert shown["Conversations"] == f"{totals['conversations']:,}"
    assert shown["Messages stored"] == f"{totals['unique_messages']:,}"
    assert shown["Exports processed"] == f"{totals['exports_processed']:,}"
    assert shown["Duplicates"] == f"{measured.duplicates_pct:.1f} %"
    assert shown["New today"] == f"{measured.growth.today:,}"
    assert shown["Captured, waiting"] == f"{totals['waiting_messages']:,}"
    served = dashboard.get("/metrics").text
    own = re.sub(r"(?m)^.*(free|size|measured|time).*\n", "", text_of(measured))
    assert [line for line in own.splitlines() if line not in served] == []


def test_charts_and_tables_are_one(dashboard):
    """Every chart has its table, with the numbers that it is drawn from; the sums are those of the store."""
    html = dashboard.get("/").text
    charts = re.findall(r'data-chart="(\w+)"', html)
    assert len(charts) >= 7
    for chart in charts:
        table = re.search(rf'<table id="{chart}".*?</table>', html, re.DOTALL)[0]
        assert "<caption>" in table
        assert re.findall(r'data-y="([\d.]+)"', table)
    totals = dashboard.figures.stored().metrics
    messages = dashboard.panel("growth").data["messages"]
    assert messages[-1]["values"] == [sum(run.added for run in dashboard.figures.history.runs)]
    assert len(messages) == 14
    assert dashboard.panel("growth").data["conversations"][-1]["values"] == [totals.totals["conversations"]]
    rows = dashboard.panel("performance").data["rows"]
    assert sum(row["values"][0] for row in rows) == totals.exports.files
    assert sum(row["values"][1] for row in rows) == totals.transcripts.files
    assert dashboard.panel("savings").data["rows"][-1]["values"][0] == sum(
        run.raw for run in dashboard.figures.history.runs
    )


def test_what_is_missing_is_shown(dashboard):
    """The gap of the fifth day, among the gaps and, where its time is known, in the calendar."""
    gaps = dashboard.panel("gaps")
    assert gaps.data["all"] == 1
    assert "index jump" in gaps.html
    assert "with-a-gap" in gaps.html
    calendar = dashboard.panel("calendar").data
    assert sum(day["messages"] for day in calendar["days"]) == sum(run.added for run in dashboard.figures.history.runs)
    assert len(calendar["weekdays"]) == 7
    assert all(len(row["squares"]) == 26 for row in calendar["weekdays"])


def test_layers_add_up(dashboard):
    """What was saved is what was read less what lies on the disk; the files are all of it."""
    data = dashboard.panel("layers").data
    assert sum(each["bytes"] for each in data["saved"]) == data["raw"] - data["stored"]
    assert sum(each["bytes"] for each in data["kept"]) == data["stored"]


# -- search and reader -----------------------------------------------------------------------------------------------------


def test_a_search(dashboard):
    """Hits with their words marked, each leading to its message; the list alone for a page that asks while one types."""
    page = dashboard.get("/search?q=harbour table")
    assert page.status_code == 200
    assert "<mark>harbour</mark>" in page.text
    part = dashboard.get("/search?q=harbour+table&part=1").text
    assert "<html" not in part
    links = re.findall(r'href="(/conversation/[^"#]+)', part)
    assert len(links) == 14
    assert "The harbour table" in dashboard.get(links[0].replace("&amp;", "&")).text
    assert "No message with nowhere" in dashboard.get("/search?q=nowhere&part=1").text
    assert "Type a word" in dashboard.get("/search?part=1").text
    assert "14 messages" in dashboard.get("/search?q=harbour&role=assistant&part=1").text
    assert "No message" in dashboard.get("/search?q=harbour&role=user&part=1").text
    assert "14 messages" in dashboard.get("/search?q=harbour&role=nobody&kind=nothing&part=1").text


def test_a_secret_is_not_shown(project):
    """Where the words found stand beside a key, the key is taken out, as everywhere; it cannot be found out by searching for it."""
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    dedup = ClaudeConversationDeduplicator(scenes.state_of(project))
    data = json.dumps(
        {
            "conversation_id": "secret",
            "messages": [{"index": 0, "role": "user", "content": f"my lantern token {key} is"}],
        }
    )
    dedup.ingest(data.encode(), name="secret.json", conversation_id="secret")
    dashboard = scenes.Dashboard(scenes.state_of(project)).log_in()
    for path in ("/search?q=lantern", f"/search?q={key}", "/conversation/secret", "/", "/panels"):
        answer = dashboard.get(path).text
        assert key not in answer.replace(f'value="{key}"', "").replace(f"<title>{key}", "")
    assert "<mark>lantern</mark>" in dashboard.get("/search?q=lantern").text


def test_a_conversation_in_pages(project):
    """So many messages a page, with the way to the others; a message is found on its page."""
    dedup = ClaudeConversationDeduplicator(scenes.state_of(project))
    dedup.ingest(scenes.numbered("long", range(450)), name="long.json", conversation_id="long")
    dashboard = scenes.Dashboard(scenes.state_of(project)).log_in()
    shown = {}
    for path in ("?", "?from=200", "?from=450", "?message=200", "?message=449", "?from=99999", "?from=x"):
        text = dashboard.get(f"/conversation/long{path}").text
        shown[path] = [int(number) for number in re.findall(r"<article id=m(\d+)", text)]
    assert shown["?"] == shown["?from=x"] == list(range(200))
    assert shown["?from=200"] == shown["?message=200"] == list(range(200, 400))
    assert shown["?from=450"] == shown["?message=449"] == shown["?from=99999"] == list(range(400, 450))
    text = dashboard.get("/conversation/long?from=200").text
    for link in ('href="long?from=0"', 'href="long?from=400"', 'href="../"', "messages 201 to 400 of 450"):
        assert link in text
    assert "<style" not in text
    assert re.findall(r"<script[^>]*>", text) == ['<script src="../static/session.js">']
    assert dashboard.get("/conversation/long?message=450").status_code == 404
    assert dashboard.get("/conversation/nobody").status_code == 404


def test_every_id_has_an_address(project):
    """Also one with slashes, quotes, a NUL and half a character in it: it leads to that very conversation, and to no other."""
    from deduplication.dashboard.subject import conversation_of, key_of

    ids = ["plain-1.txt", "a/b", "../x", "~x", "", 'q"<b>', "nul\0", "half \ud83d", "ü", "x" * 300, ".hidden", "%2e"]
    keys = [key_of(each) for each in ids]
    assert [conversation_of(key) for key in keys] == ids
    assert len(set(keys)) == len(ids)
    assert all(re.fullmatch(r"~?[A-Za-z0-9._-]*", key) for key in keys)
    dashboard = scenes.Dashboard(scenes.state_of(project)).log_in()
    for key in ("~", "~!", "~a", "~" + "A" * 3, "%00", "~%F0"):
        assert dashboard.get(f"/conversation/{key}").status_code == 404


def test_nothing_that_was_said_becomes_an_element(project):
    """Every attack as words, as a title, as a file and as an id, on every page: nothing of them is an element."""
    state = scenes.state_of(project)
    scenes.hostile(ClaudeConversationDeduplicator(state), ATTACKS)
    dashboard = scenes.Dashboard(state).log_in()
    keys = re.findall(r'href="(/conversation/[^"]+)"', dashboard.get("/").text)
    assert len(keys) >= 20
    paths = ["/", "/panels", "/search?q=script", "/search?q=click", "/search?q=<script>1</script>", *keys]
    for number, path in enumerate(paths):
        if number % 40 == 39:
            dashboard.now += 60
        text = dashboard.get(path).text
        text = "".join(json.loads(text)["panels"].values()) if path == "/panels" else text
        tags = {tag.lower() for tag in re.findall(r"<\s*([a-zA-Z][\w:-]*)", text)}
        assert not tags & {"iframe", "object", "embed", "base", "animate", "style"}, path
        assert all(" src=" in tag for tag in re.findall(r"<script[^>]*>", text)), path
        assert re.findall(r"<[^>]*\son\w+\s*=", text) == [], path
        assert re.findall(r'href="?\s*(?:javascript|data):', text, re.IGNORECASE) == [], path


def test_a_store_that_cannot_be_read_says_so(dashboard, project):
    """Each panel what is wrong, in words; and not a trace."""
    state = scenes.state_of(project)
    (state / "conversation_log.jsonl").write_bytes(b"nonsense\n" * 3)
    (state / "index.bin").unlink()
    dashboard.later()
    page = dashboard.get("/")
    assert page.status_code == 200
    assert "Traceback" not in page.text


def test_a_database_says_what_a_folder_says(project, tmp_path, database):
    """Every panel but those of files shows the same of the same runs, through the same questions."""
    root = tmp_path / "in-database" / "tides"
    scenes.fortnight(root, "postgresql", database)
    there = scenes.Dashboard(scenes.state_of(root), "postgresql", database).log_in()
    here = scenes.Dashboard(scenes.state_of(project))
    for name in ("trends", "calendar"):
        assert there.panel(name).data == here.panel(name).data
    gaps = [[{**row, "since": ""} for row in one.panel("gaps").data["rows"]] for one in (there, here)]
    assert gaps[0] == gaps[1]
    for name in ("growth",):
        for part in ("messages", "conversations"):
            assert there.panel(name).data[part] == here.panel(name).data[part]
    keep = ("Conversations", "Messages stored", "Exports processed", "Duplicates", "New today", "Captured, waiting")
    first, second = (
        {each["name"]: each["value"] for each in one.panel("overview").data["figures"] if each["name"] in keep}
        for one in (there, here)
    )
    assert first == second
    assert "The harbour table" in there.get("/conversation/" + scenes.lines.SESSION).text
    assert "<mark>harbour</mark>" in there.get("/search?q=harbour").text
    stores = there.subject.stores
    idle = stores.counts()["idle"]
    with stores.lent(), stores.lent():
        assert stores.counts() == {"lent": 2, "idle": max(0, idle - 2)}
        told = there.get("/metrics").text
    assert re.findall(r'database_pool{[^}]*state="(lent|idle)"[^}]*} (\d+)', told)[0] == ("lent", "2")
    assert stores.counts()["lent"] == 0
    ClaudeConversationDeduplicator(scenes.state_of(root), "postgresql", database).ingest(
        scenes.numbered("new", range(3)), name="new.json", conversation_id="new"
    )
    there.later()
    assert "new" in there.panel("conversations").html
    assert there.get("/").headers["Content-Type"].startswith("text/html")
    assert HOST in ORIGIN


def test_conversations_are_counted_where_something_changed(dashboard, project):
    """By a purge, by a new one, by more of an old one: what is counted is what counting all of them gives."""

    def agree():
        dashboard.later()
        with dashboard.subject.stores.lent() as store, store.transaction(write=False):
            assert dashboard.figures.conversations == {name: store.figures(name) for name in store.conversations()}

    state = scenes.state_of(project)
    assert call("purge", "--session", "with-a-gap", "--yes", "--project", project).returncode == 0
    agree()
    for name in ("begun", "rollout-master"):
        said = scenes.numbered(name, range(70), "rollout")
        ClaudeConversationDeduplicator(state).ingest(said, name=f"{name}.json", conversation_id=name)
        agree()


def test_a_backup_is_shown_once_it_is_made(dashboard, project, tmp_path):
    """Nothing of the store changes by it: it is looked for all the same."""
    assert dashboard.panel("backups").data["rows"] == []
    assert call("backup", "--project", project, tmp_path / "elsewhere").returncode == 0
    dashboard.later()
    assert len(dashboard.panel("backups").data["rows"]) == 1


def test_gaps_are_found_in_the_background_as_at_once(project, monkeypatch):
    """Slowly, in one pass over the log where there are many conversations: the same gaps."""
    state = scenes.state_of(project)
    dedup = ClaudeConversationDeduplicator(state)
    for number in range(12):
        dedup.ingest(scenes.numbered(f"c{number}", [0, 1, 5]), name=f"c{number}.json", conversation_id=f"c{number}")
    monkeypatch.setattr(gap_watch, "_AT_A_TIME", 7)
    figures = scenes.Dashboard(state).figures
    at_once, slowly = gap_watch.GapWatch(figures, at_once=True).gaps(), gap_watch.GapWatch(figures)
    told = slowly.gaps()
    while told["looked"] < told["conversations"]:
        time.sleep(0.02)
        told = slowly.gaps()
    assert at_once["all"] == 13
    assert sorted(told["rows"], key=str) == sorted(at_once["rows"], key=str)
