"""The analysts' queries, run on SQLite: it takes this T-SQL but for the declarations and one function."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.api.rows import Ledger, an_interaction

_FOLDER = Path(__file__).parents[3] / "sql" / "queries"
_RANGE = {"from": "2026-03-02T00:00:00.000Z", "to": "2026-03-03T00:00:00.000Z"}


@pytest.fixture
def connection(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("attach ? as dbo", (ledger.engine.url.database,))
    yield connection
    connection.close()


def run(connection: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    script = (_FOLDER / f"{name}.sql").read_text()
    statement = re.sub(r"(?m)^declare .*;$", "", script).replace("count_big(", "count(")
    return [dict(row) for row in connection.execute(statement, _RANGE)]


def test_usage_is_summed_by_caller_and_model(ledger: Ledger, connection: sqlite3.Connection) -> None:
    call = {"caller_ip": "10.0.0.1", "model": "gpt-4o", "input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    ledger.has(an_interaction("a", **call), an_interaction("b", **call | {"total_tokens": 16}))
    ledger.has(an_interaction("unmetered", caller_ip="10.0.0.1", model="gpt-4o"))
    ledger.has(an_interaction("another", **call | {"model": "o3"}))
    ledger.has(an_interaction("outside", **call, occurred_at="2026-03-03T00:00:00.000Z"))

    first, second = run(connection, "usage_by_caller_and_model")

    assert first == {
        "CallerIp": "10.0.0.1",
        "Model": "gpt-4o",
        "Requests": 3,
        "PromptTokens": 20,
        "CompletionTokens": 10,
        "TotalTokens": 31,
        "AverageTotalTokens": 15.5,
    }
    assert second["Model"] == "o3"


def test_prompts_come_newest_first(ledger: Ledger, connection: sqlite3.Connection) -> None:
    ledger.has(an_interaction("old", occurred_at="2026-03-02T01:00:00.000Z"))
    ledger.has(an_interaction("new", model="gpt-4o", input_tokens=11, prompt_preview="What is"))

    rows = run(connection, "prompts")

    assert [row["Id"] for row in rows] == ["new", "old"]
    assert rows[0] == {
        "Id": "new",
        "OccurredAt": "2026-03-02T09:30:00.123Z",
        "Model": "gpt-4o",
        "InputTokens": 11,
        "PromptPreview": "What is",
    }
