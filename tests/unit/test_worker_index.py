"""What the Functions worker does before the first event: find the functions, and accept each of them.

One function that the worker refuses makes all of them disappear, and nothing but the worker says so.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import blueprints
import shared

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

FUNCTIONS = {
    "check_budgets",
    "refresh_prices",
    "check_completeness",
    "check_liveness",
    "check_readiness",
    "fetch_claimed_bodies",
    "expire_pending_fragments",
    "ingest_gateway",
    "ingest_monitor",
    "manage_costs",
    "manage_deployments",
    "manage_budgets",
    "manage_cost_centres",
    "manage_prices",
    "manage_quarantine",
    "manage_reservations",
    "forward_calls",
    "index_words",
    "make_exports",
    "manage_exports",
    "manage_grants",
    "manage_reaches",
    "read_access_log",
    "read_exports",
    "read_grants",
    "read_balance",
    "read_completeness",
    "read_costs",
    "read_deployments",
    "read_docs",
    "read_interactions",
    "read_openapi",
    "read_alerts",
    "read_budgets",
    "read_cost_centres",
    "read_own_usage",
    "read_prices",
    "read_prompts",
    "read_quarantine",
    "read_reservations",
    "read_reaches",
    "read_usage",
    "read_statistics",
    "read_top",
    "rebuild_usage_rollups",
    "search_interactions",
    "show_dashboard",
    "yield_problem",
}
"""Every function of the app. Names are URLs, lease names and dashboard filters: they never change once released."""

TOO_HEAVY_TO_INDEX = {
    "alembic",
    "azure.cosmos",
    "azure.identity",
    "azure.monitor.opentelemetry.exporter",
    "azure.storage.blob",
    "cryptography",
    "duckdb",
    "fastapi",
    "jinja2",
    "jwt",
    "opentelemetry",
    "pydantic",
    "pyodbc",
    "sqlalchemy",
    "starlette",
}
"""Packages that only a call needs: every cold start waits for what indexing imports. `make bench` says how long."""

INDEXING = """
import json, sys
import function_app
names = [function.get_function_name() for function in function_app.app.get_functions()]
print(json.dumps({"names": names, "modules": sorted(sys.modules)}))
"""


VALIDATION = """
import json
from types import SimpleNamespace
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.functions import Registry
import function_app
# The three values that the worker reads from its gRPC messages.
protos = SimpleNamespace(BindingInfo=SimpleNamespace(undefined=0, out=1, inout=2))
load_binding_registry()
registry = Registry()
functions = function_app.app.get_functions()
print(json.dumps({"names": [registry.add_indexed_function(function, protos).name for function in functions]}))
"""


def in_a_new_process(script: str) -> dict[str, Any]:
    # get_functions() remembers names and refuses a second call in one process.
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def indexed() -> dict[str, Any]:
    return in_a_new_process(INDEXING)


def test_the_app_has_these_functions_and_no_others(indexed: dict[str, Any]) -> None:
    assert sorted(indexed["names"]) == sorted(FUNCTIONS)


def test_the_function_for_all_other_paths_is_the_last_that_the_host_tries() -> None:
    # The Functions host sorts functions by name, and takes the first whose route and methods fit:
    # github.com/Azure/azure-functions-host/issues/9876.
    assert max(FUNCTIONS) == "yield_problem"


def test_indexing_imports_no_package_that_only_calls_need(indexed: dict[str, Any]) -> None:
    assert TOO_HEAVY_TO_INDEX.isdisjoint(indexed["modules"])


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the worker validates itself from Python 3.13 on")
def test_the_worker_accepts_every_function() -> None:
    accepted = in_a_new_process(VALIDATION)["names"]

    assert sorted(accepted) == sorted(FUNCTIONS)


@pytest.mark.parametrize("package", [shared, blueprints], ids=lambda package: package.__name__)
def test_no_dependency_shadows_a_package_of_the_app(package: Any) -> None:
    # The worker's path lists dependencies before the app's own folder.
    assert Path(package.__file__).is_relative_to(ROOT)


@pytest.mark.parametrize("name", ["blueprints", "shared", "sql", "localhost", "tests"])
def test_no_dependency_brings_a_folder_of_the_same_name(name: str) -> None:
    elsewhere = [folder for folder in sys.path if folder and not ROOT.is_relative_to(folder) and folder != str(ROOT)]

    assert not [folder for folder in elsewhere if (Path(folder) / name).exists()]
