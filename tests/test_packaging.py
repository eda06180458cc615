"""What is shipped fits together: manifests, the command, versions, permissions, samples. The client checks none of this."""

from __future__ import annotations

import ast
import io
import json
import os
import pwd
import re
import subprocess
import tokenize
import unicodedata

import pytest

from conftest import REPOSITORY

PLUGIN = REPOSITORY / ".claude-plugin" / "plugin.json"
MARKETPLACE = REPOSITORY / ".claude-plugin" / "marketplace.json"
ENTRIES = sorted((REPOSITORY / "scripts").glob("*.py"))
COMMANDS = sorted((REPOSITORY / "commands").glob("*.md"))
SAMPLES = sorted((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
EXECUTABLES = [*ENTRIES, REPOSITORY / "install.sh", REPOSITORY / ".ci" / "run"]


def name(path):
    """How a file is named in a test's id."""
    return str(path.relative_to(REPOSITORY))


def shipped():
    """Every file that git tracks or would track."""
    command = ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    paths = [REPOSITORY / os.fsdecode(path) for path in done.stdout.split(b"\0") if path]
    return [path for path in paths if path.is_file()]


def front_matter(path):
    """The fields at the head of a command, as text."""
    head = re.match(r"---\n(.*?)\n---\n", path.read_text(encoding="utf-8"), re.DOTALL)
    assert head, f"{path} has no front matter"
    return dict(line.split(": ", 1) for line in head[1].split("\n"))


# --- manifests ----------------------------------------------------------------------------------------------------


def test_manifests_agree():
    """Both manifests name the same plugin, and the marketplace offers this very repository."""
    plugin, marketplace = (json.loads(path.read_text(encoding="utf-8")) for path in (PLUGIN, MARKETPLACE))
    (offered,) = marketplace["plugins"]
    assert plugin["name"] == offered["name"] == "export-dedup"
    assert offered["source"] == "./"


def test_one_version():
    """pyproject.toml, both manifests and the changelog name the same version."""
    version = re.search(
        r'^version = "(.+)"$', (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    assert json.loads(PLUGIN.read_text(encoding="utf-8"))["version"] == version
    assert json.loads(MARKETPLACE.read_text(encoding="utf-8"))["plugins"][0]["version"] == version
    changelog = REPOSITORY / "CHANGELOG.md"
    if changelog.exists():
        assert f"[{version}]" in changelog.read_text(encoding="utf-8")


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_command_front_matter(path):
    """A command answers to its bare name (which -p needs), is for people only, and may run exactly what it runs."""
    fields = front_matter(path)
    assert fields["name"] == path.stem
    assert fields["disable-model-invocation"] == "true"
    assert fields["description"]
    allowed = re.fullmatch(r'Bash\((python3 "\$\{CLAUDE_PLUGIN_ROOT\}/scripts/[\w.-]+") \*\)', fields["allowed-tools"])
    assert allowed, fields["allowed-tools"]
    called = re.findall(r"^!`(.*)`$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert called
    for command in called:
        assert command.startswith(allowed[1] + " ")


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_command_refers_to_what_exists(path):
    """Every script that a command names is there and executable (the client checks neither)."""
    named = re.findall(r"\$\{CLAUDE_PLUGIN_ROOT\}/([\w./-]+)", path.read_text(encoding="utf-8"))
    assert named
    for reference in named:
        assert os.access(REPOSITORY / reference, os.X_OK), reference


def test_command_quotes_every_path():
    """A variable that becomes a path stands in double quotes, with a space on each side: paths have spaces."""
    text = (REPOSITORY / "commands" / "export-dedup.md").read_text(encoding="utf-8")
    assert len(re.findall(r"\$\{CLAUDE_\w+\}", text)) == len(re.findall(r' "\$\{CLAUDE_\w+\}[\w./-]*"', text)) == 3


def test_there_is_a_command():
    """The plugin has its command where the client looks."""
    assert [path.name for path in COMMANDS][:1] == ["export-dedup.md"]


# --- scripts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", EXECUTABLES, ids=name)
def test_entries_can_be_executed(path):
    """What people call is executable for everybody, and begins with the line that finds its interpreter."""
    assert path.stat().st_mode & 0o777 == 0o755
    assert path.read_bytes().startswith((b"#!/usr/bin/env python3\n", b"#!/usr/bin/env bash\n"))


def test_modules_are_not_executable():
    """A module of the package is no command."""
    for path in (REPOSITORY / "scripts" / "deduplication").rglob("*.py"):
        assert not path.stat().st_mode & 0o111, path


@pytest.mark.parametrize("path", ENTRIES, ids=name)
def test_entry_scripts_are_thin(path):
    """An entry script has fewer than 40 lines of code: comments, docstrings and empty lines do not count."""
    code = set()
    nothing = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING, tokenize.ENDMARKER)
    previous = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        docstring = token.type == tokenize.STRING and previous in (tokenize.NEWLINE, tokenize.INDENT)
        if token.type not in nothing and not docstring:
            code.update(range(token.start[0], token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.ENCODING):
            previous = token.type
    assert 0 < len(code) < 40


@pytest.mark.e2e
@pytest.mark.parametrize("path", ENTRIES, ids=name)
def test_entry_scripts_have_help(path, tmp_path):
    """Every command answers --help with exit code 0, through its own first line, and writes nothing."""
    done = subprocess.run([str(path), "--help"], capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert path.name in done.stdout
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


# --- samples ------------------------------------------------------------------------------------------------------


def cells(text):
    """How many cells of a screen a line takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


@pytest.mark.parametrize("path", SAMPLES, ids=name)
def test_samples_look_like_the_clients_own(path):
    """A sample has the layout of /export: banner, padded prompts, at most 80 columns, no line break at the end."""
    data = path.read_bytes()
    lines = data.decode("utf-8").split("\n")
    assert "Claude Code v2.1.197" in lines[0]
    assert b"\r" not in data
    assert lines[-1].startswith("✻ ")
    assert max(map(cells, lines)) == 80
    assert {cells(line) for line in lines if line.startswith("❯ ")} == {80}


def test_samples_grow():
    """Each sample holds every prompt of the one before: three exports of one conversation."""
    prompts = [
        [line for line in path.read_text(encoding="utf-8").split("\n") if line.startswith("❯ ")] for path in SAMPLES
    ]
    assert len(prompts) == 3
    for earlier, later in zip(prompts, prompts[1:]):
        assert later[: len(earlier)] == earlier
        assert len(later) > len(earlier)


def test_git_keeps_samples_byte_for_byte():
    """Git neither converts the samples' line ends nor complains about their padding."""
    command = ["git", "-C", str(REPOSITORY), "check-attr", "text", "whitespace", "--", name(SAMPLES[0])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    assert [line.rsplit(": ", 1)[1] for line in done.stdout.splitlines()] == ["unset", "unset"]


# --- the repository ---------------------------------------------------------------------------------------------------


def test_state_and_tool_output_are_not_shipped():
    """Private state, environments and caches are ignored by git."""
    never = re.compile(r"(^|/)(MEMORY-CONTEXT|venv|__pycache__|\.\w+_cache|\.hypothesis|\.coverage|.*\.egg-info)(/|$)")
    assert [name(path) for path in shipped() if never.search(name(path))] == []


def test_no_paths_of_one_machine():
    """Nothing shipped names the folder in which this checkout happens to lie."""
    here = os.fsencode(REPOSITORY) + b"/"
    assert [name(path) for path in shipped() if here in path.read_bytes()] == []


def test_every_test_states_its_fact():
    """Every test function has a docstring that says what it proves."""
    silent = [
        f"{name(path)}: {node.name}"
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_licence():
    """The licence is the one that pyproject.toml and the manifests name."""
    assert (REPOSITORY / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")
    assert 'license = "MIT"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert json.loads(PLUGIN.read_text(encoding="utf-8"))["license"] == "MIT"


def test_guard(tmp_path):
    """No test sees the real home or stands in the checkout (the fixture of every test sees to it)."""
    assert os.path.expanduser("~") != pwd.getpwuid(os.getuid()).pw_dir
    assert os.getcwd() == str(tmp_path)
    identity = subprocess.run(["git", "config", "user.email"], capture_output=True, text=True, check=False)
    assert identity.stdout.strip() == "test@example.invalid"
