"""What the containers name is there: paths, ports, options, variables, secrets; and the entry point, run without a container."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import REPOSITORY
from deduplication.commands.monitoring import dashboard
from deduplication.dashboard.origins import Place, public_address

yaml = pytest.importorskip("yaml", reason="PyYAML reads compose.yaml")

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
USER = 10001
VARIABLES = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD"},
    "dashboard": {"EXPORT_DEDUP_DATABASE_URL", "PGPASSWORD"},
}


def instruction(name):
    """The last arguments of an instruction: as a list where they are JSON."""
    told = re.findall(rf"^(?:HEALTHCHECK .*)?{name} (.+)$", DOCKERFILE, re.MULTILINE)[-1]
    return json.loads(told) if told.startswith("[") else told


# --- the image ----------------------------------------------------------------------------------------------------


def test_the_base_is_pinned_and_the_user_is_a_number():
    """Both stages begin with the same version in full; who runs it is not root, whatever /etc/passwd says."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])
    assert instruction("USER") == f"{USER}:{USER}"
    assert f"chown {USER}:{USER} /data" in DOCKERFILE


def test_the_extras_are_ours():
    """What the image installs are extras of pyproject.toml."""
    (wanted,) = re.findall(r"/source\[(.+?)\]", DOCKERFILE)
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    known = re.findall(
        r"^(\w+) = \[", text.partition("[project.optional-dependencies]")[2].partition("\n[")[0], re.MULTILINE
    )
    assert set(wanted.split(",")) <= set(known)
    assert {"dashboard", "postgresql"} <= set(wanted.split(","))


def test_the_command_is_one_of_ours():
    """The entry is the script of pyproject.toml; the default options are read by the dashboard's parser, at the port exposed."""
    (entry,) = instruction("ENTRYPOINT")
    assert f'{entry} = "deduplication.__main__:main"' in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    name, *arguments = instruction("CMD")
    assert name == "dashboard"
    asked = dashboard.parser().parse_args(arguments)
    assert asked.port == int(instruction("EXPOSE")) == dashboard.PORT == healthy().PORT


def healthy():
    """The health check, as a module."""
    spec = importlib.util.spec_from_file_location("healthy", REPOSITORY / "containers" / "healthy.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_health_check_lies_where_it_is_copied_to():
    """It is run by the image's own Python, from the path to which it was copied; a port without anybody is unhealthy."""
    found = [json.loads(each) for each in re.findall(r"^HEALTHCHECK .*CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)]
    assert found == [["python", "/opt/export-dedup/healthy.py"]]
    assert f"COPY containers/healthy.py {found[0][1]}" in DOCKERFILE
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert healthy().main(taken.getsockname()[1]) == 1


def test_what_the_wheel_needs_is_in_the_context():
    """.dockerignore leaves out all but what is named, which exists; each folder that setup.py ships is among it."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    named = [line[1:] for line in lines if line.startswith("!")]
    assert [each for each in named if not (REPOSITORY / each).exists()] == []
    setup = (REPOSITORY / "setup.py").read_text(encoding="utf-8")
    shipped = re.findall(r'^    "deduplication\.shipped\.[\w.]+": "(.+)",$', setup, re.MULTILINE)
    assert shipped
    for folder in shipped:
        assert any(folder == each or folder.startswith(f"{each}/") or each.startswith(f"{folder}/") for each in named)


# --- compose ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_hardened(name):
    """No right, no writing but into volumes, a port on this machine alone, a version that is pinned, a user, a health check."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    if "build" in service:
        assert instruction("USER") == f"{USER}:{USER}"
        assert "HEALTHCHECK" in DOCKERFILE
    else:
        assert re.search(r":v?\d+\.\d+", service["image"])
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
        assert service["healthcheck"]["test"][0] == "CMD"


def test_every_path_is_there():
    """Each file that is mounted exists, each volume, network and secret is declared, and each is used."""
    used = {"secrets": set(), "networks": set(), "volumes": set()}
    for service in SERVICES.values():
        used["secrets"] |= set(service.get("secrets", ()))
        used["networks"] |= set(service["networks"])
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (REPOSITORY / source).exists(), source
                assert volume.endswith(":ro")
            else:
                used["volumes"].add(source)
    assert used == {kind: set(COMPOSE[kind]) for kind in used}


def test_no_secret_is_in_a_file():
    """What is secret comes from the environment, which must have it, or from a folder that git and the image leave out."""
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith("PASSWORD"):
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), name
    assert all(each["file"].startswith("./secrets/") for each in COMPOSE["secrets"].values())
    assert "secrets/" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_dashboard_understands_its_options_and_variables():
    """They are read by its parser; Prometheus reaches it by a name that is one of its own, a browser by the published port."""
    service = SERVICES["dashboard"]
    asked = dashboard.parser().parse_args(service["command"][1:])
    place = Place(asked.host, asked.port, public_address(asked.public_url))
    (scraped,) = prometheus()["scrape_configs"]
    (target,) = scraped["static_configs"][0]["targets"]
    published, inner = service["ports"][0].rpartition(":")[::2]
    assert place.allows_host(target)
    assert int(inner) == asked.port
    assert place.allows_host(published)
    assert asked.token_file == scraped["authorization"]["credentials_file"] == "/run/secrets/dashboard_key"
    assert "dashboard_key" in service["secrets"]
    assert "dashboard_key" in SERVICES["prometheus"]["secrets"]
    assert set(service["environment"]) == VARIABLES["dashboard"]
    assert set(SERVICES["postgres"]["environment"]) == VARIABLES["postgres"]
    source = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "scripts").rglob("*.py"))
    assert '"EXPORT_DEDUP_DATABASE_URL"' in source
    user, database = (SERVICES["postgres"]["environment"][name] for name in ("POSTGRES_USER", "POSTGRES_DB"))
    assert service["environment"]["EXPORT_DEDUP_DATABASE_URL"] == f"postgresql://{user}@postgres/{database}"
    assert service["environment"]["PGPASSWORD"] == SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert not asked.db_url, "others would see it in the list of processes"


def prometheus():
    """Its configuration."""
    return yaml.safe_load((REPOSITORY / "containers" / "prometheus.yml").read_text(encoding="utf-8"))


def test_what_is_provisioned_is_mounted():
    """Prometheus finds its rules, Grafana the dashboard and the Prometheus that it asks, each where it was mounted."""
    mounted = {
        volume.split(":")[1]: volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", ())
    }
    assert {mounted[path] for path in prometheus()["rule_files"]} == {"./monitoring/prometheus-rules.yml"}
    folder = REPOSITORY / "containers" / "grafana"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    assert source["type"] == "prometheus"
    assert source["url"] == "http://prometheus:" + SERVICES["prometheus"]["ports"][0].rpartition(":")[2]
    (provider,) = yaml.safe_load((folder / "dashboards" / "export-dedup.yml").read_text(encoding="utf-8"))["providers"]
    assert mounted[provider["options"]["path"] + "/grafana-dashboard.json"] == "./monitoring/grafana-dashboard.json"
    shown = json.loads((REPOSITORY / "monitoring" / "grafana-dashboard.json").read_text(encoding="utf-8"))
    assert "prometheus" in [each.get("query") for each in shown["templating"]["list"] if each["type"] == "datasource"]


def test_the_document_makes_what_compose_wants():
    """docs/deployment.md names each secret file and each variable that has no default."""
    told = (REPOSITORY / "docs" / "deployment.md").read_text(encoding="utf-8")
    for secret in COMPOSE["secrets"].values():
        assert secret["file"][2:] in told
    for variable in set(re.findall(r"\$\{(\w+):\?", (REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))):
        assert variable in told


# --- the entry point, without a container ---------------------------------------------------------------------------


@pytest.fixture
def installed():
    """What the image has in /opt and /data, in a folder that everybody may enter: an environment, and a folder for the user."""
    pytest.importorskip("flask")
    pytest.importorskip("waitress")
    root = Path(tempfile.mkdtemp(prefix="export-dedup-image-", dir="/tmp" if os.access("/tmp", os.W_OK) else None))
    try:
        root.chmod(0o755)
        copy = root / "source"
        skipped = shutil.ignore_patterns(".git", "venv", "build", "*.egg-info", "__pycache__", "site", "tests")
        shutil.copytree(REPOSITORY, copy, ignore=skipped)
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
        done = subprocess.run(
            [*pip, "-w", str(root / "wheels"), str(copy)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        place = root / "opt"
        base, other = whose(root)
        subprocess.run([base, "-m", "venv", "--without-pip", str(place)], check=True)
        packages = next(place.glob("lib/python3*/site-packages"))
        (wheel,) = (root / "wheels").iterdir()
        pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "-q"]
        subprocess.run([*pip, "--no-deps", "--no-index", "--no-compile", str(wheel)], check=True)
        for package in needed("flask", "waitress"):
            copied(package, packages)
        (place / "healthy.py").write_bytes((REPOSITORY / "containers" / "healthy.py").read_bytes())
        data = root / "data"
        data.mkdir(mode=0o700)
        for path in [*place.rglob("*"), place]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222 | 0o444)
        if other:
            os.chown(data, USER, USER)
        yield place, data, other
    finally:
        for folder, _, _ in os.walk(root):
            os.chmod(folder, 0o700)
        shutil.rmtree(root)


def whose(root):
    """A Python and the arguments to run it as another user; where root can find none that others may run, ours, as ourselves."""
    if os.geteuid() == 0:
        other = {"user": USER, "group": USER, "extra_groups": []}
        for base in (sys.executable, "/usr/local/bin/python3", "/usr/bin/python3"):
            asked = [
                base,
                "-c",
                f"import os, sys, venv; os.listdir({str(root)!r}); sys.exit(sys.version_info < (3, 9))",
            ]
            try:
                if subprocess.run(asked, cwd=root, capture_output=True, check=False, **other).returncode == 0:
                    return base, other
            except OSError:
                continue
    return sys.executable, {}


def needed(*names):
    """These packages and what they need."""
    found = set()
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            told = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # for another Python
        found.add(name)
        waiting += [re.match(r"[\w.-]+", each)[0] for each in told if "extra ==" not in each]
    return found


def copied(package, folder):
    """The files of an installed package, without its programs."""
    for file in importlib.metadata.files(package):
        if ".." not in file.parts and "__pycache__" not in file.parts:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), folder / file)


@pytest.mark.e2e
def test_the_entry_point_runs_as_the_image_says(installed):
    """As another user where that can be had, nothing beside the data may be written: it stores, serves, is healthy, and ends."""
    place, data, other = installed
    variables = {
        "HOME": str(data),
        "PATH": f"{place / 'bin'}:{os.defpath}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
    }
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = {"cwd": data, "env": variables, **pipes, **other}
    program = [str(place / "bin" / instruction("ENTRYPOINT")[0])]
    export = data / "tides.txt"
    export.write_text("❯ What moves the water?\n\n● The moon.\n", encoding="utf-8")
    export.chmod(0o644)
    (data / "MEMORY-CONTEXT").mkdir()
    if other:
        os.chown(data / "MEMORY-CONTEXT", USER, USER)
    done = subprocess.run([*program, "import", "tides.txt"], check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    command = [str(each) for each in instruction("CMD")]
    command[command.index("--port") + 1] = "0"
    command[command.index("--host") + 1] = "127.0.0.1"
    process = subprocess.Popen([*program, *command, "--json"], **options)
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said = json.loads(line)
        check = [str(place / "bin" / "python"), str(place / "healthy.py"), str(said["port"])]
        assert subprocess.run(check, check=False, **options).returncode == 0
    finally:
        process.terminate()
        process.communicate()
    assert process.returncode == 0
    assert not list(place.rglob("__pycache__"))
    if other or os.geteuid() != 0:
        script = f"open({str(place / 'healthy.py')!r}, 'a')"
        tried = subprocess.run([str(place / "bin" / "python"), "-c", script], check=False, **options)
        assert "PermissionError" in tried.stderr
