"""The repository keeps its promises: what two places say of one thing, they say alike."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from shared.domain.interaction import Aspect
from shared.questions import FILTERS
from shared.settings import APP_SETTINGS, HOST_SETTINGS
from shared.sources import RECORD_TYPES, SOURCES
from tests.unit.api.rows import client_of

ROOT = Path(__file__).parents[2]
PRODUCT = ("function_app.py", "blueprints", "shared", "localhost")
LONGEST_MODULE = 350
LONGEST_FORMAT = 700
"""A vendor's whole API is one module, and so is a source."""


def read(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    found = re.search(rf"^## {re.escape(heading)}[^\n]*\n(.*?)(?=^## |\Z)", read(page), re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no section {heading!r}"
    return found[1]


def first_cells(table: str) -> list[str]:
    """Return the first column of a Markdown table whose cells there are names in backquotes."""
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def modules(*folders: str) -> list[Path]:
    found = [ROOT / folder for folder in folders if folder.endswith(".py")]
    found += [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path.relative_to(ROOT) for path in found)


def trees(*folders: str) -> list[ast.Module]:
    return [ast.parse(read(path)) for path in modules(*folders)]


# Settings and functions


def test_the_settings_example_has_every_setting_and_no_other() -> None:
    example = json.loads(read("local.settings.json.example"))["Values"]

    assert sorted(example) == sorted({**APP_SETTINGS, **HOST_SETTINGS})


def test_the_operations_page_has_every_setting_and_who_reads_it() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (app|host) \|", section("docs/operations.md", "Settings"), re.MULTILINE)

    assert sorted(rows) == sorted([(name, "app") for name in APP_SETTINGS] + [(name, "host") for name in HOST_SETTINGS])


def test_every_setting_that_a_binding_names_is_a_host_setting() -> None:
    named = {name for path in modules("blueprints") for name in re.findall(r'"%(\w+)%"', read(path))}

    assert named
    assert named <= set(HOST_SETTINGS)


def test_the_operations_page_has_every_function() -> None:
    triggers = {"event_hub_message_trigger", "route", "timer_trigger"}
    functions = [
        function.name
        for tree in trees("blueprints")
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Attribute)
        and decorator.func.attr in triggers
    ]

    assert sorted(first_cells(section("docs/operations.md", "Functions"))) == sorted(functions)


@pytest.mark.slow
def test_the_operations_page_explains_every_log_line() -> None:
    levels = {"debug", "info", "warning", "error", "exception", "critical"}
    lines = {
        str(call.args[0].value).split()[0]
        for tree in trees("blueprints", "shared")
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in levels
        and ast.unparse(call.func.value) == "logger"
        and isinstance(call.args[0], ast.Constant)
    }

    assert sorted(first_cells(section("docs/operations.md", "Log lines"))) == sorted(lines)


def test_the_api_page_has_every_path_and_every_parameter() -> None:
    nothing: Any = None
    document = client_of(nothing).get("/api/openapi.json").json()
    page = re.sub(r"\{[^}]*\}", "{}", read("docs/api.md"))

    paths = {re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1")) for path in document["paths"]}
    parameters = {
        parameter["name"]
        for methods in document["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "query"
    }

    assert paths
    assert parameters
    assert sorted(path for path in paths if path not in page) == []
    assert sorted(name for name in parameters if f"`{name}`" not in page) == []


# Sources


def test_the_events_page_names_every_source() -> None:
    assert [one.source for one in RECORD_TYPES.values() if one.source not in read("docs/events.md")] == []


def test_no_two_record_types_share_a_letter() -> None:
    declared = [one.letter for source in SOURCES for one in source.record_types]

    assert sorted(declared) == sorted(set(declared) - {"q", "e"})


@pytest.mark.parametrize("aspect", Aspect)
def test_no_two_record_types_share_a_rank(aspect: Aspect) -> None:
    ranks = [one.precedence.of(aspect) for one in RECORD_TYPES.values()]

    assert sorted(ranks) == sorted(set(ranks))


def test_the_events_page_shows_which_record_wins() -> None:
    lines = [line for line in read("docs/events.md").splitlines() if line.startswith("| ")]

    assert [row for row in precedence_rows() if row not in lines] == []


def precedence_rows() -> list[str]:
    """Return the lines of the table of precedences, best first, as docs/events.md has them."""
    orders = [sorted(RECORD_TYPES.values(), key=lambda one: one.precedence.of(aspect)) for aspect in Aspect]
    cells = [[f"{one.source or 'this product'}: {one.part}" for one in order] for order in orders]
    return [f"| {place} | {' | '.join(row)} |" for place, row in enumerate(zip(*cells, strict=True), 1)]


@pytest.mark.parametrize("name", sorted(FILTERS.keys() - {"occurred_from", "occurred_before"}))
def test_every_filter_is_on_the_page_of_the_api(name: str) -> None:
    assert f"`{to_camel(name)}`" in read("docs/api.md")


# Pages


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *(f".ci/{name}" for name in ("run",))])
def test_every_make_target_that_is_named_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", read("Makefile"), re.MULTILINE))
    commands = re.findall(r"(?:^\s+|`)(?:\S+=\S+ )*make ([a-z0-9-]+)", read(page), re.MULTILINE)

    assert commands
    assert set(commands) <= targets


def pages() -> list[Path]:
    return [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
        (ROOT / "docs").rglob("*.md")
    )


def links(page: Path) -> list[Path]:
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    return [(page.parent / target).resolve() for target in targets]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not target.exists()] == []


def test_every_page_is_linked() -> None:
    linked = {target for page in pages() for target in links(page)}

    assert [page.name for page in (ROOT / "docs").glob("*.md") if page not in linked] == []


def test_every_file_that_contributors_are_sent_to_exists() -> None:
    named = re.findall(r"`((?:blueprints|docs|infra|shared|sql|tests)/[\w./-]*\.?\w+/?)`", read("CONTRIBUTING.md"))
    concrete = [path for path in named if not re.search(r"[A-Z]{3}", path)]

    assert concrete
    assert [path for path in concrete if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("record", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.stem)
def test_every_decision_has_a_number_a_date_and_its_reasons(record: Path) -> None:
    number = record.stem[:4].replace("0000", "NNNN")
    title, _, status, *_ = lines = record.read_text(encoding="utf-8").splitlines()

    assert title.startswith(f"# {number}. ")
    date = "YYYY-MM-DD" if number == "NNNN" else r"\d{4}-\d\d-\d\d"
    assert re.match(rf"{date}, (accepted|replaced by \d{{4}})\.", status)
    needed = ["## Context", "## Decision", "## What would change our mind"]
    assert [line for line in lines if line in needed] == needed


# Words

RETIRED = re.compile(
    r"(?:^|_)(told|said|asked|answered|opened|begun|sorted_out|strands?|guests?|wholes?|pieces?|witness(?:es)?|flaws?)(?:_|$)"
)
"""What the glossary has other words for."""


def names_in(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield from (name.rpartition(".")[2], other or "")


@pytest.mark.parametrize("path", modules(*PRODUCT), ids=lambda path: path.as_posix())
def test_no_name_is_a_word_that_the_glossary_replaced(path: Path) -> None:
    assert [name for name in names_in(ast.parse(read(path))) if RETIRED.search(name.lower())] == []


def test_the_glossary_has_one_meaning_for_each_word() -> None:
    words = re.findall(r"^\| \*\*([^*]+)\*\* \|", read("docs/glossary.md"), re.MULTILINE)

    assert len(words) > 20
    assert sorted(words) == sorted(set(words))


# Modules


def test_every_exception_is_caught_only_where_contributors_are_told() -> None:
    (rule,) = re.findall(r"^- `except Exception`.*?(?=^- )", read("CONTRIBUTING.md"), re.MULTILINE | re.DOTALL)
    told = re.findall(r"`([\w/]+\.py)`", rule)

    caught = [
        path.as_posix()
        for path in modules("function_app.py", "blueprints", "shared")
        for handler in ast.walk(ast.parse(read(path)))
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or re.search(r"\b(Base)?Exception\b", ast.unparse(handler.type)))
    ]

    assert sorted(caught) == sorted(told)


CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "time", "time_ns"}
"""Those of `time` that go on while a busy machine does something else."""


def test_no_unit_test_asks_how_long_something_took() -> None:
    asked = [
        f"{path}:{node.lineno}"
        for path in modules("tests/unit")
        for node in ast.walk(ast.parse(read(path)))
        if (isinstance(node, ast.Attribute) and ast.unparse(node.value) == "time" and node.attr in CLOCKS)
        or (isinstance(node, ast.ImportFrom) and node.module == "time" and CLOCKS & {one.name for one in node.names})
    ]

    assert asked == []


def test_a_unit_test_that_starts_processes_is_marked_as_slow() -> None:
    starting = [path for path in modules("tests/unit") if re.search(r"\bsubprocess\.(run|Popen)\(", read(path))]

    assert starting
    assert [path.as_posix() for path in starting if "mark.slow" not in read(path)] == []


@pytest.mark.parametrize("path", modules(*PRODUCT, "sql"), ids=lambda path: path.as_posix())
def test_no_module_is_too_long_to_read_at_once(path: Path) -> None:
    longest = LONGEST_FORMAT if path.parent.name in ("vendors", "sources") else LONGEST_MODULE

    assert len(read(path).splitlines()) <= longest


@pytest.mark.parametrize("path", modules("shared"), ids=lambda path: path.as_posix())
def test_no_module_is_left_unused(path: Path) -> None:
    # A source or an operation that no registry knows reads nothing, and says nothing.
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    parent, _, last = name.rpartition(".")
    imports = "\n".join(read(other) for other in modules(*PRODUCT, "sql") if other != path)

    assert re.search(
        rf"^ *(from {name}[ .]|import {name}\b|from {parent or 'nowhere'} import (\([^)]*|[^\n]*)\b{last}\b)",
        imports,
        re.MULTILINE,
    )
