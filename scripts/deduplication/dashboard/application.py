"""Addresses and answers. Nothing is changed by reading; who may ask is settled before anything else is looked at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final, Optional

from ..errors import DedupError, SessionUnknown, UsageError
from ..sessions.html.script import SCRIPT
from ..sessions.html.style import STYLE
from . import extra, reader, searching
from .access import COOKIE
from .drawing import environment
from .subject import conversation_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .access import Access, Caller
    from .board import Board
    from .origins import Place
    from .subject import Subject

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all, browsers do not say of our own forms that they are ours
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
LARGEST_BODY: Final = 64 * 1024
"""Bytes of what a request may send."""
_OPEN: Final = ("/static/", "/favicon.ico")
"""What anybody may have: it says nothing of the store."""
_STATIC: Final = os.path.join(os.path.dirname(__file__), "static")
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_MADE: Final = {"session.css": STYLE, "session.js": SCRIPT}
"""Style and script of a conversation's page."""


def application(
    subject: Subject,
    board: Board,
    access: Access,
    place: Place,
    metrics: Callable[[], str],
) -> Any:
    """The application (WSGI). ``metrics`` gives the store's figures in Prometheus' text format. Raises ``PackageMissing``."""
    app = extra.flask().Flask(__name__, static_folder=None, template_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY)
    answers = _Answers(subject, board, access, place, metrics)
    app.before_request(answers.admit)
    app.after_request(_with_headers)
    add = app.add_url_rule
    add("/", "page", answers.page)
    add("/panels", "panels", answers.panels)
    add("/search", "search", answers.search)
    add("/conversation/<key>", "conversation", answers.conversation)
    add("/metrics", "metrics", answers.metrics)
    add("/logout", "logout", answers.logout, methods=["POST"])
    add("/static/<name>", "static", answers.static)
    add("/favicon.ico", "favicon", lambda: answers.static("favicon.svg"))
    for code in (401, 403, 404, 405, 413, 429, 500):
        app.register_error_handler(code, answers.refused)
    app.register_error_handler(DedupError, answers.failed)
    return app


def _with_headers(answer: Any) -> Any:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
    return answer


class _Answers:
    """What is answered, and to whom."""

    def __init__(
        self, subject: Subject, board: Board, access: Access, place: Place, metrics: Callable[[], str]
    ) -> None:
        self._subject, self._board, self._access, self._place, self._metrics = subject, board, access, place, metrics
        self._flask = extra.flask()
        self._templates = environment()
        self._searches = searching.Searches(subject)

    # -- who may ask -----------------------------------------------------------------------------------------------

    def admit(self) -> Any:
        """Nothing where the request is to be answered; else what is answered instead."""
        request, abort = self._flask.request, self._flask.abort
        headers = request.headers
        if not self._place.allows_host(headers.get("Host", "")):
            abort(403, "This name is not one of the dashboard's.")
        changes = request.method not in ("GET", "HEAD", "OPTIONS")
        if not (self._place.allows_change(headers) if changes else self._place.allows_origin(headers)):
            abort(403, "Another site asked for this.")
        address = request.remote_addr or ""
        caller = self._access.caller(request.cookies.get(COOKIE, ""), headers, address)
        self._count(caller, address)
        if request.path.startswith(_OPEN):
            return None
        if caller is None and request.path == "/" and request.method == "GET" and "token" in request.args:
            return self._let_in(address)
        if caller is None:
            abort(401, "Open the address that the dashboard printed when it was started: it has the key in it.")
        return None

    def _count(self, caller: Optional[Caller], address: str) -> None:
        wait = self._access.requests.wait(caller.name if caller is not None else address)
        if not wait and caller is not None and self._flask.request.path == "/search":
            wait = self._access.searches.wait(caller.name)
        if wait:
            self._too_many(wait)

    def _too_many(self, wait: float) -> None:
        self._flask.abort(429, f"Too many requests. Ask again in {int(wait) + 1} s.")

    def _let_in(self, address: str) -> Any:
        """A cookie for the token, and the same page without it: it stays in no history."""
        wait = self._access.failures.wait(address)
        if wait:
            self._too_many(wait)
        if not self._access.fits(self._flask.request.args["token"]):
            self._flask.abort(401, "This key is not the dashboard's: each start makes another one.")
        self._access.failures.forgive(address)
        answer = self._flask.redirect(f"{self._place.prefix}/", 303)
        answer.set_cookie(
            COOKIE,
            self._access.begin(),
            path=f"{self._place.prefix}/",
            httponly=True,
            samesite="Strict",
            secure=self._place.is_secure,
        )
        return answer

    def logout(self) -> Any:
        """The cookie is good for nothing any more."""
        self._access.end(self._flask.request.cookies.get(COOKIE, ""))
        answer = self._flask.make_response(self._drawn("message.html", title="Signed out", words="You are signed out."))
        answer.delete_cookie(COOKIE, path=f"{self._place.prefix}/")
        return answer

    # -- what is shown ---------------------------------------------------------------------------------------------

    def page(self) -> Any:
        """All panels."""
        shown = self._board.shown()
        return self._drawn("page.html", shown=shown, asked=searching.asked({}), kinds=searching.FINDABLE)

    def panels(self) -> Any:
        """Those that changed, as JSON; 304 where none did."""
        request = self._flask.request
        shown = self._board.shown()
        since = _whole(request.args.get("since", "")) or 0
        answer = self._flask.make_response(self._board.json(since))
        answer.content_type = "application/json"
        answer.set_etag(shown.tag)
        answer.headers["Cache-Control"] = "no-cache, private"
        return answer.make_conditional(request)

    def search(self) -> Any:
        """Hits: a page, or with ``part`` the list alone."""
        request = self._flask.request
        asked = searching.asked(request.args)
        found = self._searches.find(asked)
        name = "hits.html" if request.args.get("part") else "search.html"
        return self._drawn(name, asked=asked, found=found, kinds=searching.FINDABLE)

    def conversation(self, key: str) -> Any:
        """A conversation, some messages of it."""
        arguments = self._flask.request.args
        first, number = (_whole(arguments.get(name, "")) for name in ("from", "message"))
        return reader.document(self._subject, conversation_of(key), first or 0, number)

    def metrics(self) -> Any:
        """For Prometheus."""
        answer = self._flask.make_response(self._metrics())
        answer.content_type = "text/plain; version=0.0.4; charset=utf-8"
        return answer

    def static(self, name: str) -> Any:
        """A file of ours. The names are those that there are: nothing else is opened."""
        ending = os.path.splitext(name)[1]
        if name in _MADE:
            data = _MADE[name].encode()
        elif name in os.listdir(_STATIC) and ending in _TYPES:
            with open(os.path.join(_STATIC, name), "rb") as file:
                data = file.read()
        else:
            self._flask.abort(404, "There is no such file.")
        answer = self._flask.make_response(data)
        answer.content_type = f"{_TYPES[ending]}; charset=utf-8"
        answer.add_etag()
        answer.headers["Cache-Control"] = "no-cache"
        return answer.make_conditional(self._flask.request)

    # -- what could not be ---------------------------------------------------------------------------------------

    def refused(self, error: Any) -> Any:
        """A page with the reason, or a line where a program asks."""
        return self._told(error.code, error.name, str(error.description))

    def failed(self, error: DedupError) -> Any:
        """What a store, a reader or a search says."""
        code = 404 if isinstance(error, (SessionUnknown, UsageError)) else 503
        return self._told(code, "It could not be shown", " ".join(filter(None, (f"{error}.", error.hint))))

    def _told(self, code: int, title: str, words: str) -> Any:
        flask = self._flask
        answer = flask.make_response(self._drawn("message.html", title=title, words=words), code)
        if code == 429:
            answer.headers["Retry-After"] = "1"
        return answer

    def _drawn(self, name: str, **more: Any) -> str:
        template = self._templates.get_template(name)
        return str(template.render(root=self._place.prefix, subject=self._subject, **more))


def _whole(text: str) -> Optional[int]:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
