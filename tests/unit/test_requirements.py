"""Pinned requirements are what is asked for, alike in all environments, and each has its reason."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ("requirements", "requirements-local", "requirements-dev")
HEADINGS = {
    "requirements": "In the deployed app",
    "requirements-local": "On a laptop",
    "requirements-dev": "For development",
}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def reasons_page(heading: str) -> str:
    return read("docs/dependencies.md").split(f"## {heading}")[1].split("\n## ")[0]


def required(name: str) -> dict[str, Requirement]:
    """Return what an .in file asks for, by name and marker."""
    lines = [line for line in read(f"{name}.in").splitlines() if line and not line.startswith(("#", "-"))]
    found = [Requirement(line) for line in lines]
    return {f"{canonicalize_name(one.name)} {one.marker or ''}".strip(): one for one in found}


def pinned(name: str) -> dict[str, set[str]]:
    """Return the pinned versions of a .txt file, by name."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([\w.-]+)==([^\s;]+)", read(f"{name}.txt"), re.MULTILINE):
        versions.setdefault(canonicalize_name(package), set()).add(version)
    return versions


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_pinned_requirements_are_what_is_asked_for(name: str) -> None:
    pins = pinned(name)

    stale = [
        str(one)
        for one in required(name).values()
        if not any(one.specifier.contains(version) for version in pins.get(canonicalize_name(one.name), ()))
    ]

    assert stale == [], "run make lock"


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_pinned_requirements_have_no_package_that_nothing_asks_for(name: str) -> None:
    asked = re.findall(r"^([\w.-]+)==[^#]*# via([^=]*?)(?=^[\w.-]+==|\Z)", read(f"{name}.txt"), re.MULTILINE)
    direct = {canonicalize_name(package) for package, reasons in asked if f"-r {name}.in" in reasons}

    assert direct == {canonicalize_name(one.name) for one in required(name).values()}, "run make lock"


@pytest.mark.parametrize(("narrow", "wide"), [REQUIREMENTS[:2], REQUIREMENTS[1:]])
def test_all_environments_have_the_same_versions(narrow: str, wide: str) -> None:
    assert pinned(narrow).items() <= pinned(wide).items()


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_pinned_requirements_have_hashes_and_no_address(name: str) -> None:
    text = read(f"{name}.txt")

    assert len(re.findall(r"^[\w.-]+==.*\\$", text, re.MULTILINE)) == sum(map(len, pinned(name).values()))
    assert not re.search(r"://|--index-url|--find-links|^/", text, re.MULTILINE)


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_dependency_has_its_reason(name: str) -> None:
    reasons = re.findall(r"^\| ([\w.-]+) \| \S", reasons_page(HEADINGS[name]), re.MULTILINE)
    given = [reason for reason in reasons if reason != "package"]

    assert sorted(given) == sorted({canonicalize_name(one.name) for one in required(name).values()})


PIPELINE = {Path("shared/stores/sql/migrate.py")}
"""Modules that lie in the app's folders and never run in the deployed app."""


def imported(path: Path) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_the_deployed_app_imports_nothing_that_is_not_pinned_for_it() -> None:
    paths = {path.relative_to(ROOT) for folder in ("blueprints", "shared") for path in (ROOT / folder).rglob("*.py")}
    names = set().union(*map(imported, paths - PIPELINE | {Path("function_app.py")}))
    foreign = {name for name in names if name.split(".")[0] not in {*sys.stdlib_module_names, "blueprints", "shared"}}
    distributions = packages_distributions()

    def packages(name: str) -> set[str]:
        if name.startswith("azure."):  # one namespace, a distribution for each of its packages
            parts = name.split(".")
            return {"-".join(parts[:length]) for length in range(2, len(parts) + 1)}
        return {canonicalize_name(package) for package in distributions[name.partition(".")[0]]}

    assert "azure.functions" in foreign
    assert {name for name in foreign if not packages(name) & pinned("requirements").keys()} == set()
