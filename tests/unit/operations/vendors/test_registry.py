"""What every vendor's module has: CONTRIBUTING.md's recipe."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from shared.domain.interaction import OPERATIONS
from shared.operations import vendors
from shared.operations.api import Api

_ROOT = Path(__file__).parents[4]
_MODULES = sorted(path.stem for path in Path(vendors.__path__[0]).glob("[a-z]*.py"))
_THEIRS = {
    name: module.API
    for name in _MODULES
    if isinstance((module := importlib.import_module(f"{vendors.__name__}.{name}")).__dict__.get("API"), Api)
}


def test_every_api_is_registered_once() -> None:
    assert sorted(map(id, vendors.APIS)) == sorted(map(id, _THEIRS.values()))


@pytest.mark.parametrize("name", _THEIRS)
def test_every_operation_of_an_api_is_one_that_the_interaction_knows(name: str) -> None:
    assert _THEIRS[name].families.keys() <= set(OPERATIONS)


@pytest.mark.parametrize("name", _THEIRS)
def test_every_api_has_its_section_of_the_events_page(name: str) -> None:
    told = inspect.getdoc(importlib.import_module(f"{vendors.__name__}.{name}"))
    section = re.search(r'section "([^"]+)"', told or "")

    assert section, "the docstring names no section"
    page = (_ROOT / "docs/events.md").read_text(encoding="utf-8").partition("\n## Other vendors' APIs\n")[2]
    assert f"\n### {section[1]}\n" in page


@pytest.mark.parametrize("name", _THEIRS)
def test_every_api_has_tests_of_its_own(name: str) -> None:
    assert (Path(__file__).parent / f"test_{name}.py").is_file()
