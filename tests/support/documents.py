"""What documents consist of, and a place where what they show is run: a home with a project, downloads and a checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?"), "TIME"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(?!:)"), "MOMENT"),
    (re.compile(r"\[\d+(?:\.\d)?[smhd]\]"), "[AGE]"),
    (re.compile(r"\d+\.\d\d seconds"), "DURATION"),
    (re.compile(r"(?<=sessions/)\d{4}-\d\d-\d\d"), "DAY"),
    (re.compile(r"\b[0-9a-f]{10}\b"), "COMMIT"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "HEAD"),
)
"""What differs from run to run."""
_FAILED = re.compile(r"❌|^(?:\w+: )?(?:error|ERROR): ", re.MULTILINE)
"""What a command says that does not succeed, ours or the database's."""


def text_of(path):
    """The text of a document."""
    return path.read_text(encoding="utf-8")


def fences(path, *languages):
    """The fenced blocks of a document in these languages, as pairs of language and content."""
    return [(kind, body) for kind, body in FENCE.findall(text_of(path)) if kind in languages]


def section(text, heading):
    """What stands below a heading, up to the next one of its rank or a higher one."""
    rank = heading.split(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(rank)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found[1]


class Sandbox:
    """A home with a project, downloads and a checkout, and how to run something in it."""

    def __init__(self, root):
        self.root = root
        self.home = root / "home"
        self.project = self.home / "code" / "tides"
        self.checkout = root / "export-dedup"
        self.state = self.project / "MEMORY-CONTEXT" / "dedup_state"

    def environment(self):
        """Of whoever reads the document: this home, this Python under the names that documents use, no network."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "GIT_", "CLAUDE_"))}
        return {
            **kept,
            "HOME": str(self.home),
            "TMPDIR": str(self.root / "tmp"),
            "PATH": f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": str(self.root / "bin" / "python3"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PIP_NO_INDEX": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
        }

    def bash(self, script, folder):
        """Exit code and output (both streams as they come) of a script."""
        done = subprocess.run(
            ["bash", "-u", "-c", script],
            cwd=folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            encoding="utf-8",
        )
        return done.returncode, done.stdout

    def must(self, script, folder):
        """The output of a script that has to succeed."""
        code, output = self.bash(f"set -e -o pipefail\n{script}", folder)
        assert code == 0, f"{script}\nexit code {code}:\n{output}"
        return output

    def copy(self, root):
        """Another one that is the same."""
        shutil.copytree(self.root, root, symlinks=True)
        return Sandbox(root)


def compare(session, sandbox, start):
    """Run a session's commands in one shell, and hold each output against what the session shows."""
    parts = re.split(r"^\$ (.*)\n", session, flags=re.MULTILINE)
    assert parts[0] == "", "a session begins with a command"
    commands, outputs = parts[1::2], parts[2::2]
    script = "".join(f"{command}\nprintf 'exit code: %s\\n' \"$?\"\n" for command in commands)
    _, output = sandbox.bash(script, start)
    found = re.split(r"^exit code: (\d+)\n", output, flags=re.MULTILINE)
    assert len(found) == 2 * len(commands) + 1, output
    for number, (command, shown) in enumerate(zip(commands, outputs)):
        printed, code = found[2 * number], int(found[2 * number + 1])
        assert _pattern(shown).fullmatch(_settled(printed)), f"$ {command}\nshown:\n{shown}\nprinted:\n{printed}"
        assert (code == 0) == (not _FAILED.search(shown)), f"$ {command}\nexit code {code}"


def _settled(output):
    for pattern, word in VOLATILE:
        output = pattern.sub(word, output)
    return output


def _pattern(shown):
    lines = _settled(shown).splitlines()
    return re.compile("".join("(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in lines))
