#!/usr/bin/env python3
"""From a clone to nothing, in four ways: ``ship.py [--runs N] [--python PATH ...]``.

A clone of this checkout in a folder with a blank in its name; a home of its own, so that whatever is written can be counted. Wheel
and source are built and held against the package index's rules; then the project form, the plugin form (where
``EXPORT_DEDUP_CLIENT`` names Claude Code), pipx, uvx and plain pip with each ``--python``: installed, run, and taken out again.
Last, a store that version 0.1 made of real exports (of ``EXPORT_DEDUP_CORPUS``, else those of the demonstration) goes on with this
version in three forms. A Markdown table: the middle of the seconds, files and bytes that lay there; then the files that were left.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT: Final = Path(__file__).resolve().parents[1]
RELEASE_0_1: Final = "8af1e20"
NAME: Final = "export-dedup"
CACHES: Final = (".cache", "Library/Caches")
"""In the home: what pip, uv and npm keep for the next time is theirs."""


class Ship:
    """One time through: a folder for it, its rows."""

    def __init__(self, folder: Path, rows: dict[str, list[tuple[float, int, int, list[str]]]]) -> None:
        self.folder, self.rows = folder, rows
        self.home = folder / "home"
        self.home.mkdir()
        self.clone = folder / "export dedup"
        self.tools = folder / "tools"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "CLAUDE", "PYTHON"))}
        self.environment = {
            **kept,
            "HOME": str(self.home),
            "PATH": f"{self.tools / 'bin'}{os.pathsep}{self.home / '.local' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }

    def call(self, *command: object, cwd: Path | None = None) -> str:
        """What a command prints; it must end well."""
        done = subprocess.run(
            [*map(str, command)],
            cwd=cwd or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def row(self, what: str, job: Callable[[], object], *places: Path, before: set[Path] | None = None) -> None:
        """Time ``job``; count what lies in ``places`` then, less what was there ``before``."""
        began = time.perf_counter()
        job()
        seconds = time.perf_counter() - began
        found = files(*places) - (before or set())
        names = sorted(str(path.relative_to(self.folder)) for path in found)
        self.rows.setdefault(what, []).append((seconds, len(found), sum(path.lstat().st_size for path in found), names))

    def project(self, name: str) -> Path:
        """An empty repository."""
        place = self.folder / name
        place.mkdir()
        self.call("git", "init", "--quiet", place)
        return place


def files(*places: Path) -> set[Path]:
    """Every file and link below them, but for caches of other programs."""
    found = {path for place in places for path in place.rglob("*") if path.is_symlink() or path.is_file()}
    return {path for path in found if not any(f"/home/{cache}/" in path.as_posix() for cache in CACHES)}


def built(ship: Ship) -> dict[str, Path]:
    """Wheel and source, by their kind."""
    ship.row("clone", lambda: ship.call("git", "clone", "--quiet", CHECKOUT, ship.clone), ship.clone)
    ship.call(sys.executable, "-m", "venv", ship.tools)
    ship.call(ship.tools / "bin" / "python", "-m", "pip", "install", "--quiet", "build", "twine", "pipx", "uv")
    out = ship.folder / "dist"
    ship.row("`python -m build`", lambda: ship.call("python", "-m", "build", "--outdir", out, ship.clone), out)
    ship.row("`twine check --strict`", lambda: ship.call("twine", "check", "--strict", *sorted(out.iterdir())))
    return {"wheel": next(out.glob("*.whl")), "source": next(out.glob("*.tar.gz"))}


def demo(ship: Ship) -> None:
    """The demonstration from the clone: nothing of it may be left."""
    before = files(ship.home)
    ship.row("`./install.sh --demo`", lambda: ship.call(ship.clone / "install.sh", "--demo"), ship.home, before=before)


def project_form(ship: Ship) -> None:
    """Into a project and out of it."""
    place = ship.project("a project")
    before = files(place, ship.home)
    install = [ship.clone / "install.sh", "--project", place, "--yes"]
    ship.row("project: install", lambda: ship.call(*install), place, ship.home, before=before)
    command = [sys.executable, place / ".coditect" / "scripts" / "export-dedup.py", "--version"]
    ship.row("project: first call", lambda: ship.call(*command))
    ship.row(
        "project: uninstall",
        lambda: ship.call(ship.clone / "install.sh", "--uninstall", "--project", place),
        place,
        ship.home,
        before=before,
    )


def plugin_form(ship: Ship, client: str) -> None:
    """Into the client and out of it; what the client itself writes into its home is not ours."""
    ship.call(client, "plugin", "list")
    before = files(ship.home)

    def install() -> None:
        ship.call(client, "plugin", "marketplace", "add", ship.clone)
        ship.call(client, "plugin", "install", f"{NAME}@{NAME}")

    def uninstall() -> None:
        ship.call(client, "plugin", "uninstall", f"{NAME}@{NAME}")
        ship.call(client, "plugin", "marketplace", "remove", NAME)

    ship.row("plugin: install", install, ship.home, before=before)
    ship.row("plugin: uninstall", uninstall, ship.home, before=before)


def of_the_index(ship: Ship, kinds: dict[str, Path], pythons: list[str]) -> None:
    """By pipx, by uvx, and by pip with each Python, from the wheel and from the source."""
    wheel = kinds["wheel"]
    before = files(ship.home)
    calls = ("pipx: install", "pipx: first call", "pipx: demo", "pipx: uninstall")
    ship.row(calls[0], lambda: ship.call("pipx", "install", "--quiet", wheel), ship.home, before=before)
    ship.row(calls[1], lambda: ship.call(NAME, "--version"))
    ship.row(calls[2], lambda: ship.call(NAME, "demo"))
    ship.row(calls[3], lambda: ship.call("pipx", "uninstall", NAME), ship.home, before=before)
    before = files(ship.home)
    once = ["uvx", "--quiet", "--from", wheel, NAME]
    ship.row("uvx: demo, nothing cached", lambda: ship.call(*once, "demo"), ship.home, before=before)
    ship.row("uvx: demo, again", lambda: ship.call(*once, "demo"), ship.home, before=before)
    for python in pythons:
        version = ship.call(python, "-c", "import platform; print(platform.python_version())").strip()
        for kind, path in kinds.items():
            place = ship.folder / f"venv {version} {kind}"
            ship.call(python, "-m", "venv", place)
            clean, pip = files(place), [place / "bin" / "python", "-m", "pip"]
            what = f"pip, {kind}, Python {version}"
            ship.row(f"{what}: install", lambda: ship.call(*pip, "install", "--quiet", path), place, before=clean)  # noqa: B023
            ship.call(place / "bin" / NAME, "demo")
            ship.row(
                f"{what}: uninstall",
                lambda: ship.call(*pip, "uninstall", "--quiet", "--yes", NAME, "rich", "filelock", *OF_RICH),  # noqa: B023
                place,
                before=clean,
            )


OF_RICH: Final = ("markdown-it-py", "mdurl", "pygments", "typing-extensions")
"""What comes with rich and filelock; pip leaves it where it is."""


def samples() -> list[Path]:
    """Real exports, in order, or those of the demonstration."""
    corpus = Path(os.environ.get("EXPORT_DEDUP_CORPUS") or CHECKOUT.parent / "shared" / "corpus") / "real-2025"
    real = [path for path in sorted(corpus.glob("*.txt")) if not path.name.startswith("not-")]
    return real or sorted((CHECKOUT / ".coditect" / "demo").glob("*.txt"))


def upgrade(ship: Ship, form: str) -> None:
    """A store of 0.1 goes on with this version; everything in it is verified and comes back."""
    first = ship.folder / "export dedup 0.1"
    if not first.exists():
        ship.call("git", "clone", "--quiet", CHECKOUT, first)
        ship.call("git", "-C", first, "checkout", "--quiet", RELEASE_0_1)
    place = ship.project(f"a {form} of 0.1")
    exports = place / "MEMORY-CONTEXT" / "exports"
    exports.mkdir(parents=True)
    old, new = first / "scripts", ship.clone / "scripts"
    if form == "project":
        ship.call(first / "install.sh", "--project", place, "--offline", "--yes")
        old = new = place / ".coditect" / "scripts"
    *earlier, last = samples()
    for sample in earlier:
        shutil.copy(sample, exports)
    ship.call(sys.executable, old / "export-dedup-with-status.py", "--project", place)
    if form == "project":
        ship.row(f"upgrade, {form}: install", lambda: ship.call(ship.clone / "install.sh", "--project", place, "--yes"))
    shutil.copy(last, exports)
    run = [sys.executable, new / "export-dedup-with-status.py", "--project", place]
    tool = [sys.executable, new / "deduplicate_export.py"]
    if form == "package":
        run, tool = [ship.tools / "bin" / NAME, "run", "--project", place], [ship.tools / "bin" / NAME]
    ship.row(f"upgrade, {form}: first run", lambda: ship.call(*run), place / "MEMORY-CONTEXT")
    ship.call(*tool, "verify", "--project", place)
    out = ship.folder / f"restored {form}"
    ship.row(
        f"upgrade, {form}: restore all", lambda: ship.call(*tool, "restore", "--all", out, "--project", place), out
    )
    if {path.read_bytes() for path in out.iterdir()} != {path.read_bytes() for path in samples()}:
        raise SystemExit(f"{form}: not every export came back")


def main() -> int:
    """Print the table, and what is left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3, metavar="N")
    parser.add_argument("--python", action="append", default=[], help="an interpreter for pip; may be given again")
    asked = parser.parse_args()
    rows: dict[str, list[tuple[float, int, int, list[str]]]] = {}
    client = os.environ.get("EXPORT_DEDUP_CLIENT")
    for _ in range(asked.runs):
        with tempfile.TemporaryDirectory(prefix="ship ") as folder:
            ship = Ship(Path(folder).resolve(), rows)
            kinds = built(ship)
            demo(ship)
            project_form(ship)
            if client:
                plugin_form(ship, client)
            of_the_index(ship, kinds, asked.python or [sys.executable])
            ship.call("python", "-m", "pip", "install", "--quiet", kinds["wheel"])
            for form in ("project", "plugin", "package"):
                upgrade(ship, form)
    print("| what | seconds, middle | files | bytes |\n|---|--:|--:|--:|")
    left = {}
    for what, found in rows.items():
        _, count, size, names = found[-1]
        print(f"| {what} | {statistics.median(each[0] for each in found):.2f} | {count:,} | {size:,} |")
        if what.endswith("uninstall") or "demo" in what:
            left[what] = names
    for what, names in left.items():
        for name in names[:8]:
            print(f"left by {what}: {name}")
        if len(names) > 8:
            print(f"left by {what}: and {len(names) - 8:,} more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
