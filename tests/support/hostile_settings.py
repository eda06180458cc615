"""Files of settings that somebody might put into a repository, to have secrets published, messages lost or hooks hang."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Callable, Union

from deduplication.project import config

Hostile = Union[bytes, Callable[[Path], None]]
LOOSE = {
    "hooks": [False, "false", 0, None],
    "capture_transcripts": [False, [], "no"],
    "archive_transcripts": [False, 0],
    "compact_context": ["x" * 1000],
    "command_banner": ["model", "sh -c id", ["model"]],
    "hook_checkpoint": ["never", {}],
    "session_files": ["../../..", True, "session\n"],
    "pack_older_than_days": [0, 1e308, 10**30, "0", True],
    "backup_retention_days": [0, 0.0001, "now", False],
    "user_store": [False, None],
    "readme_checkpoints": [True, 1, "true"],
    "commit_hooks": [True, 1, "yes"],
    "commit_signing": [False, 0],
    "privacy_level": ["private", "PRIVATE", "private ", ["private"], {"level": "private"}],
    "privacy_allow": [
        [".*"],
        ["ghp_\\w+"],
        ["rule:github-token"],
        ".*",
        {"x": ".*"},
        ["(a+)+$"],
        [".*"] * 5_000,
        [["x"]],
    ],
    "privacy_detect_secrets": [False],
    "alerts": [False, 0],
    "alert_targets": [{"x": "json://evil.example/"}, {"x": "${HOME}"}, "json://evil.example", [["x"]]],
    "alert_level": ["critical", "none", 1],
    "alert_quiet_hours": ["00:00-23:59", "25:00-99:99", "x" * 1000],
    "alert_disk_percent": [0, 100, -1, 1e308, True],
    "alert_backup_days": [0, "never"],
}
PATTERNS = [
    {"x": "(?:a|aa)" * 34 + "!"},
    {"x": "a{0,32}" * 6 + "b"},
    {"x": "(a+)+$"},
    {"x": "(?:a|ab|b)*c"},
    {"x": ".*a.*a.*a.*!"},
    {"x": "(?=(a+)+!)x"},
    {"x": "(" * 5_000 + ")" * 5_000},
    {"x": "a" * 100_000},
    {"x": "(?i)" + "[\\0-\\uffff]" * 60},
    {"x": "("},
    {"x": ""},
    {"x": None},
    {"X Y": "a"},
    {"": "a"},
    {"x": "a{4294967295}"},
    {"x": "(?:(?:a{1000}){1000}){1000}"},
    {"x": "(?P<n>a)(?P=n)*!"},
    {f"p{n}": f".*?secret{n}" for n in range(100)},
    {f"p{n}": "x" for n in range(20_000)},
    [1, 2],
    "a",
    None,
    {"github-token": "never-matches"},
]


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 << 20)


def _large(path: Path) -> None:
    path.write_bytes(b'{"privacy_allow": [".*"], "x": "' + b"a" * (100 << 20) + b'"}')


def _outside(path: Path) -> None:
    other = path.parent.parent.parent / f"{path.parent.parent.name}-elsewhere.json"
    other.write_text('{"privacy_allow": [".*"]}', encoding="utf-8")
    path.symlink_to(other)


def _no_access(path: Path) -> None:
    path.write_text('{"privacy_allow": [".*"]}', encoding="utf-8")
    path.chmod(0)


_DEEP = 50_000
ODD: dict[str, Hostile] = {
    "empty": b"",
    "zeros": bytes(4096),
    "a byte order mark": b'\xef\xbb\xbf{"privacy_allow": [".*"]}',
    "UTF-16": '{"privacy_allow": [".*"]}'.encode("utf-16"),
    "no UTF-8": b'{"privacy_allow": ["\xff"], "hooks": false}',
    "NaN": b'{"pack_older_than_days": NaN, "backup_retention_days": -Infinity, "hooks": NaN}',
    "a million digits": b'{"backup_retention_days": ' + b"9" * 200_000 + b"}",
    "a million digits, negative": b'{"backup_retention_days": -' + b"9" * 200_000 + b"}",
    "many decimals": b'{"backup_retention_days": 0.' + b"0" * 200_000 + b"1}",
    "a large exponent": b'{"backup_retention_days": 1e99999999, "pack_older_than_days": -1e-99999999}',
    "a name twice": b'{"privacy_level": "public", "privacy_level": "private", "privacy_allow": [".*"]}',
    "a list": b'[{"privacy_allow": [".*"]}]',
    "a text": b'"privacy_allow"',
    "two objects": b'{} {"privacy_allow": [".*"]}',
    "comments": b'{/* x */ "privacy_allow": [".*"]}',
    "deep lists": b"[" * _DEEP + b"]" * _DEEP,
    "deep objects": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "deep in a setting": b'{"privacy_patterns": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}",
    "many names": json.dumps({f"name {n}": n for n in range(10_000)}).encode(),
    "letters that look like it": '{"privacy_аllow": [".*"], "ｐrivacy_allow": [".*"]}'.encode(),
    "capitals": b'{"PRIVACY_ALLOW": [".*"], "Hooks": false}',
    "lone surrogates": b'{"\\ud800": "\\udfff", "privacy_allow": ["\\ud800"], "privacy_patterns": {"\\udc00": "\\ud800"}}',
    "control characters": b'{"\\u001b]52;c;x\\u0007": 1, "x\\ny": 2, "privacy_allow": ["\\u0000"]}',
    "the name of our own": json.dumps({config.FAULT: "", "privacy_allow": [".*"]}).encode(),
    "all at once": json.dumps({name: values[0] for name, values in LOOSE.items()}).encode(),
    "100 MB": _large,
    "100 MB of nothing": _sparse,
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a link to itself": _link("config.json"),
    "a link to nowhere": _link("/nonexistent/config.json"),
    "a link to a device": _link("/dev/zero"),
    "a link to a terminal": _link("/dev/tty"),
    "a link to the process": _link("/proc/self/environ"),
    "a link out of the project": _outside,
    "not readable": _no_access,
}
FILES: dict[str, Hostile] = {
    **{
        f"{name} {n}": json.dumps({name: value}).encode()
        for name, values in LOOSE.items()
        for n, value in enumerate(values)
    },
    **{f"patterns {n}": json.dumps({"privacy_patterns": value}).encode() for n, value in enumerate(PATTERNS)},
    **ODD,
}
"""By what is wrong with each: the bytes of the file, or what puts something else in its place."""


def bring(root: Path, hostile: Hostile) -> None:
    """Put such a file into the project in the folder ``root``."""
    path = root / config.FILE
    path.parent.mkdir(exist_ok=True)
    if callable(hostile):
        hostile(path)
    else:
        path.write_bytes(hostile)
