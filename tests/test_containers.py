"""What the container's files say is so: paths, ports, options, variables; its command and its health check run without one."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from conftest import REPOSITORY
from deduplication import ClaudeConversationDeduplicator, __version__
from deduplication.commands.monitoring import dashboard
from deduplication.dashboard import application
from deduplication.dashboard.origins import Place
from full_store import numbered
from postgres_server import free_port, wait_for

yaml = pytest.importorskip("yaml")

DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((REPOSITORY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES = COMPOSE["services"]
COMMAND = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
HEALTH = json.loads(re.search(r"^    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])


def asked(command):
    """What the dashboard makes of these words."""
    word, *rest = command
    assert word == "dashboard"
    return dashboard.parser().parse_args(rest)


def test_the_image_is_built_of_what_is_there():
    """Every file that is copied exists and is not ignored, every extra is one of ours."""
    sources = [
        word for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    allowed = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert allowed[0] == "*"
    for source in sources:
        assert (REPOSITORY / source).exists(), source
        assert f"!{source}" in allowed
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.search(r'"\.\[([\w,]+)\]"', DOCKERFILE)[1].split(","):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra


def test_it_runs_as_nobody_in_particular():
    """A user by number who is not root, and a home in the only place that can be written."""
    (user,) = re.findall(r"^USER (\d+):\d+$", DOCKERFILE, re.MULTILINE)
    assert int(user) > 0
    assert "HOME=/data" in DOCKERFILE
    assert 'VOLUME ["/data"]' in DOCKERFILE


def test_one_port():
    """The command listens where the image says, where its health is asked, and where it is reached from this machine alone."""
    port = dashboard.PORT
    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [str(port)]
    for command in (COMMAND, SERVICES["dashboard"]["command"]):
        assert (asked(command).host, asked(command).port) == ("0.0.0.0", port)
    (address,) = re.findall(r"http://[^']+", HEALTH[-1])
    assert address.startswith(f"http://127.0.0.1:{port}/")
    assert f"/{address.rpartition('/')[2]}" in application._OPEN
    for name, service in SERVICES.items():
        assert all(published.startswith("127.0.0.1:") for published in service["ports"]), name


def test_prometheus_reaches_the_figures():
    """By the name that compose gives the dashboard, which takes it for one of its own, with the key that it was given."""
    options = asked(SERVICES["dashboard"]["command"])
    config = yaml.safe_load((REPOSITORY / "monitoring/compose/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    ((target,),) = [each["targets"] for each in job["static_configs"]]
    assert Place(options.host, options.port, options.public_url).allows_host(target)
    assert target.partition(":")[0] in SERVICES
    assert job["authorization"]["credentials_file"] == options.token_file == "/run/secrets/dashboard_token"
    assert "dashboard_token" in SERVICES["prometheus"]["secrets"]
    (rules,) = config["rule_files"]
    assert f"./monitoring/{rules}:/etc/prometheus/{rules}:ro" in SERVICES["prometheus"]["volumes"]


def test_what_is_mounted_is_there_and_what_is_secret_is_a_file():
    """Files of ours are mounted to be read; no password stands in the file, and git takes none of the secrets."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, _, _ = volume.partition(":")
            if source.startswith("."):
                assert (REPOSITORY / source).is_file(), source
                assert volume.endswith(":ro"), name
            else:
                assert source in COMPOSE["volumes"]
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        for variable, value in service.get("environment", {}).items():
            assert "PASSWORD" not in variable or variable.endswith(("_FILE", "__FILE"))
            assert not re.search(r"//[^/@]+:[^@]+@", str(value))
    assert "secrets/" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert SERVICES["dashboard"]["image"] == f"export-dedup:{__version__}"


def test_variables_are_ours():
    """Those with our name are read somewhere."""
    ours = {
        name
        for service in SERVICES.values()
        for name in service.get("environment", {})
        if name.startswith("EXPORT_DEDUP_")
    }
    assert ours
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "scripts/deduplication").rglob("*.py"))
    assert [name for name in ours if name not in code] == []


def test_grafana_finds_its_dashboard():
    """Where the provider looks, from the source that is called what the dashboard asks for."""
    provider = yaml.safe_load((REPOSITORY / "monitoring/compose/grafana-dashboards.yml").read_text(encoding="utf-8"))
    folder = provider["providers"][0]["options"]["path"]
    assert f"./monitoring/grafana-dashboard.json:{folder}/export-dedup.json:ro" in SERVICES["grafana"]["volumes"]
    source = yaml.safe_load((REPOSITORY / "monitoring/compose/grafana-datasource.yml").read_text(encoding="utf-8"))
    asked_for = json.loads((REPOSITORY / "monitoring/grafana-dashboard.json").read_text(encoding="utf-8"))
    variable = next(each for each in asked_for["templating"]["list"] if each["name"] == "datasource")
    assert variable["query"] == source["datasources"][0]["type"]


@pytest.mark.e2e
def test_the_command_and_its_health_without_a_container(tmp_path):
    """The image's own words, with another port and another place for /data: it answers, and writes nothing anywhere else."""
    pytest.importorskip("flask")
    pytest.importorskip("waitress")
    data, port = tmp_path / "data", free_port()
    ClaudeConversationDeduplicator(data / "dedup_state").ingest(numbered("a", range(3)), name="a.json")

    def here(word):
        return word.replace("/data", str(data)).replace("8377", str(port))

    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY / "scripts"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    environment.update(HOME=str(data), XDG_DATA_HOME=str(data / "share"), XDG_CONFIG_HOME=str(data / "config"))
    process = subprocess.Popen(
        [sys.executable, "-m", "deduplication", *map(here, COMMAND)],
        cwd=data,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_for(lambda: process.poll() is not None or process.stdout.readline(), "the address")
        probe = [sys.executable, *map(here, HEALTH[1:])]
        assert subprocess.run(probe, check=False, capture_output=True).returncode == 0, shlex.join(probe)
        assert [path.name for path in tmp_path.iterdir()] == ["data"]
    finally:
        process.terminate()
        process.wait(60)
        process.stdout.close()
        process.stderr.close()


def test_hadolint_finds_nothing():
    """The linter of Dockerfiles."""
    program = shutil.which("hadolint", path=os.path.dirname(sys.executable)) or shutil.which("hadolint")
    if program is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([program, str(REPOSITORY / "Dockerfile")], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
