"""The package that is deployed: nothing is missing, nothing is too much, and it starts."""

import json
import os
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import events
from tests.builders.databases import new_sqlite
from tests.unit.test_worker_index import FUNCTIONS, INDEXING, VALIDATION

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SHIPPED = {"function_app.py", "host.json", "requirements.txt", "blueprints", "shared"}
"""Everything of the top level that the app needs in Azure."""

PIPELINE = {"shared/stores/sql/migrate.py"}
"""What lies among it and runs in the pipeline only."""

_SCRIPT = runpy.run_path(str(ROOT / ".ci" / "package.py"))
is_deployed: Callable[[str, list[str]], bool] = _SCRIPT["is_deployed"]
patterns: Callable[[str], list[str]] = _SCRIPT["patterns"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("package") / "app.zip"
    subprocess.run([sys.executable, str(ROOT / ".ci" / "package.py"), str(target)], check=True, capture_output=True)
    return target


@pytest.fixture(scope="module")
def unpacked(package: Path) -> Path:
    folder = package.parent / "wwwroot"
    with zipfile.ZipFile(package) as content:
        content.extractall(folder)
    return folder


def in_the_package(folder: Path, script: str, **settings: str) -> dict[str, Any]:
    """Run `script` as the worker would: from the package's own folder, with nothing of this checkout in reach."""
    system = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        cwd=folder,
        env=system | settings,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


# What it holds


def test_the_package_holds_all_that_the_app_needs_and_nothing_else(package: Path) -> None:
    folders = [ROOT / name for name in SHIPPED if (ROOT / name).is_dir()]
    inside = {path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*") if path.is_file()}
    expected = {
        name for name in inside | {name for name in SHIPPED if (ROOT / name).is_file()} if "__pycache__" not in name
    } - PIPELINE

    names = zipfile.ZipFile(package).namelist()

    assert sorted(names) == names, "sorted, each file once"
    assert set(names) == expected


def test_every_entry_of_the_top_level_is_shipped_or_ignored() -> None:
    ignored = patterns((ROOT / ".funcignore").read_text(encoding="utf-8"))
    # A folder whose whole content is ignored leaves nothing in a package.
    whole = {entry.name: list(entry.iterdir()) if entry.is_dir() else [entry] for entry in ROOT.iterdir()}
    kept = {
        name
        for name, paths in whole.items()
        if is_deployed(name, ignored) and any(is_deployed(path.relative_to(ROOT).as_posix(), ignored) for path in paths)
    }

    assert kept == SHIPPED, "say in .funcignore what does not belong in the package, or here what does"


def test_every_pattern_drops_something_that_may_be_there() -> None:
    # A name that no tool and no folder of ours has is a slip of the pen.
    made_by_tools = {
        ".azure", ".coverage", ".editorconfig", ".git", ".gitattributes", ".github", ".hypothesis",
        ".import_linter_cache", ".local", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv*", ".vscode",
        "__pycache__", "*.new", "azure.yaml", "build", "dist", "infra", "local.settings.json", "node_modules",
    }  # fmt: skip
    ignored = set(patterns((ROOT / ".funcignore").read_text(encoding="utf-8")))

    assert {pattern for pattern in ignored - made_by_tools if not list(ROOT.glob(pattern))} == set()


@pytest.mark.parametrize("pattern", ["!shared", "/sql", "docs/", "**/x", "a\\b"])
def test_a_pattern_that_tools_read_differently_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="does not mean the same"):
        patterns(f"# comment\n\n{pattern}\n")


@pytest.mark.parametrize(
    ("path", "deployed"),
    [
        ("shared/stores/sql/engine.py", True),
        ("sql/schema.sql", False),
        ("shared/__pycache__/settings.cpython-313.pyc", False),
        ("shared/page.md", False),
        (".venv-3.11/bin/python", False),
        ("requirements-anything.txt", False),
        ("requirements.txt", True),
    ],
)
def test_a_name_drops_at_any_depth_and_a_path_from_the_root(path: str, *, deployed: bool) -> None:
    ignored = patterns((ROOT / ".funcignore").read_text(encoding="utf-8"))

    assert is_deployed(path, ignored) is deployed


def test_the_same_files_make_the_same_bytes(package: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    subprocess.run([sys.executable, str(ROOT / ".ci" / "package.py"), str(again)], check=True, capture_output=True)

    assert again.read_bytes() == package.read_bytes()


# That it starts


IMPORTING = """
import importlib, json, pathlib, pkgutil, sys
import blueprints, shared
names = [found.name for package in (blueprints, shared)
         for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
here = pathlib.Path.cwd()
print(json.dumps({name: pathlib.Path(importlib.import_module(name).__file__).is_relative_to(here) for name in names}))
"""

SERVING = """
import asyncio, json
import azure.functions as func
import blueprints.asgi
import function_app
functions = {one.get_function_name(): one.get_user_function() for one in function_app.app.get_functions()}

functions["ingest_gateway"]([func.EventHubEvent(
    body=body, trigger_metadata={}, enqueued_time=None, partition_key=None, sequence_number=number, offset=number,
    iothub_metadata={}) for number, body in enumerate(BODIES)])
blueprints.asgi.PEER.set(("127.0.0.1", 50_000))
request = func.HttpRequest(method="GET", url="http://localhost/api/v1/balance", headers={"Host": "localhost"}, body=b"")
answer = asyncio.run(functions["read_balance"](request, None))
print(json.dumps({"status": answer.status_code, "body": json.loads(answer.get_body())}))
"""


def test_every_module_of_the_package_is_found_in_the_package(unpacked: Path) -> None:
    found = in_the_package(unpacked, IMPORTING)

    assert found
    assert [name for name, here in found.items() if not here] == []


def test_the_package_has_every_function(unpacked: Path) -> None:
    assert sorted(in_the_package(unpacked, INDEXING)["names"]) == sorted(FUNCTIONS)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the worker validates itself from Python 3.13 on")
def test_the_worker_accepts_every_function_of_the_package(unpacked: Path) -> None:
    assert sorted(in_the_package(unpacked, VALIDATION)["names"]) == sorted(FUNCTIONS)


def test_the_package_takes_events_and_answers(unpacked: Path, tmp_path: Path) -> None:
    new_sqlite(tmp_path).dispose()
    bodies = [events.a_request(), events.a_response(), events.poison()]
    settings = {"PROMPTLEDGER_DATABASE": f"sqlite:///{tmp_path / 'ledger.db'}", "PROMPTLEDGER_AUTH": "local"}

    answer = in_the_package(unpacked, f"BODIES = {bodies!r}\n{SERVING}", **settings)

    assert answer["status"] == 200
    total = answer["body"]["total"]
    assert (total["received"], total["stored"], total["quarantined"]) == (3, 2, 1)
