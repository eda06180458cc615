"""install.sh and the rooms behind it: in and out of a project, again and again, without touching what is not ours."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conftest import REPOSITORY
from deduplication.commands import entry
from deduplication.commands.setup import install_script as install
from deduplication.errors import StoreNotWritable, UsageError
from deduplication.files import atomic
from deduplication.installation import ignore_block, origin, targets
from deduplication.installation import manifest as manifests
from deduplication.installation.errors import InstallFailed, InstallRefused

SCRIPT = str(REPOSITORY / "install.sh")
COMMAND = ".claude/commands/export-dedup.md"
WRAPPER = ".coditect/scripts/export-dedup-with-status.py"
MANIFEST = manifests.NAME
pytestmark = pytest.mark.usefixtures("small_checkout")
"""What is called in this process; install.sh as a process, and what is ``whole``, install all of the checkout under test."""


def sh(*arguments, cwd=None, env=None, script=SCRIPT):
    """A real run of install.sh, without a terminal."""
    return subprocess.run(
        [script, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, "PYTHON": sys.executable, **(env or {})},
        check=False,
    )


def photo(folder):
    """Every file, folder and link below ``folder``: bytes, permissions, time of the last change."""
    taken = {}
    for path in sorted(Path(folder).rglob("*")):
        state = path.lstat()
        if path.is_symlink():
            content = os.readlink(path)
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        taken[str(path.relative_to(folder))] = (content, stat.S_IMODE(state.st_mode), state.st_mtime_ns)
    return taken


def contents(folder):
    """The same without times: what a person would compare."""
    return {name: (content, mode) for name, (content, mode, _time) in photo(folder).items()}


@pytest.fixture
def project(tmp_path):
    """An empty project of somebody else's."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def checkout(few_modules, tmp_path, monkeypatch):
    """A small checkout that a test may change, as if a newer version had been fetched."""
    folder = shutil.copytree(few_modules, tmp_path / "checkout")
    monkeypatch.setattr(origin, "found", lambda: origin.of_checkout(folder))
    return folder


@pytest.fixture
def whole(monkeypatch):
    """The installer of this process installs the checkout under test."""
    monkeypatch.setattr(origin, "found", lambda: origin.of_checkout(REPOSITORY))


def run(project, *options):
    """The installer in this process, without network."""
    return install.main(["--project", str(project), "--offline", *options])


# --- a first installation ---------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_installs_scripts_command_and_ignore_block(project):
    """install.sh --project puts the scripts, the command and the block in .gitignore into place, and says so."""
    done = sh("--project", project, "--offline")
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / WRAPPER).read_bytes() == (REPOSITORY / "scripts/export-dedup-with-status.py").read_bytes()
    assert os.access(project / WRAPPER, os.X_OK)
    assert (project / "." / COMMAND).is_file()
    assert b"/MEMORY-CONTEXT/dedup_state/" in (project / ".gitignore").read_bytes()
    assert COMMAND in done.stdout
    assert "/export-dedup" in done.stdout
    assert not (project / "MEMORY-CONTEXT").exists()


def test_command_calls_the_scripts_of_the_project(project):
    """The installed command names the project's scripts, quoted, and no longer the plugin's."""
    run(project)
    text = (project / COMMAND).read_text(encoding="utf-8")
    assert "CLAUDE_PLUGIN_ROOT" not in text
    assert text.count(f'python3 "${{CLAUDE_PROJECT_DIR}}/{WRAPPER}"') == 2


def test_the_installer_does_not_install_itself(project, whole):
    """A user's project gets the tool: neither the installer nor compiled files nor hidden folders."""
    run(project)
    names = [path.name for path in (project / ".coditect" / "scripts").rglob("*")]
    assert "install.py" not in names
    assert "installation" not in names
    assert not [name for name in names if name.startswith((".", "__pycache__"))]


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_installed_scripts_run(project, whole):
    """What was installed works where it lies: a sample export is captured from a shell in the project."""
    run(project)
    sample = min((REPOSITORY / ".coditect" / "demo").glob("*.txt"))
    shutil.copy(sample, project / sample.name)
    command = [sys.executable, str(project / WRAPPER), "--yes"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "NEW UNIQUE MESSAGES ADDED & BACKED UP: 13" in done.stdout


def test_private_state_is_ignored_by_git(project):
    """Git itself ignores the private folders, and not the checkpoints."""
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    run(project)
    private = [
        "MEMORY-CONTEXT/dedup_state/conversation_log.jsonl",
        "MEMORY-CONTEXT/exports/a.txt",
        "MEMORY-CONTEXT/exports-archive/a.txt",
        "MEMORY-CONTEXT/export-dedup-status.txt",
        ".coditect/venv/pyvenv.cfg",
        ".coditect/scripts/deduplication/__pycache__/model.cpython-39.pyc",
    ]
    public = ["MEMORY-CONTEXT/checkpoints/a.md", WRAPPER, COMMAND]
    command = ["git", "-C", str(project), "check-ignore", "--no-index", *private, *public]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == private


ODD_NAMES = {
    "spaces": "my great project",
    "single quote": "Bob's",
    "double quote": 'the "best"',
    "dollar": "$HOME and $(touch pwned)",
    "backtick": "`touch pwned`",
    "leading dash": "-rf",
    "option": "--demo",
    "glob": "*[a]?",
    "unicode": "größe-プロジェクト-🚀",
    "backslash": "a\\b",
    "percent": "100%s{}",
}


@pytest.mark.unmeasured
@pytest.mark.e2e
@pytest.mark.parametrize("name", ODD_NAMES.values(), ids=ODD_NAMES)
def test_any_folder_name_works(tmp_path, name):
    """A folder may be called anything; it is installed into, and out of it again, and nothing else appears."""
    (tmp_path / name).mkdir()
    done = sh("--project", name, "--offline", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name / WRAPPER).is_file()
    assert ("use the shell" in done.stdout) == any(character in name for character in '"$`\\')
    assert sh("--uninstall", f"--project={name}", cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.rglob("*")] == [name]


# --- again, and out again ---------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_second_run_changes_no_byte(project):
    """A second installation says that all is up to date and leaves every byte, permission and time as it was."""
    sh("--project", project, "--offline")
    before = photo(project)
    done = sh("--project", project, "--offline")
    assert "up to date" in done.stdout
    assert photo(project) == before


@pytest.mark.parametrize("installed", [False, True], ids=["before", "after"])
def test_dry_run_changes_nothing(project, installed, capsys):
    """--dry-run names what would be done, for both directions, and does none of it."""
    (project / ".gitignore").write_text("build/\n")
    if installed:
        run(project)
    before = photo(project)
    capsys.readouterr()
    assert run(project, "--dry-run") == 0
    said = capsys.readouterr().out
    assert ("up to date" if installed else f"new: {WRAPPER}") in said
    assert run(project, "--uninstall", "--dry-run") == 0
    assert (f"remove: {WRAPPER}" if installed else "not installed") in capsys.readouterr().out
    assert photo(project) == before


IGNORES = {
    "none": None,
    "empty": b"",
    "plain": b"build/\n*.pyc\n",
    "no line end": b"build/\n*.pyc",
    "CRLF": b"build/\r\n*.pyc\r\n",
    "CRLF, no line end": b"build/\r\n*.pyc",
    "blank lines at the end": b"build/\n\n\n",
    "not UTF-8": b"caf\xe9/\n\xff\xfe\n",
}


@pytest.mark.parametrize("ignore", IGNORES.values(), ids=IGNORES)
def test_uninstall_leaves_the_project_as_it_was(project, ignore):
    """Install, then uninstall: every byte is as before, whatever .gitignore looked like."""
    (project / "src").mkdir()
    (project / "src" / "main.py").write_text("print()\n")
    if ignore is not None:
        (project / ".gitignore").write_bytes(ignore)
    before = contents(project)
    run(project)
    assert contents(project) != before
    if ignore:
        assert (project / ".gitignore").read_bytes().startswith(ignore)
    assert run(project, "--uninstall") == 0
    assert contents(project) == before


def test_crlf_file_gets_a_crlf_block(project):
    """A .gitignore of CRLF lines stays one: no line of it ends differently from the others."""
    (project / ".gitignore").write_bytes(b"build/\r\n")
    run(project)
    data = (project / ".gitignore").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n")


def test_uninstall_keeps_folders_that_are_in_use(project):
    """Folders that were there before, or hold something of the user's, stay; data under MEMORY-CONTEXT stays."""
    mine = [".claude/commands/mine.md", ".coditect/notes.md", "MEMORY-CONTEXT/dedup_state/conversation_log.jsonl"]
    kept = [".gitignore", *mine]
    run(project)
    for name in mine:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("mine\n")
    run(project, "--uninstall")
    assert sorted(str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()) == sorted(kept)


def test_uninstall_takes_compiled_files_along(project):
    """What Python compiled from our files goes with them; no empty folder is left."""
    run(project)
    cache = project / ".coditect/scripts/deduplication/__pycache__"
    cache.mkdir()
    (cache / "model.cpython-39.pyc").write_bytes(b"compiled")
    run(project, "--uninstall")
    assert list(project.iterdir()) == []


def test_uninstall_twice(project, capsys):
    """Uninstalling what is not there is no failure, and says that nothing was to do."""
    run(project)
    run(project, "--uninstall")
    assert run(project, "--uninstall") == 0
    assert "nothing to remove" in capsys.readouterr().out


# --- what the user changed ----------------------------------------------------------------------------------------


def test_uninstall_keeps_what_was_changed(project, capsys):
    """A file that the user changed after the installation stays, and is named."""
    run(project)
    (project / COMMAND).write_text("mine now\n")
    run(project, "--uninstall")
    assert (project / COMMAND).read_text() == "mine now\n"
    assert f"kept: {COMMAND}" in capsys.readouterr().out
    assert not (project / ".coditect").exists()


def test_foreign_file_stays_and_ours_goes_beside_it(project, capsys):
    """A command of the same name that was there before is never overwritten, and survives the way out again."""
    (project / COMMAND).parent.mkdir(parents=True)
    (project / COMMAND).write_text("my own command\n")
    before = contents(project)
    run(project)
    assert f"kept: {COMMAND}" in capsys.readouterr().out
    assert b"export-dedup-with-status.py" in (project / f"{COMMAND}.new").read_bytes()
    snapshot = photo(project)
    run(project)
    assert photo(project) == snapshot
    run(project, "--uninstall")
    assert contents(project) == before


def test_upgrade_replaces_unmodified_files(project, checkout, capsys):
    """A newer version replaces what nobody changed, adds what is new, and removes what is gone."""
    run(project)
    (checkout / "scripts/deduplication/model.py").write_text('"""Newer."""\n')
    (checkout / "scripts/deduplication/added.py").write_text('"""Added."""\n')
    (checkout / "scripts/deduplication/files/clock.py").unlink()
    capsys.readouterr()
    run(project)
    assert "1 new, 1 update, 1 remove" in capsys.readouterr().out
    package = project / ".coditect/scripts/deduplication"
    assert (package / "model.py").read_text() == '"""Newer."""\n'
    assert (package / "added.py").exists()
    assert not (package / "clock.py").exists()
    run(project, "--uninstall")
    assert list(project.iterdir()) == []


def test_upgrade_keeps_a_changed_file_and_puts_the_new_one_beside_it(project, checkout, capsys):
    """A file that the user changed stays through an upgrade; once it was merged, the copy beside it goes."""
    run(project)
    (project / WRAPPER).write_text("# changed by me\n")
    source = checkout / "scripts/export-dedup-with-status.py"
    source.write_text("# newer\n")
    run(project)
    assert (project / WRAPPER).read_text() == "# changed by me\n"
    assert (project / f"{WRAPPER}.new").read_text() == "# newer\n"
    assert f"kept: {WRAPPER}" in capsys.readouterr().out
    source.write_text("# newer still\n")
    run(project)
    assert (project / f"{WRAPPER}.new").read_text() == "# newer still\n"
    (project / WRAPPER).write_text("# newer still\n")
    run(project)
    assert not (project / f"{WRAPPER}.new").exists()
    run(project, "--uninstall")
    assert list(project.iterdir()) == []


def test_somebodys_own_new_file_is_not_overwritten(project, capsys):
    """Where FILE and FILE.new are both the user's, both stay."""
    for name in (COMMAND, f"{COMMAND}.new"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(f"my {name}\n")
    run(project)
    assert [(project / name).read_text() for name in (COMMAND, f"{COMMAND}.new")] == [
        f"my {COMMAND}\n",
        f"my {COMMAND}.new\n",
    ]
    assert "of your own, too" in capsys.readouterr().out


def test_file_gone_from_a_newer_version_stays_if_changed(project, checkout, capsys):
    """A changed file that the newer version no longer has is named and kept."""
    run(project)
    (checkout / "scripts/deduplication/files/clock.py").unlink()
    mine = project / ".coditect/scripts/deduplication/files/clock.py"
    mine.write_text("mine\n")
    run(project)
    assert mine.read_text() == "mine\n"
    assert "clock.py (changed by you" in capsys.readouterr().out


def test_lost_permission_is_restored(project, capsys):
    """An entry script that lost its executable bit (a copy through a FAT disk) gets it back."""
    run(project)
    (project / WRAPPER).chmod(0o644)
    capsys.readouterr()
    run(project)
    assert "1 make executable" in capsys.readouterr().out
    assert os.access(project / WRAPPER, os.X_OK)


def test_ignore_block_stays_while_there_is_private_data(project):
    """Uninstalling never makes git see raw exports that it was told to ignore."""
    run(project)
    (project / "MEMORY-CONTEXT" / "exports").mkdir(parents=True)
    assert run(project, "--uninstall") == 0
    assert b"/MEMORY-CONTEXT/exports/" in (project / ".gitignore").read_bytes()


def test_changed_ignore_block_stays(project, capsys):
    """A block that the user edited is neither rewritten nor taken out, and that is said each time."""
    run(project)
    path = project / ".gitignore"
    edited = path.read_bytes().replace(b"/MEMORY-CONTEXT/exports/\n", b"")
    path.write_bytes(edited)
    run(project)
    assert "kept: .gitignore" in capsys.readouterr().out
    run(project, "--uninstall")
    assert "kept: .gitignore" in capsys.readouterr().out
    assert path.read_bytes() == edited


def test_older_ignore_block_is_brought_up_to_date(project, monkeypatch):
    """A block of an earlier version that nobody touched is replaced in place; lines around it stay."""
    (project / ".gitignore").write_bytes(b"above\n")
    with monkeypatch.context() as older:
        older.setattr(ignore_block, "_LINES", (ignore_block.BEGIN, b"/old/", ignore_block.END))
        run(project)
    path = project / ".gitignore"
    path.write_bytes(path.read_bytes() + b"below\n")
    run(project)
    assert path.read_bytes() == b"above\n\n" + ignore_block.block() + b"below\n"
    run(project, "--uninstall")
    assert path.read_bytes() == b"above\nbelow\n"


def test_half_a_block_is_not_touched(project, capsys):
    """Markers that are no pair: nobody knows which lines are ours, so the file stays as it is."""
    (project / ".gitignore").write_bytes(ignore_block.BEGIN + b"\nmine\n")
    run(project)
    assert "are not one pair" in capsys.readouterr().out
    run(project, "--uninstall")
    assert (project / ".gitignore").read_bytes() == ignore_block.BEGIN + b"\nmine\n"


def test_block_without_a_manifest_is_recognised(project):
    """A cloned project may have the block and no manifest: it is not added a second time."""
    (project / ".gitignore").write_bytes(b"a\n" + ignore_block.block())
    run(project)
    assert (project / ".gitignore").read_bytes() == b"a\n" + ignore_block.block()


@given(before=st.binary(max_size=60), after=st.binary(max_size=30))
def test_adding_and_removing_the_block_is_a_round_trip(before, after):
    """Whatever a .gitignore holds, adding the block and removing it gives the same bytes; lines below it survive."""
    assume(ignore_block.BEGIN not in before)
    assume(ignore_block.END not in before)
    added, separator = ignore_block.add(before)
    place = ignore_block.find(added)
    assert place is not None
    assert ignore_block.remove(added, place, separator) == before
    below = b"x" + after
    left = ignore_block.remove(added + below, place, separator)
    assert left.startswith(before)
    assert left.endswith(below)
    assert len(left) - len(before) - len(below) <= 2


# --- links --------------------------------------------------------------------------------------------------------


def linked(project, name, target):
    """``name`` in the project is a symbolic link to a folder elsewhere."""
    target.mkdir(parents=True, exist_ok=True)
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).symlink_to(target)
    return target


@pytest.mark.unmeasured
@pytest.mark.e2e
@pytest.mark.parametrize("name", [".coditect", ".claude", ".claude/commands", ".coditect/scripts"])
def test_link_is_not_written_through_unasked(project, tmp_path, name):
    """Without a terminal and without --yes a symbolic link on the way stops the run before anything is written."""
    linked(project, name, tmp_path / "elsewhere")
    before = photo(tmp_path)
    done = sh("--project", project, "--offline")
    assert done.returncode == 1
    assert f"{name} is a symbolic link to {tmp_path / 'elsewhere'}" in done.stdout
    assert "--yes" in done.stderr
    assert "Traceback" not in done.stderr
    assert photo(tmp_path) == before


def test_link_is_written_through_with_yes(project, tmp_path):
    """With --yes the files land behind the link, the link stays, and uninstalling clears both sides."""
    elsewhere = linked(project, ".coditect", tmp_path / "else where")
    assert run(project, "--yes") == 0
    assert (elsewhere / "scripts/export-dedup-with-status.py").is_file()
    assert (project / ".coditect").is_symlink()
    with pytest.raises(InstallRefused):
        run(project, "--uninstall")
    assert run(project, "--uninstall", "--yes") == 0
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in project.iterdir()] == [".coditect"]


def test_linked_ignore_file_is_written_through_with_yes(project, tmp_path):
    """A .gitignore that is a link stays one: the file behind it gets the block."""
    shared = tmp_path / "shared-ignore"
    shared.write_text("a\n")
    (project / ".gitignore").symlink_to(shared)
    with pytest.raises(InstallRefused):
        run(project)
    assert run(project, "--yes") == 0
    assert (project / ".gitignore").is_symlink()
    assert b"dedup_state" in shared.read_bytes()


ANSWERS = {"yes": (b"y\n", 0), "no": (b"n\n", 1), "nothing": (b"\n", 1), "end of input": (b"\x04", 1)}


@pytest.mark.e2e
@pytest.mark.parametrize(("typed", "code"), ANSWERS.values(), ids=ANSWERS)
def test_a_person_is_asked(project, tmp_path, typed, code):
    """On a terminal the question is asked: only a yes lets the run write through the link."""
    elsewhere = linked(project, ".coditect", tmp_path / "elsewhere")
    parent, child = pty.openpty()
    try:
        os.write(parent, typed)
        done = subprocess.run(
            [SCRIPT, "--project", str(project), "--offline"],
            stdin=child,
            stdout=child,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHON": sys.executable},
            check=False,
        )
    finally:
        os.close(child)
        os.close(parent)
    assert done.returncode == code, done.stderr
    assert (elsewhere / "scripts").exists() == (code == 0)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("target", ["missing", ".coditect"], ids=["dangling", "loop"])
def test_link_that_leads_nowhere_is_refused(project, target):
    """A dangling link, or one in a circle, is named; what should be made behind it is not ours to guess."""
    (project / ".coditect").symlink_to(target)
    with pytest.raises(InstallRefused, match="leads nowhere"):
        run(project, "--yes")
    assert [path.name for path in project.iterdir()] == [".coditect"]


def test_link_into_the_checkout_is_refused(project, checkout):
    """A link back into the checkout is refused, also with --yes: it would be installed into itself."""
    (project / ".coditect").symlink_to(checkout / ".coditect")
    before = photo(checkout)
    with pytest.raises(InstallRefused, match="into this checkout"):
        run(project, "--yes")
    assert photo(checkout) == before


def test_uninstall_keeps_a_file_that_became_a_link(project, tmp_path):
    """A file that the user replaced by a link stays: neither the link nor what it points to is removed."""
    run(project)
    real = tmp_path / "real.md"
    shutil.move(str(project / COMMAND), str(real))
    (project / COMMAND).symlink_to(real)
    run(project, "--uninstall", "--yes")
    assert real.is_file()
    assert (project / COMMAND).is_symlink()


# --- what cannot be done ------------------------------------------------------------------------------------------

USAGE = {
    "nothing": [],
    "unknown option": ["--bogus"],
    "stray argument": ["folder"],
    "project without a folder": ["--project"],
    "empty name": ["--project", ""],
    "missing folder": ["--project", "/no/such/folder"],
    "a file": ["--project", SCRIPT],
    "the checkout itself": ["--project", str(REPOSITORY)],
    "a folder of the checkout": ["--project", str(REPOSITORY / "scripts")],
    "two things at once": ["--demo", "--project", "."],
    "uninstall of nothing": ["--uninstall"],
    "a dry demonstration": ["--demo", "--dry-run"],
    "an abbreviation": ["--dem"],
}


@pytest.mark.unmeasured
@pytest.mark.e2e
@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_usage_errors(arguments, tmp_path):
    """What cannot be meant ends with exit code 2, one clear error and advice, and changes nothing."""
    done = sh(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    error, advice = done.stderr.splitlines()
    assert error.startswith("❌ ERROR: ")
    assert advice.startswith("   → ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_help():
    """--help names every option and the exit codes."""
    done = sh("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("--demo", "--test", "--project", "--uninstall", "--dry-run", "--yes", "--offline", "Exit codes"):
        assert word in done.stdout


def test_a_folder_where_a_file_belongs(project):
    """A folder in the place of a file is named, and nothing was changed."""
    (project / COMMAND).mkdir(parents=True)
    before = photo(project)
    with pytest.raises(InstallRefused, match=r"export-dedup\.md is a folder"):
        run(project)
    assert photo(project) == before


def test_a_file_where_a_folder_belongs(project):
    """A file in the place of a folder is named, and nothing was changed."""
    (project / ".coditect").write_text("mine\n")
    before = photo(project)
    with pytest.raises(InstallRefused, match=r"\.coditect"):
        run(project)
    assert photo(project) == before


def test_project_that_cannot_be_written(project, monkeypatch):
    """A folder without permission to write is named before anything is tried (root may write everywhere)."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InstallRefused, match="is not writable"):
        run(project)


@pytest.mark.faults
@pytest.mark.parametrize("allowed", range(5))
def test_interrupted_upgrade_goes_on(project, checkout, monkeypatch, allowed):
    """Whichever write of an upgrade fails, the next run finishes it, and nothing of ours is taken for the user's."""
    run(project)
    newer = sorted((checkout / "scripts/deduplication").glob("*.py"))[-3:]
    for name in newer:
        name.write_text('"""Newer."""\n')
    real = atomic.replace
    writes = []

    def failing(path, data, **options):
        writes.append(path)
        if len(writes) > allowed:
            raise StoreNotWritable(path) from OSError(28, "No space left on device", path)
        real(path, data, **options)

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "replace", failing)
        with pytest.raises(InstallFailed, match="No space left"):
            run(project)
    assert len(writes) == allowed + 1
    assert run(project) == 0
    assert not list(project.rglob("*.new"))
    for name in newer:
        assert (project / ".coditect/scripts/deduplication" / name.name).read_text() == '"""Newer."""\n'
    run(project, "--uninstall")
    assert list(project.iterdir()) == []


TORN = {
    "empty": lambda data: b"",
    "its beginning": lambda data: data[: len(data) // 2],
    "zeros": lambda data: bytes(len(data)),
    "its beginning, then zeros": lambda data: data[:20] + bytes(len(data) - 20),
}


@pytest.mark.faults
@pytest.mark.parametrize("torn", TORN.values(), ids=TORN)
def test_what_a_power_cut_tore_is_ours(project, monkeypatch, torn):
    """Files are synced all at once, in the end: what was torn before that is not taken for something that the user changed."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "sync", lambda: (_ for _ in ()).throw(OSError(5, "the power went", "disk")))
        with pytest.raises(InstallFailed):
            run(project)
    name = project / ".coditect/scripts/deduplication/errors.py"
    whole = name.read_bytes()
    name.write_bytes(torn(whole))
    assert run(project) == 0
    assert name.read_bytes() == whole
    assert not list(project.rglob("*.new"))
    assert "unfinished" not in (project / MANIFEST).read_text()
    name.write_bytes(torn(whole))  # by the user, now
    assert run(project) == 0
    assert name.read_bytes() == torn(whole)


def test_what_has_words_of_the_users_is_synced_one_by_one(project, monkeypatch):
    """No power cut tears the user's own .gitignore and settings; what is ours alone is synced with all the rest."""
    (project / ".gitignore").write_text("build/\n")
    (project / ".claude").mkdir()
    (project / ".claude" / "settings.json").write_text('{"model": "x"}')
    durable, real = {}, atomic.replace
    monkeypatch.setattr(
        atomic,
        "replace",
        lambda path, data, **options: (
            durable.update({Path(path).name: options["durable"]}) or real(path, data, **options)
        ),
    )
    run(project)
    assert {name for name, synced in durable.items() if synced} == {
        *(".gitignore", "settings.json", "settings.json.before-export-dedup", Path(MANIFEST).name)
    }


@pytest.mark.faults
def test_interrupted_uninstall_goes_on(project, monkeypatch):
    """An uninstall that stops half way leaves its manifest, so that the next one removes the rest."""
    run(project)
    real = os.unlink
    removed = []

    def failing(path, **options):
        removed.append(path)
        if len(removed) > 7:
            raise PermissionError(13, "Permission denied", path)
        real(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", failing)
        with pytest.raises(InstallFailed, match="Permission denied"):
            run(project, "--uninstall")
    assert (project / MANIFEST).exists()
    assert run(project, "--uninstall") == 0
    assert list(project.iterdir()) == []


BAD_MANIFESTS = {
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "no object": b"[]",
    "empty": b"",
    "out of the project": {"files": {"../outside.txt": ["0" * 64]}},
    "absolute": {"files": {"/etc/passwd": ["0" * 64]}},
    "around a corner": {"files": {".coditect/../../outside.txt": ["0" * 64]}},
    "not ours": {"files": {"src/main.py": ["0" * 64]}},
    "no hash": {"files": {COMMAND: ["xyz"]}},
    "a folder outside": {"directories": [".."]},
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("bad", BAD_MANIFESTS.values(), ids=BAD_MANIFESTS)
@pytest.mark.parametrize("option", ["--yes", "--uninstall"])
def test_bad_manifest_is_refused(project, tmp_path, bad, option):
    """A damaged manifest, or one that leads out of the project, stops the run: a project may come from anybody."""
    if isinstance(bad, dict):
        bad = json.dumps(
            {"version": "1", "files": {}, "directories": [], "ignore": None, "venv": False, **bad}
        ).encode()
    (tmp_path / "outside.txt").write_bytes(b"")
    (project / MANIFEST).parent.mkdir()
    (project / MANIFEST).write_bytes(bad)
    before = photo(tmp_path)
    with pytest.raises(InstallRefused, match="is damaged"):
        run(project, option)
    assert photo(tmp_path) == before


def test_incomplete_checkout_is_refused(project, checkout):
    """A checkout without the wrapper, or without the command, installs nothing."""
    (checkout / "scripts/export-dedup-with-status.py").unlink()
    with pytest.raises(InstallRefused, match="is not whole"):
        run(project)
    shutil.copy(REPOSITORY / "scripts/export-dedup-with-status.py", checkout / "scripts")
    (checkout / "commands/export-dedup.md").unlink()
    with pytest.raises(InstallRefused, match="is not whole"):
        run(project)
    (checkout / "hooks/run.sh").unlink()
    with pytest.raises(InstallRefused, match=r"run\.sh"):
        run(project)
    assert list(project.iterdir()) == []


# --- the shell part -----------------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_unsuitable_python_is_named():
    """PYTHON that is no Python 3.9 or newer is an error of one line, not a silent other choice."""
    done = sh("--help", env={"PYTHON": "/bin/false"})
    assert done.returncode == 1
    assert done.stderr == "❌ ERROR: PYTHON=/bin/false is no Python 3.9 or newer\n"


def tools(folder, *names):
    """A PATH with nothing in it but the named tools."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name))
    return str(folder)


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_no_python_at_all(tmp_path):
    """Without any Python the error says what is needed and how to name one."""
    done = sh("--help", env={"PYTHON": "", "PATH": tools(tmp_path / "bin", "bash", "dirname", "env")})
    assert done.returncode == 1
    assert "no Python 3.9 or newer was found" in done.stderr


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_a_python_that_does_not_run_is_passed_over(tmp_path):
    """A python3 that is a stub is tried, fails, and the next name is taken."""
    path = tools(tmp_path / "bin", "bash", "dirname", "env")
    stub = Path(path) / "python3"
    stub.write_text("#!/bin/sh\nexit 49\n")
    stub.chmod(0o755)
    good = Path(path) / "python3.10"
    good.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    good.chmod(0o755)
    done = sh("--help", env={"PYTHON": "", "PATH": path})
    assert done.returncode == 0, done.stderr


@pytest.mark.unmeasured
@pytest.mark.e2e
def test_called_through_a_link_from_a_hostile_folder(tmp_path):
    """install.sh works through a link, and a json.py in the current folder is not taken for Python's own."""
    (tmp_path / "json.py").write_text("raise SystemExit('hijacked')\n")
    (tmp_path / "deduplication").mkdir()
    (tmp_path / "deduplication" / "__init__.py").write_text("raise SystemExit('hijacked')\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "one").symlink_to(SCRIPT)
    (tmp_path / "bin" / "two").symlink_to("../one")
    (tmp_path / "project").mkdir()
    done = sh(
        "--project", "project", "--offline", script=str(tmp_path / "bin" / "two"), env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "project" / WRAPPER).is_file()


def test_errors_reach_the_user_as_lines(monkeypatch, capsys):
    """The handler of every command is the installer's too: an error, advice, the class's exit code."""
    monkeypatch.setattr(sys, "argv", ["install.sh", "--project", "/no/such"])
    assert entry.run(install.main) == UsageError.exit_code
    error = capsys.readouterr().err
    assert "does not exist" in error
    assert "Traceback" not in error


def test_targets_keep_their_folders_apart():
    """Every target lies in one of our folders; entry scripts are executable, modules and what Windows alone runs are not."""
    for path, target in targets.targets(origin.of_checkout(REPOSITORY)).items():
        assert path.startswith((".coditect/", ".claude/commands/", ".claude/skills/export-dedup-recall/"))
        entry_script = path.startswith((f"{targets.SCRIPTS}/", f"{targets.HOOKS}/")) and path.count("/") == 2
        executable = (entry_script or path.endswith(".sh")) and not path.endswith(".cmd")
        assert (target.mode == 0o755) == executable, path
