"""`make bench` asks every GET route, and its results can be compared."""

import importlib
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from shared.api import dashboard
from shared.api.dashboard.frame import HOME
from tests.benchmarks.asked import ASKED, NOT_ASKED, Known, questions_of
from tests.benchmarks.figures import Figure, of_times, read, show, written
from tests.tools.contract import document


def routes_of_pages() -> Iterator[str]:
    for found in pkgutil.iter_modules(dashboard.__path__):
        module = importlib.import_module(f"{dashboard.__name__}.{found.name}")
        for router in vars(module).values():
            if isinstance(router, APIRouter):
                yield from (
                    HOME + one.path
                    for one in router.routes
                    if isinstance(one, APIRoute) and "GET" in (one.methods or ())
                )


def test_every_get_route_of_the_api_and_every_page_is_asked() -> None:
    routes = {path for path, methods in document()["paths"].items() if "get" in methods and "/v1/" in path}

    pages = set(routes_of_pages())

    assert len(pages) > 5
    assert routes | pages == ASKED.keys() | NOT_ASKED.keys()
    assert all(ASKED.values())


def test_questions_hold_values_of_the_ledger_in_the_query_and_in_the_path() -> None:
    values = Known(*(f"<{name}>" for name in Known._fields))

    asked = {one.name: one for path in ASKED for one in questions_of(path, values)}

    assert asked["/api/v1/interactions of a rare user"].url.endswith("&userId=<rare_user>")
    content = asked["/api/v1/interactions/{id}/content present"]
    assert content.url == "/api/v1/interactions/<call>/content"
    assert content.may_lack
    assert not [one for one in asked.values() if "{" in one.url]


def test_figures_are_kept_and_shown_beside_those_of_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = Figure("a question", 40.0, 20.0, goal=50.0), Figure("a question", 60.0, 20.0, goal=50.0)
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"figures": written({"routes": [old]})}))

    show({"routes": [new]}, read(path))

    line = next(line for line in capsys.readouterr().out.splitlines() if "a question" in line)
    assert line.split()[-3:] == ["MISSED", "40.00", "1.50"]


def test_of_a_hundred_answers_the_figure_is_that_of_which_95_are_no_longer() -> None:
    figure = of_times("a question", [float(number) for number in range(100, 0, -1)], goal=96.0)

    assert (figure.half, figure.most, figure.verdict) == (50.5, 96.0, "met")
