"""What a release says of itself: what it is made of, what it was built from, and how its workflows behave."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest

from conftest import REPOSITORY
from deduplication import __version__

WORKFLOWS = sorted((REPOSITORY / ".github" / "workflows").glob("*.yml"))
ROW = re.compile(r"^\| \[`([^`]+)`\]\((\S+)\) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def listed():
    """The rows of the page of dependencies: package, licence, where."""
    text = (REPOSITORY / "docs" / "dependencies.md").read_text(encoding="utf-8")
    return [(name, licence, where) for name, _, _, licence, where in ROW.findall(text)]


def extras():
    """Of each extra its packages, as pyproject.toml has them."""
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    section = text.split("[project.optional-dependencies]\n", 1)[1].split("\n[", 1)[0]
    found = re.findall(r"^(\w+) = \[(.*)\]$", section, re.MULTILINE)
    return {
        (name, re.match(r"[\w-]+", each)[0]) for name, packages in found for each in re.findall(r'"([^"]+)"', packages)
    }


def test_every_dependency_is_listed_with_its_licence():
    """Those of every extra, and nothing that is in none."""
    told = {
        (re.fullmatch(r"extra `(\w+)`", where)[1], name) for name, _, where in listed() if where.startswith("extra")
    }
    assert told == extras()


def test_the_library_in_the_package_is_the_one_that_is_listed():
    """Its version is in the file itself, and its licence lies beside it."""
    static = REPOSITORY / "scripts" / "deduplication" / "dashboard" / "static"
    version = re.search(r"uPlot.*?v(\d+\.\d+\.\d+)", (static / "uplot.js").read_text(encoding="utf-8"))[1]
    assert [name for name, _, where in listed() if where == "part of the package"] == [f"uPlot {version}"]
    assert "MIT License" in (static / "uplot.LICENSE.txt").read_text(encoding="utf-8")


def test_the_bill_of_materials_has_all_of_them():
    """In CycloneDX, with the version that this is."""
    command = [sys.executable, str(REPOSITORY / ".ci" / "sbom")]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert (told["bomFormat"], told["metadata"]["component"]["version"]) == ("CycloneDX", __version__)
    assert {each["name"] for each in told["components"]} == {name.partition(" ")[0] for name, _, _ in listed()}
    assert [each["name"] for each in told["components"] if each["scope"] == "required"] == ["uPlot"]
    assert all(each["licenses"][0]["expression"] for each in told["components"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_little_and_rests_on_what_cannot_change(path):
    """No permission but what a job names, actions by the hash of a commit, no password of ours, nothing kept in the checkout."""
    text = path.read_text(encoding="utf-8")
    assert "\npermissions: {}\n" in text
    uses = re.findall(r"uses: (\S+)(.*)", text)
    assert uses
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name) and re.fullmatch(r" # v[\d.]+", tag) for name, tag in uses)
    assert "secrets." not in text
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")
    for script in re.findall(r"(?<![\w/])(\.ci/\w+|\./install\.sh)", text):
        assert (REPOSITORY / script).is_file(), script


def test_the_same_is_run_for_those_who_fork_it():
    """The workflow calls .ci/run, whose word counts here, and tries every Python from the floor on."""
    text = (REPOSITORY / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert "run: .ci/run\n" in text
    floor = re.search(r'requires-python = ">=(3\.\d+)"', (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))[1]
    assert f'python: ["{floor}", ' in text
    for system in ("ubuntu", "macos", "windows"):
        assert re.search(rf"system: \[.*{system}-", text)


def test_zizmor_finds_nothing():
    """The linter of workflows, without network."""
    program = shutil.which("zizmor", path=str(REPOSITORY / ".coditect" / "venv" / "bin")) or shutil.which("zizmor")
    if program is None:
        pytest.skip("zizmor is not installed")
    done = subprocess.run(
        [program, "--offline", "--quiet", *map(str, WORKFLOWS)], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_defence_names_a_test_that_is_there():
    """And every row of the threat model's tables has one."""
    path = REPOSITORY / "docs" / "threat-model.md"
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"\[test_\w+\.py\]\(([^)]+)\)", text)
    assert len(named) > 20
    assert [each for each in named if not (path.parent / each).is_file()] == []
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what it tries")]
    assert [row for row in rows if "tests/" not in row] == []
