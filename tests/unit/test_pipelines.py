"""The pipelines: valid by their schemas, no secret in them, and the ledger is migrated before the app."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
AZURE = ROOT / ".ci" / "azure-pipelines.yml"
SCHEMAS = {
    **dict.fromkeys(WORKFLOWS, ("vendor.github-workflows",)),
    # Its schema has patterns that are no Unicode patterns, and template expressions stand where values go.
    AZURE: ("vendor.azure-pipelines", "--regex-variant", "nonunicode", "--data-transform", "azure-pipelines"),
}
PIPELINES = [ROOT / ".github" / "workflows" / "deploy.yml", AZURE]
SCRIPTS = ("deploy", "find-python", "functions", "migrate", "run", "venv")

file_name = pytest.mark.parametrize("path", [*WORKFLOWS, AZURE], ids=lambda path: path.name)


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def every(value: Any, key: str) -> Iterator[Any]:
    """Yield whatever stands under `key`, at any depth, in order."""
    if isinstance(value, dict):
        for name, below in value.items():
            if name == key:
                yield below
            yield from every(below, key)
    elif isinstance(value, list):
        for below in value:
            yield from every(below, key)


def check(path: Path, schema: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *options, str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


# YAML


@file_name
def test_a_pipeline_is_what_its_schema_says(path: Path) -> None:
    done = check(path, *SCHEMAS[path])

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        pytest.param(WORKFLOWS[0], "runs-on:", "runs_on:", id="GitHub"),
        pytest.param(AZURE, "vmImage: ubuntu-latest", "vmImage: [1]", id="Azure"),
    ],
)
def test_the_check_finds_what_a_schema_does_not_know(path: Path, right: str, wrong: str, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert right in text
    broken = tmp_path / path.name
    broken.write_text(text.replace(right, wrong), encoding="utf-8")

    assert check(broken, *SCHEMAS[path]).returncode == 1


@file_name
def test_a_pipeline_holds_no_secret_and_asks_for_none(path: Path) -> None:
    text = path.read_text(encoding="utf-8").lower()

    assert [
        word for word in ("secrets.", "password", "publish-profile", "creds:", "client-secret") if word in text
    ] == []


# GitHub


def used_actions() -> list[str]:
    return [line for path in WORKFLOWS for line in re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))]


def test_every_action_is_pinned_to_a_commit_whose_version_stands_beside_it() -> None:
    assert used_actions()
    assert [
        use for use in used_actions() if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\S+", use)
    ] == []


def test_an_action_has_the_same_commit_everywhere() -> None:
    pins = {tuple(use.split("@", 1)) for use in used_actions() if "@" in use}

    assert len(pins) == len({name for name, _ in pins})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_no_more_than_it_needs(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {"contents": "read"}
    granted = {name: job.get("permissions", {}) for name, job in workflow["jobs"].items()}
    assert {name for name, rights in granted.items() if rights.get("id-token")} <= {"deploy"}
    assert {right for rights in granted.values() for right in rights.items()} <= {
        ("contents", "read"),
        ("id-token", "write"),
    }
    assert all("timeout-minutes" in job for job in workflow["jobs"].values() if "uses" not in job)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_expression_is_pasted_into_a_command(path: Path) -> None:
    # What stands in `${{ }}` is put in as text, and whoever names a branch would write the command.
    assert [command for command in every(read(path)["jobs"], "run") if "${{" in command] == []


# What they do


def commands(path: Path) -> list[str]:
    found: list[str] = []

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            for name, below in value.items():
                if name in {"run", "bash", "inlineScript"} and isinstance(below, str):
                    found.append(below)
                collect(below)
        elif isinstance(value, list):
            for below in value:
                collect(below)

    collect(read(path))
    return found


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.name)
def test_the_ledger_is_migrated_before_the_app_is_deployed(path: Path) -> None:
    steps = [command.split()[0] for command in commands(path)]

    assert steps.index(".ci/migrate") < steps.index(".ci/deploy")
    assert steps.index("make") < steps.index(".ci/migrate")


@pytest.mark.parametrize("path", [WORKFLOWS[0], AZURE], ids=lambda path: path.name)
def test_nothing_is_packed_that_was_not_tested(path: Path) -> None:
    steps = commands(path)

    assert steps.index(".ci/run") < steps.index("make zip")


def test_both_pipelines_run_the_same_commands() -> None:
    github = {command.split()[0] for path in WORKFLOWS for command in commands(path)}
    azure = {command.split()[0] for command in commands(AZURE)} - {"mkdir"}

    assert github == azure


@file_name
def test_every_script_and_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = "\n".join(commands(path))

    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    assert [script for script in re.findall(r"(?<!\S)\.ci/[\w-]+", text) if not os.access(ROOT / script, os.X_OK)] == []


def test_every_setting_of_the_pipelines_is_explained() -> None:
    page = (ROOT / "docs" / "delivery.md").read_text(encoding="utf-8")
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*WORKFLOWS, AZURE])

    named = set(re.findall(r"\bvars\.(\w+)", text)) | set(re.findall(r"\$\(([A-Z_]+)\)", text))
    assert named
    assert sorted(name for name in named if f"`{name}`" not in page) == []


# The scripts


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_sound_and_may_be_run(name: str) -> None:
    script = ROOT / ".ci" / name
    shell = "bash" if "bash" in script.read_text(encoding="utf-8").splitlines()[0] else "sh"

    assert os.access(script, os.X_OK)
    assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0


def run(script: str, *arguments: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    search = os.environ["PATH"] if path is None else f"{path}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(ROOT / ".ci" / script), *arguments],
        env={**os.environ, "PATH": search, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_migrate_brings_the_ledger_to_the_newest_revision(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"

    done = run("migrate", sys.prefix, PROMPTLEDGER_DATABASE=url)

    assert done.returncode == 0, done.stderr
    engine = sa.create_engine(url)
    assert "interaction" in sa.inspect(engine).get_table_names()
    engine.dispose()


def test_migrate_says_what_it_misses() -> None:
    done = run("migrate", sys.prefix, PROMPTLEDGER_DATABASE="")

    assert done.returncode != 0
    assert "PROMPTLEDGER_DATABASE" in done.stderr


STAND_IN = """#!/bin/sh
echo "$@" >>"$CALLS"
case "$*" in
*"function list"*) cat "$FOUND" ;;
esac
"""
"""Answers for Azure's command line: what functions the host has, and nothing else."""


@pytest.mark.parametrize(
    ("found", "code"),
    [
        pytest.param("app/two\napp/one\n", 0, id="all are there"),
        pytest.param("app/one\n", 1, id="one is missing"),
        pytest.param("", 1, id="the worker refused them"),
    ],
)
def test_a_deployment_has_succeeded_when_the_host_has_every_function(found: str, code: int, tmp_path: Path) -> None:
    (tmp_path / "az").write_text(STAND_IN)
    (tmp_path / "az").chmod(0o755)
    (tmp_path / "found").write_text(found)
    (tmp_path / "wanted").write_text("one\ntwo\n")
    here = {"CALLS": str(tmp_path / "calls"), "FOUND": str(tmp_path / "found"), "ATTEMPTS": "2", "PAUSE": "0"}

    done = run("deploy", "group", "app", "build/app.zip", str(tmp_path / "wanted"), path=tmp_path, **here)

    assert done.returncode == code, done.stderr
    first = (tmp_path / "calls").read_text().splitlines()[0]
    assert first.startswith(
        "functionapp deployment source config-zip --resource-group group --name app --src build/app.zip"
    )
    assert "--build-remote true" in first


@pytest.mark.parametrize(
    ("ends", "code"),
    [
        pytest.param("echo 'ERROR: build failed' >&2; exit 1", 1, id="the package is not taken"),
        pytest.param("echo 'Checking the health of the function app' >&2; exec sleep 60", 0, id="its check never ends"),
        pytest.param(
            "echo 'Deployment was successful but the app appears' >&2; exit 1", 0, id="its check is turned away"
        ),
        pytest.param("exec sleep 60", 1, id="nothing comes back"),
    ],
)
def test_the_command_line_s_own_check_of_the_app_decides_nothing_and_ends_in_time(
    ends: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "az").write_text(f'#!/bin/sh\ncase "$*" in\n*"function list"*) echo app/one ;;\n*) {ends} ;;\nesac\n')
    (tmp_path / "az").chmod(0o755)
    (tmp_path / "wanted").write_text("one\n")
    here = {"ATTEMPTS": "1", "PAUSE": "0", "LIMIT": "2"}

    done = run("deploy", "group", "app", "build/app.zip", str(tmp_path / "wanted"), path=tmp_path, **here)

    assert done.returncode == code, done.stderr


def test_functions_names_every_function() -> None:
    done = run("functions", sys.prefix)

    assert "ingest_gateway" in done.stdout.splitlines(), done.stderr
