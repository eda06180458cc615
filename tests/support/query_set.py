"""Some hundred queries of eight kinds, and made-up texts in which some of them are found, some almost, and some not at all."""

from __future__ import annotations

import random

LINE = 76


def _split(text):
    return text.split()


_WORDS = _split(
    "harbour tide table crane ledger lantern copper signal window column index branch merge order "
    "deduplication deduplicate dedup undeduped store storage restored compaction Straße Café "
    "naïve cafe\u0301 Mañana İzmir ﬁle ｆｕｌｌ Größe пароль Пример σίγμας ΣΊΓΜΑΣ don't "
    "e-mail C++ #42 100% v2.1.197 yes no o a ok "
)
_NAMES = _split(
    "ClaudeConversationDeduplicator processExport process_export HTTPServer getHTTPResponse "
    "XMLHttpRequest tideClock tide_clock TIDE_CLOCK tide-clock sha256Sum toolu_01AbCdEfGhIjKl iOS "
    "parseURL __init__ self.store.log std::vector<int> foo(bar,baz) node_modules/@types/react-dom "
    "aB3dE5Gh7jK9Lm1Nq "
)
_PATHS = _split(
    "/home/ann/projects/rollout-master/MEMORY-CONTEXT/dedup_state/conversation_log.jsonl "
    "src/mod_12/file_7.py "
    "https://example.org/harbour/tides/2026-03-04/table-of-high-waters.html?from=bergen&to=oslo#noon "
    "C:\\Users\\Ann\\notes.txt "
    "submodules/core/coditect-core/scripts/deduplication/storage/append_only_log.py:128 "
    "~/.config/export-dedup/config.json "
)
_CHARACTERS = _split(
    "潮汐时钟 港口的起重机 灯塔在北边 東京都港区の潮位表 カタカナ ｶﾞｲﾄﾞ かな混じり文 한국어검색 학교에서 조수시계 "
    "ภาษาไทยไม่มีช่องว่าง ພາສາລາວ မြန်မာ ភាសាខ្មែរ 葛󠄀城 ㍿ "
)
_ODD = (
    *("→", "│", "🔐", "…", "─" * 10, "\u200b", "\u00ad", "\x00", "\ud83d", "½", "㎏", "Ⅳ", "①②", "300\u212a", "\u0301"),
    *("\x01", "“”", "''", "한국어 검색", "조수 시계", "foo(bar, baz)"),
)


def _queries(text):
    """Queries between semicolons, their arguments between commas."""
    return [[argument.strip() for argument in query.split(",")] for query in text.split(";")]


QUERIES = {
    "words": _queries(
        "harbour; tide, table; ledger, crane, lantern; dedup; store; window, column; yes; o; "
        'merge, order, branch, index; 100; compaction; "store"'
    ),
    "phrases": _queries(
        '"tide table"; tide table; "harbour crane"; "the tide"; "merge order"; "yes no"; '
        '"index branch" crane; "column window" "tide table"; "a o"; "store storage restored"; '
        '"dedup store"; "copper signal*"'
    ),
    "prefixes": _queries(
        'har; dedup*; dedupl; "tide ta*"; st; co, si; rest*; lan*, led; comp; t; "merge o*"; index bra*'
    ),
    "scripts without blanks": _queries(
        "潮汐; 潮; 时钟; 起重; 東京; の; カタ; ガイド; ドが; 한국; 검색; 학교; ไทย; ไม่มี; ລາວ; ខ្មែរ; 葛城; "
        '株式; "조수 시계"; 潮位表, 港区'
    ),
    "case and accents": _queries(
        "HARBOUR; Tide; strasse; STRASSE; café; cafe\u0301; CAFÉ; cafe; ΣΊΓΜΑΣ; Пароль; file; full; izmir; mañana"
    ),
    "names in code": _queries(
        "deduplicator; processExport; process_export; server; HTTPResponse; request; clock; tide_clock; "
        "sha256; self.store.log; std::vector; conversationDedup"
    ),
    "paths and addresses": _queries(
        "dedup_state/conversation_log.jsonl; src/mod_12/file_7.py; high-waters.html; append_only_log; "
        "coditect-core; https://example.org/harbour; rollout-master/MEMORY; deduplication/storage"
    ),
    "not there, and odd": _queries('lighthouse; zebra*; "table tide clock harbour"; 灯台; don\'t; C++; #42; ½; 300k'),
}
"""By kind; each is a list of arguments."""
ALL = [query for queries in QUERIES.values() for query in queries]


def _sentence(drawn):
    kinds = (_WORDS, _WORDS, _WORDS, _NAMES, _PATHS, _CHARACTERS, _ODD)
    words = (drawn.choice(drawn.choice(kinds)) for _ in range(drawn.randrange(1, 40)))
    return "".join(word + drawn.choice((" ", " ", " ", ", ", ". ", "\n", "")) for word in words)


def _laid_out(text, width, indentation):
    """As a terminal shows it: cut where it is full, whatever stands there."""
    lines = []
    for line in text.split("\n"):
        lines += [line[start : start + width] for start in range(0, len(line), width)] or [""]
    return f"\n{indentation}".join(lines)


def texts(count=400, seed=7):
    """Made-up texts, half of them laid out for some screen."""
    drawn = random.Random(seed)
    made = []
    for number in range(count):
        text = _sentence(drawn)
        if number % 2:
            text = _laid_out(text, drawn.choice((20, 40, LINE)), drawn.choice(("", "  ", "\t")))
        made.append(text)
    return made
