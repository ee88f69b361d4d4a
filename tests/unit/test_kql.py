"""The KQL of Data Explorer and of Log Analytics, judged by Microsoft's own parser against the tables' schemas."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.operations.targets import target_of
from tests.tools.kql.parser import Answer, Script, ask
from tests.tools.kql.workspace import WORKSPACE
from tests.unit.operations.test_targets import APPENDIX

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "sql" / "kql"
DATABASE = [*sorted(FOLDER.glob("*.kql")), *sorted((FOLDER / "queries").glob("*.kql"))]
LOG_ANALYTICS = sorted((FOLDER / "log-analytics").glob("*.kql"))
QUESTIONS = sorted(path.stem for path in (FOLDER / "queries").glob("*.kql"))


GUARDED = ("iff(array_length(", "iff(isnotnull(Body.records)")
"""How an expanded array begins that is never empty; an envelope without records tells of no call."""


def scripts(paths: list[Path]) -> list[Script]:
    return [Script(path.relative_to(FOLDER).as_posix(), path.read_text(encoding="utf-8")) for path in paths]


def function_of(question: str) -> str:
    return "".join(word.capitalize() for word in question.split("_"))


@pytest.fixture(scope="module")
def database() -> Answer:
    return ask(scripts(DATABASE))


@pytest.fixture(scope="module")
def workspace() -> Answer:
    return ask(scripts(LOG_ANALYTICS), WORKSPACE)


# The check itself


FAULTY = {
    "an unknown column": ".create-or-alter function F() {\n    T | project B\n}",
    "an unknown table": ".create-or-alter function F() {\n    U\n}",
    "an unknown function": ".create-or-alter function F() {\n    T | extend B = nothing(A)\n}",
    "too few arguments": ".create-or-alter function F() {\n    T | extend B = G(A, 1)\n}",
    "a missing bracket": ".create-or-alter function F() {\n    T | where (A == 'x'\n}",
    "an unknown command": ".invent table T",
    "a function that is made later": ".create-or-alter function F() {\n    Later()\n}",
    "a query of an unknown column": "T | summarize count() by C",
}
SOUND = """.create-merge table T (A: string)

.create-or-alter function G(a: string) {
    strcat(a, '!')
}"""


@pytest.mark.slow
def test_the_check_finds_each_kind_of_fault() -> None:
    later = Script("later", ".create-or-alter function Later() {\n    T\n}")
    # Each of another name, for a function made twice is known twice.
    faulty = [Script(name, text.replace(" F(", f" F{place}(")) for place, (name, text) in enumerate(FAULTY.items())]

    answer = ask([Script("sound", SOUND), *faulty, later])

    assert {command.script for command in answer.commands if command.faults} == set(FAULTY)


# What stops a query where there is much, or little


@pytest.mark.parametrize("path", [*DATABASE, *LOG_ANALYTICS], ids=lambda path: path.stem)
def test_no_query_holds_what_breaks_with_millions_of_calls(path: Path) -> None:
    text = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))

    # The right side of a lookup goes to every node, and may have some tens of megabytes; `in` takes a million values.
    assert not re.search(r"\blookup\b", text)
    assert not re.search(r"\b!?in~? *\((?!['\d])", text)
    assert re.findall(r"\bjoin (?!kind = \w+ hint\.strategy = shuffle )", text) == []


@pytest.mark.parametrize("path", [*DATABASE, *LOG_ANALYTICS], ids=lambda path: path.stem)
def test_an_empty_array_takes_no_call_away(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    expanded = re.findall(r"\| mv-expand (?:with_itemindex = \w+ )?\w+ = (.*)", text)

    assert [one for one in expanded if not one.startswith(("pack_array('", "pack_array(Backend", *GUARDED))] == []


# Data Explorer


def faults(answer: Answer) -> list[str]:
    return [f"{one.script}:{one.line}: {fault}" for one in answer.commands for fault in one.faults]


@pytest.mark.slow
def test_every_command_is_sound_against_the_tables(database: Answer) -> None:
    assert faults(database) == []
    assert {command.script for command in database.commands} == {script.name for script in scripts(DATABASE)}


@pytest.mark.parametrize("path", DATABASE, ids=lambda path: path.name)
def test_a_database_script_may_run_every_command(path: Path) -> None:
    # What a script resource of Azure Resource Manager takes; and Bicep loads no longer text.
    text = path.read_text(encoding="utf-8")
    verbs = re.findall(r"^\.([a-z-]+)", text, re.MULTILINE)

    assert verbs
    assert set(verbs) <= {"create", "create-merge", "create-or-alter", "alter", "alter-merge", "add"}
    assert len(text) < 131_072


def test_the_template_runs_every_script_in_its_order() -> None:
    template = (ROOT / "infra" / "modules" / "data-explorer.bicep").read_text(encoding="utf-8")

    assert re.findall(r"loadTextContent\('\.\./\.\./sql/kql/([^']+)'\)", template) == [
        one.name for one in scripts(DATABASE)
    ]


def test_the_template_reads_both_hubs_into_the_table_of_events() -> None:
    template = (ROOT / "infra" / "modules" / "data-explorer.bicep").read_text(encoding="utf-8")
    mapped = set(re.findall(r'"Path": "\$\.(x-opt-[a-z-]+)"', (FOLDER / "1-tables.kql").read_text(encoding="utf-8")))
    properties = re.search(r"eventSystemProperties: \[([^\]]*)\]", template)

    assert "tableName: 'RawEvent'" in template
    assert re.search(r"var mappingNames = \[\s*'gateway'\s*'monitor'\s*\]", template)
    assert properties
    assert set(re.findall(r"'([^']+)'", properties[1])) == mapped


def blocks(name: str, pattern: str) -> dict[str, Any]:
    """Return the JSON behind each command of a script that matches `pattern`, by what the pattern captures."""
    text = (FOLDER / name).read_text(encoding="utf-8")
    return {found[1]: json.loads(found[2]) for found in re.finditer(pattern + r"\n```\n([^`]*)```", text)}


def test_every_column_of_an_event_is_mapped_for_each_hub(database: Answer) -> None:
    mappings = blocks("1-tables.kql", r"table RawEvent ingestion json mapping '(\w+)'")

    assert set(mappings) == {"gateway", "monitor"}
    for hub, mapping in mappings.items():
        assert [column["column"] for column in mapping] == list(database.tables["RawEvent"])
        assert mapping[0]["Properties"] == {"ConstValue": hub}


def test_every_update_policy_writes_its_table_column_for_column(database: Answer) -> None:
    policies = blocks("3-update-policies.kql", r"\.alter table (\w+) policy update")

    assert set(policies) == set(database.tables) - {"RawEvent"}
    for table, (policy,) in policies.items():
        written = database.named(policy["Query"].removesuffix("()")).columns
        assert list((written or {}).items()) == list(database.tables[table].items())
        assert policy["Source"] == "RawEvent"
        assert policy["IsEnabled"]
        assert policy["IsTransactional"], "an event must be in its tables or still in the hub"


def test_only_what_is_for_unrestricted_viewers_touches_content() -> None:
    text = "\n".join(script.text for script in scripts(DATABASE))
    functions = re.findall(
        r"^\.create-or-alter function with \((.*?)\) (\w+)\([^{]*(\{.*?^\})", text, re.MULTILINE | re.DOTALL
    )
    reading = {
        name: note for note, name, body in functions if re.search(r"^\s*(Content\b|.*\bPrompt\()", body, re.MULTILINE)
    }

    assert ".alter table Content policy restricted_view_access true" in text
    assert set(reading) == {"Prompt", "Prompts"}
    assert all("For unrestricted viewers only" in note for note in reading.values())


def test_operations_are_told_as_the_app_tells_them() -> None:
    text = (FOLDER / "2-reading.kql").read_text(encoding="utf-8")
    rules = re.findall(r"below matches regex @'([^']+)', '([^']+)'", text)

    def told(path: str) -> str:
        below = re.sub(r"^.*/(?:openai|v1)/", "/", re.sub(r"^.*/deployments/[^/]+", "", path.lower()))
        return (
            next((operation for pattern, operation in rules if re.search(pattern, below)), "other")
            if below
            else "deployments"
        )

    paths = [f"{prefix}{end}" for end, _, _ in APPENDIX for prefix in ("/openai", "/openai/v1", "/team/openai", "")]
    assert {path: told(path) for path in paths} == {path: target_of(path).operation or "other" for path in paths}


# The same question in T-SQL and in KQL


def columns_of_sql(question: str) -> list[str]:
    statement = (ROOT / "sql" / "queries" / f"{question}.sql").read_text(encoding="utf-8")
    last = statement[statement.rindex("\nselect ") :]
    return re.findall(r"\bas ([A-Z]\w+)", last)


def test_every_question_is_there_in_both_languages() -> None:
    assert sorted(path.stem for path in (ROOT / "sql" / "queries").glob("*.sql")) == QUESTIONS
    assert {path.stem for path in LOG_ANALYTICS} <= set(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_answers_the_same_columns_in_both_languages(question: str, database: Answer) -> None:
    columns = database.named(function_of(question)).columns

    assert columns_of_sql(question) == list(columns or {})


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_version_of_a_question_names_the_other(question: str) -> None:
    here, there = f"sql/queries/{question}.sql", f"sql/kql/queries/{question}.kql"

    assert f"T-SQL: {here}" in (ROOT / there).read_text(encoding="utf-8")
    assert f"KQL:  {there}" in (ROOT / here).read_text(encoding="utf-8")


# Log Analytics


@pytest.mark.slow
def test_every_saved_query_is_sound_against_the_workspace(workspace: Answer) -> None:
    assert faults(workspace) == []
    assert len(workspace.commands) == len(LOG_ANALYTICS)


@pytest.mark.parametrize("path", LOG_ANALYTICS, ids=lambda path: path.stem)
def test_a_saved_query_answers_the_columns_of_its_question(path: Path, workspace: Answer) -> None:
    (command,) = [one for one in workspace.commands if one.script == path.relative_to(FOLDER).as_posix()]

    assert list(command.columns or {}) == columns_of_sql(path.stem)


# The page


def test_the_queries_page_shows_every_question_side_by_side() -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")

    for question in QUESTIONS:
        assert f"sql/queries/{question}.sql" in page
        assert f"sql/kql/queries/{question}.kql" in page
        assert f"{function_of(question)}(" in page
    assert [path.name for path in LOG_ANALYTICS if f"sql/kql/log-analytics/{path.name}" not in page] == []


def test_the_queries_page_explains_every_table_and_its_columns(database: Answer) -> None:
    page = (ROOT / "docs" / "queries.md").read_text(encoding="utf-8")

    assert [name for name in database.tables if f"`{name}`" not in page] == []


def test_every_function_says_what_it_answers() -> None:
    text = "\n".join(script.text for script in scripts(DATABASE))
    functions = re.findall(r"^\.create-or-alter function (.*)$", text, re.MULTILINE)

    assert [head for head in functions if not re.match(r"with \(folder = '\w+', docstring = '[^']+'\) ", head)] == []
