"""The list of a release: made of what git has, and compared with what is installed, in each form."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from conftest import REPOSITORY
from deduplication.diagnosis import release_files
from deduplication.diagnosis.finding import OK, PROBLEM
from deduplication.installation import origin, targets

SUMS = REPOSITORY / ".ci" / "sums"


@pytest.fixture(scope="module")
def listed():
    """The list as a release has it."""
    done = subprocess.run([sys.executable, str(SUMS)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    return done.stdout


def as_plugin(root):
    """A checkout of the release."""
    for name in ("scripts", "hooks"):
        shutil.copytree(REPOSITORY / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "SHA256SUMS"))
    return root / "scripts" / "deduplication"


def as_package(root):
    """What pip makes of a wheel."""
    package = root / "site-packages" / "deduplication"
    shutil.copytree(
        REPOSITORY / "scripts" / "deduplication", package, ignore=shutil.ignore_patterns("__pycache__", "SHA256SUMS")
    )
    for name in ("scripts", "hooks"):
        shutil.copytree(
            REPOSITORY / name,
            package / "shipped" / name,
            ignore=shutil.ignore_patterns("__pycache__", "deduplication"),
        )
    return package


def in_project(root):
    """What an installation into a project makes of the checkout."""
    for name, target in targets.targets(origin.of_checkout(REPOSITORY)).items():
        path = root.joinpath(*name.split("/"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(target.data)
    return root / ".coditect" / "scripts" / "deduplication"


FORMS = {"plugin": as_plugin, "package": as_package, "project": in_project}


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def package(request, tmp_path, listed):
    """Our package in one of its forms, with the list of its release."""
    package = request.param(tmp_path)
    (package / release_files.NAME).write_bytes(listed)
    return package


def found(package):
    """What the doctor finds."""
    return release_files._of_list(str(package))


def test_a_release_as_it_was_made_is_in_order(package):
    """And the list is not a short one: hooks, entry scripts and modules are in it, wherever they lie."""
    finding = found(package)
    assert finding.state == OK, finding
    assert int(finding.text.split(" ")[0].replace(",", "")) > 700


@pytest.mark.parametrize("name", ["model.py", "../deduplicate_export.py", "hooks/work.py"])
def test_one_byte_is_seen(package, name):
    """Of a module, and of an entry script."""
    path = package / name
    if not path.exists():
        path = package / "shipped" / "scripts" / path.name
    path.write_bytes(path.read_bytes() + b"#")
    finding = found(package)
    assert finding.state == PROBLEM
    assert finding.details == (f"changed: scripts/{name[3:] if name.startswith('..') else 'deduplication/' + name}",)


def test_a_module_that_was_put_there_is_seen(package):
    """Python would import it."""
    (package / "files" / "more.py").write_text("import os\n", encoding="utf-8")
    assert found(package).details == ("added: scripts/deduplication/files/more.py",)


@pytest.mark.parametrize("line", ["nonsense", f"{'0' * 64}  ../../etc/passwd", f"{'0' * 64} *scripts/x.py"])
def test_a_list_that_is_none_is_said(package, line):
    """It leads nowhere, and is not passed over."""
    with (package / release_files.NAME).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    finding = found(package)
    assert (finding.state, "damaged" in finding.text) == (PROBLEM, True)


def test_between_releases_nothing_is_said(tmp_path):
    """A checkout has no list."""
    assert found(tmp_path) is None
