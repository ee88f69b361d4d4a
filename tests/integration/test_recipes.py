"""CONTRIBUTING's recipes, walked on a copy of the checkout: whole, and once for each step with that step left out.

A step that is left out fails the very tests that the recipe names. The steps here are the least that each means.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.domain.interaction import Aspect

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".*_cache", ".git", ".venv*", ".local", ".hypothesis", "node_modules", "build")
MIGRATIONS = "sql/migrations/versions"

Step = Callable[[Path], None]


class Recipe(NamedTuple):
    """What a recipe says."""

    steps: Mapping[str, Step]
    """The file that a step is about, or its number -> what it means."""
    tests: Sequence[str]
    """Of the modules that the recipe names, those that tell; as arguments of pytest."""


def put(path: str, text: str) -> Step:
    """Return a step that writes a file."""

    def step(copy: Path) -> None:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(text, encoding="utf-8")

    return step


def behind(path: str, anchor: str, text: str) -> Step:
    """Return a step that writes `text` behind the first place that fits the pattern `anchor`."""

    def step(copy: Path) -> None:
        before = (copy / path).read_text(encoding="utf-8")
        found = re.search(anchor, before, re.MULTILINE | re.DOTALL)
        assert found, f"{path} has no {anchor!r} any more"
        (copy / path).write_text(before[: found.end()] + text + before[found.end() :], encoding="utf-8")

    return step


def all_of(*steps: Step) -> Step:
    def step(copy: Path) -> None:
        for one in steps:
            one(copy)

    return step


def printed(*arguments: str, to: str | None = None) -> Step:
    """Return a step that runs a module; what it prints goes to a file, if one is named."""

    def step(copy: Path) -> None:
        done = subprocess.run([sys.executable, *arguments], cwd=copy, check=True, capture_output=True)
        if to is not None:
            (copy / to).write_bytes(done.stdout)

    return step


SCHEMA = printed("-m", "shared.stores.sql.migrate", "schema", to="sql/schema.sql")


def a_migration(statements: str) -> Step:
    def step(copy: Path) -> None:
        last = max(path.name[:4] for path in (copy / MIGRATIONS).glob("[0-9]*.py"))
        number = f"{int(last) + 1:04}"
        (copy / MIGRATIONS / f"{number}_add_example.py").write_text(
            f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{number}"\ndown_revision = "{last}"\n\n\n'
            f"def upgrade():\n    {statements}\n",
            encoding="utf-8",
        )

    return step


def added_to(table: str) -> str:
    return f'op.add_column("{table}", sa.Column("example", sa.BigInteger(), nullable=True))'


def a_setting_of_the_example(copy: Path) -> None:
    path = copy / "local.settings.json.example"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["Values"]["PROMPTLEDGER_EXAMPLE"] = "1"
    path.write_text(json.dumps(document), encoding="utf-8")


def an_alert(copy: Path) -> None:
    path = copy / "infra/alerts.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["app"].append(document["app"][0] | {"name": "example"})
    path.write_text(json.dumps(document), encoding="utf-8")


def another_question(kind: str, copy: Path) -> None:
    """Copy a question of analysts in one of its languages."""
    path = copy / {"sql": "sql/queries/errors.sql", "kql": "sql/kql/queries/errors.kql"}[kind]
    text = (
        path.read_text(encoding="utf-8").replace("queries/errors.", "queries/examples.").replace("Errors(", "Examples(")
    )
    path.with_stem("examples").write_text(text, encoding="utf-8")


REPOSITORY = "tests/unit/test_repository.py"
VENDORS = "shared/operations/vendors/__init__.py"
A_VENDOR = '''"""Acme's API.

Source: made up (docs/events.md, section "Acme").
"""

from shared.domain.values import count
from shared.operations.api import Api, Family, Target
from shared.operations.readings import reading_of_request, reading_of_response

OPERATION = "acme.talk"


def target_of(segments):
    return Target(operation=OPERATION, model=segments[-2]) if segments[-1:] == ["talk"] else None


def read_request(body):
    return reading_of_request(body, body.get("question"))


def read_response(body):
    return reading_of_response(body, {"output_tokens": count(body.get("spent"))}, body.get("reply"))


API = Api(families={OPERATION: Family(read_request, read_response)}, target_of=target_of)
'''
TESTS_OF_A_VENDOR = '''"""A call of Acme's."""

from shared.domain.vendors import vendor_of
from shared.sources import read_event
from tests.builders import events


def test_a_call_is_read():
    url = "/acme/models/acme-1/talk"
    request = events.a_request(url=url, operationId="wildcard", body={"question": "What is two and two?"})
    response = events.a_response(backendUrl="https://h" + url, body={"reply": "Four.", "spent": 7})
    (asked,), (said,) = (read_event(event, events.ENQUEUED).fragments for event in (request, response))

    assert (asked.facts["operation"], asked.facts["requested_model"]) == ("acme.talk", "acme-1")
    assert (asked.content.prompt, said.content.completion) == ("What is two and two?", "Four.")
    assert said.facts["output_tokens"] == 7
    assert "deployment" not in asked.facts
    assert vendor_of("acme-1", "acme.talk") == "acme"
'''
A_SOURCE = '''"""Events of an example."""

from shared.domain.interaction import Provenance
from shared.domain.record_types import Precedence, RecordType
from shared.sources import toolkit

_RANKS = Precedence(general=215, request=215, error=215, time=215, model=215, prompt=215, cache=215)
_CALL_RECORD = RecordType("example", "call", "X", Provenance.REPORTED, _RANKS)
SOURCE = toolkit.SOURCE._replace(record_types=(_CALL_RECORD,), recognises=lambda event: "example" in event)
'''
A_PRECEDENCE = f"""
`example`

| 22 |{" example: call |" * len(Aspect)}
| 23 |{" this product: estimate |" * len(Aspect)}
"""
A_DECISION = (ROOT / "docs/adr/0000-template.md").read_text(encoding="utf-8").replace("NNNN", "9999")
RECIPES = {
    "Add a source": Recipe(
        {
            "`shared/sources/NAME.py`": put(
                "shared/sources/example.py",
                A_SOURCE,
            ),
            "`SOURCES`": all_of(
                behind("shared/sources/__init__.py", r"    enterprise_logging,\n", "    example,\n"),
                behind("shared/sources/__init__.py", r"^SOURCES[^(]*\(\n", "    example.SOURCE,\n"),
            ),
            "`docs/events.md`": behind("docs/events.md", r"\Z", A_PRECEDENCE),
        },
        (REPOSITORY, "-k", "left_unused and sources or events_page"),
    ),
    "Add an operation": Recipe(
        {
            "`shared/operations/FAMILY.py`": put("shared/operations/example.py", '"""Bodies of an example."""\n'),
            "Register": behind(
                "shared/operations/__init__.py", r"from shared\.operations import \(\n", "    example,\n"
            ),
        },
        (REPOSITORY, "-k", "left_unused and operations"),
    ),
    "Add a vendor": Recipe(
        {
            "`shared/operations/vendors/NAME.py`": put("shared/operations/vendors/acme.py", A_VENDOR),
            "Register": all_of(
                behind(VENDORS, r"^from shared\.operations\.vendors import ", "acme, "),
                behind(VENDORS, r"^APIS[^(]*\(", "acme.API, "),
            ),
            "`OPERATIONS`": behind("shared/domain/interaction.py", r"^OPERATIONS[^(]*\(\n", '    "acme.talk",\n'),
            "`shared/domain/vendors.py`": behind(
                "shared/domain/vendors.py", r"^_BY_NAME[^(]*\(\n", '    ("acme", ("acme-",)),\n'
            ),
            "`docs/events.md`": behind("docs/events.md", r"^## Other vendors' APIs\n", "\n### Acme\n\nMade up.\n"),
            "`tests/unit/operations/vendors/test_NAME.py`": put(
                "tests/unit/operations/vendors/test_acme.py", TESTS_OF_A_VENDOR
            ),
        },
        ("tests/unit/operations/vendors", "-k", "acme or registry"),
    ),
    "Add a field to the interaction": Recipe(
        {
            "`FIELDS`": behind(
                "shared/domain/interaction.py", r"^FIELDS.*?(?=\n\)\n)", '\n    Field("example", Kind.COUNT),'
            ),
            "A migration": all_of(
                a_migration('op.add_column("interaction", sa.Column("example", sa.BigInteger(), nullable=True))'),
                SCHEMA,
            ),
            "`sql/roles.sql`": behind("sql/roles.sql", r"code_sessions", ", example"),
        },
        ("tests/unit/test_migrations.py", "tests/unit/test_sql_scripts.py", "-k", "add_up or checked_in or every_fact"),
    ),
    "Add a rollup measure": Recipe(
        {
            "`MEASURES`": behind(
                "shared/stores/sql/usage_tables.py", r'^    "unpriced_requests",\n', '    "example_requests",\n'
            ),
            "`shared/stores/sql/usage_facts.py`": behind(
                "shared/stores/sql/usage_facts.py",
                r'^        "requests": sa.literal\(1\),\n',
                '        "example_requests": sa.literal(1),\n',
            ),
            "A migration": all_of(
                a_migration(
                    'for table in ("usage_of_hour", "usage_of_day", "usage_of_month"):\n'
                    '        zero = {"nullable": False, "server_default": "0"}\n'
                    '        op.add_column(table, sa.Column("example_requests", sa.BigInteger(), **zero))'
                ),
                SCHEMA,
            ),
            "`Usage`": behind("shared/api/models.py", r"^    unmetered_requests: int\n", "    example_requests: int\n"),
        },
        (
            "tests/unit/test_migrations.py",
            "tests/unit/api/test_usage.py",
            "tests/contracts/test_usage_rollups.py",
            "-k",
            "add_up or checked_in or every_measure or filter_did",
        ),
    ),
    "Add a migration": Recipe(
        {
            f"`{MIGRATIONS}": a_migration(
                'op.add_column("lease", sa.Column("example", sa.BigInteger(), nullable=True))'
            ),
            "`shared/stores/sql/tables.py`": behind(
                "shared/stores/sql/tables.py",
                r'Column\("taken", COUNT, nullable=False\),\n',
                '    Column("example", COUNT, nullable=True),\n',
            ),
            "`make schema`": SCHEMA,
        },
        ("tests/unit/test_migrations.py", "-k", "add_up or checked_in"),
    ),
    "Add a statement": Recipe(
        {
            "In `shared/stores/sql/`": behind(
                "shared/stores/sql/completeness.py",
                r"^class SqlCompleteness.*?(?=\n    def )",
                "\n    def forget(self) -> None:\n        with self._engine.begin() as connection:\n"
                '            connection.execute(sa.delete(tables.lease).where(tables.lease.c.name == "x"))\n',
            ),
            "`tests/builders/tsql.py`": behind(
                "tests/builders/tsql.py", r"^    completeness\.standing\(\)\n", "    completeness.forget()\n"
            ),
            "`sql/roles.sql`": behind("sql/roles.sql", r"^grant select, insert, update(?= on dbo\.lease)", ", delete"),
        },
        (
            "tests/unit/test_mssql_statements.py",
            "tests/unit/test_sql_scripts.py",
            "-k",
            "every_place or the_app_may_do",
        ),
    ),
    "Add a setting": Recipe(
        {
            "`shared/settings.py`": behind(
                "shared/settings.py", r"^APP_SETTINGS = \{\n", '    "PROMPTLEDGER_EXAMPLE": "an example",\n'
            ),
            "`local.settings.json.example`": a_setting_of_the_example,
            "`docs/operations.md`": behind(
                "docs/operations.md",
                r"^\| setting \| read by \| meaning \|\n[^\n]*\n",
                "| `PROMPTLEDGER_EXAMPLE` | app | An example. |\n",
            ),
            "`infra/modules/app-settings.bicep`": behind(
                "infra/modules/app-settings.bicep",
                r"^  EVENT_HUBS__clientId: [^\n]*\n",
                "  PROMPTLEDGER_EXAMPLE: '1'\n",
            ),
        },
        (
            REPOSITORY,
            "tests/unit/infra/test_settings.py",
            "-k",
            "settings_example or has_every_setting or no_setting or every_setting_that_the_app",
        ),
    ),
    "Add a metric": Recipe(
        {
            "`shared/telemetry.py`": all_of(
                behind("shared/telemetry.py", r"^METRICS: Final = \(\n", "    EXAMPLE,\n"),
                behind(
                    "shared/telemetry.py",
                    r"^(?=EVENTS: Final)",
                    'EXAMPLE: Final = Metric("promptledger.example", "counter", "{event}", "An example.")\n',
                ),
            ),
            "`shared/services/measures.py`": all_of(
                behind("shared/services/measures.py", r"^from shared\.telemetry import \(\n", "    EXAMPLE,\n"),
                behind(
                    "shared/services/measures.py",
                    r"^    recorder\.record\(BYTES[^\n]*\n",
                    "    recorder.record(EXAMPLE, 1)\n",
                ),
            ),
            "python -m tests.unit.test_telemetry": printed("-m", "tests.unit.test_telemetry"),
        },
        ("tests/unit/test_telemetry.py", "-k", "operations_page or recorded_somewhere"),
    ),
    "Add a function": Recipe(
        {
            "`blueprints/FAMILY.py`": behind(
                "blueprints/health.py",
                r"\Z",
                '\n\n@bp.route(route="health/example", methods=[func.HttpMethod.GET])\n'
                "def check_example(req: func.HttpRequest) -> func.HttpResponse:\n"
                '    """Answer an example."""\n    return func.HttpResponse("")\n',
            ),
            "`docs/operations.md`": behind(
                "docs/operations.md",
                r"^\| function \| trigger \| does \|\n[^\n]*\n",
                "| `check_example` | HTTP `health/example` | An example. |\n",
            ),
            "`tests/unit/test_worker_index.py`": behind(
                "tests/unit/test_worker_index.py", r"^FUNCTIONS = \{\n", '    "check_example",\n'
            ),
        },
        (REPOSITORY, "tests/unit/test_worker_index.py", "-k", "has_every_function or these_functions"),
    ),
    "Add a filter of the API": Recipe(
        {
            "`FILTERS`": behind(
                "shared/questions.py",
                r"^FILTERS[^(]*\(\n",
                '        Filter("response_id", str, Condition.EQUAL, "response_id"),\n',
            ),
            "`docs/api.md`": behind("docs/api.md", r"^`/interactions` takes ", "`responseId`, "),
        },
        (REPOSITORY, "-k", "every_filter"),
    ),
    "Add a route": Recipe(
        {
            "`shared/api/routes/RESOURCE.py`": behind(
                "shared/api/routes/usage.py",
                r"\Z",
                '\n\n@router.get("/example", **described(Role.USAGE_READ, model=Page[Usage]))\n'
                "def list_example(_caller: UsageWithin) -> Response:\n"
                '    """Answer an example."""\n    return json_response(page_view([], None))\n',
            ),
            "`docs/api.md`": behind("docs/api.md", r"\Z", "\n`/usage/example`\n"),
        },
        (REPOSITORY, "-k", "api_page"),
    ),
    "Add a question for analysts": Recipe(
        {
            "`sql/queries/NAME.sql`": partial(another_question, "sql"),
            "`sql/kql/queries/NAME.kql`": partial(another_question, "kql"),
            "`infra/modules/data-explorer.bicep`": behind(
                "infra/modules/data-explorer.bicep",
                r"loadTextContent\('[./]*sql/kql/queries/errors\.kql'\)\n",
                "  loadTextContent('../../sql/kql/queries/examples.kql')\n",
            ),
        },
        ("tests/unit/test_kql.py", "-k", "both_languages or names_the_other or runs_every_script"),
    ),
    "Add a folder or file to the top level": Recipe(
        {
            "": put("notes/example.txt", "An example.\n"),
            "`.funcignore`": behind(".funcignore", r"^Makefile\n", "notes\n"),
        },
        ("tests/unit/test_package.py", "-k", "top_level"),
    ),
    "Add an alert": Recipe(
        {
            "`infra/alerts.json`": an_alert,
            "`docs/operations.md`": behind(
                "docs/operations.md",
                r"^\| metric \| objective \| alert \|\n[^\n]*\n",
                "| `promptledger.ingest.lag` | An example. | `example` |\n",
            ),
        },
        ("tests/unit/infra/test_monitor.py", "-k", "every_objective"),
    ),
    "Add a dependency": Recipe(
        {
            "`requirements-dev.in` otherwise": behind("requirements-dev.in", r"\Z", "example>=1\n"),
            "`make lock`": behind(
                "requirements-dev.txt",
                r"\Z",
                f"example==1.0 \\\n    --hash=sha256:{'0' * 64}\n    # via -r requirements-dev.in\n",
            ),
            "`docs/dependencies.md`": behind(
                "docs/dependencies.md",
                r"^## For development.*?\| package \| why \|\n[^\n]*\n",
                "| example | An example. |\n",
            ),
        },
        ("tests/unit/test_requirements.py", "-k", "asked_for or nothing_asks or its_reason"),
    ),
    "Record a decision": Recipe(
        {
            "`docs/adr/0000-template.md`": put("docs/adr/9999-example.md", A_DECISION),
            "with today's date": put("docs/adr/9999-example.md", A_DECISION.replace("YYYY-MM-DD", "2026-03-02")),
        },
        (REPOSITORY, "-k", "every_decision"),
    ),
}


def section(name: str) -> str:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return page.partition(f"### {name}\n")[2].partition("\n### ")[0]


def walked(copy: Path, name: str, *, without: str | None) -> subprocess.CompletedProcess[str]:
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED, symlinks=True)
    modules = ROOT / "tests/parts/node_modules"
    if modules.exists():
        (copy / "tests/parts/node_modules").symlink_to(modules)
    # What is installed there is locked, and shared.
    (ROOT / "build").mkdir(exist_ok=True)
    (copy / "build").symlink_to(ROOT / "build")
    recipe = RECIPES[name]
    for about, step in recipe.steps.items():
        if about != without:
            step(copy)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *recipe.tests]
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)


def test_every_recipe_is_walked_here_or_is_walked_by_hand() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipes = set(re.findall(r"^### (.+)$", page.partition("\n## Recipes\n")[2], re.MULTILINE))

    # What a resource of the estate must say depends on its type.
    assert recipes == {*RECIPES, "Add a resource to the estate"}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_the_steps_and_the_tests_that_are_walked_here(name: str) -> None:
    words = re.sub(r"\s+", " ", section(name))

    assert [about for about in RECIPES[name].steps if about not in words] == []
    assert [one for one in RECIPES[name].tests if one.endswith(".py") and one not in words] == []


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_that_is_followed_passes(tmp_path: Path, name: str) -> None:
    done = walked(tmp_path / "copy", name, without=None)

    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize(
    ("name", "forgotten"),
    # Without its first step there is nothing new, and nothing to forget.
    [(name, about) for name, recipe in RECIPES.items() for about in list(recipe.steps)[1:]],
)
def test_a_step_that_is_forgotten_fails_the_tests_that_the_recipe_names(
    tmp_path: Path, name: str, forgotten: str
) -> None:
    done = walked(tmp_path / "copy", name, without=forgotten)

    # A module that cannot even be imported is an error to pytest, not a failure.
    assert done.returncode in (1, 2), done.stdout[-3000:]
    assert re.search(r"\d (failed|error)", done.stdout)
