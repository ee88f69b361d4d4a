"""What is told again counts once: a run that is polled and read step by step, a response, a call of many sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.services.ingest import ingest
from shared.services.rollup import rebuild_usage_rollups
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from tests.builders.databases import new_sqlite
from tests.builders.events import a_request, a_response, deliveries
from tests.builders.histories import HISTORIES

RUN = {"id": "run_1", "object": "thread.run", "model": "gpt-4o"}
STEP = {"id": "step_1", "object": "thread.run.step", "run_id": "run_1", "status": "completed"}
RESPONSE = {"id": "resp_1", "object": "response", "model": "gpt-5", "output": []}


def of_run(total: int) -> dict[str, object]:
    return {"usage": {"prompt_tokens": total - 5, "completion_tokens": 5, "total_tokens": total}}


def of_response(total: int) -> dict[str, object]:
    return {"usage": {"input_tokens": total - 5, "output_tokens": 5, "total_tokens": total}}


CALLS = [
    ("POST", "/openai/threads/thread_1/runs", RUN | {"status": "queued", "usage": None}),
    ("GET", "/openai/threads/thread_1/runs/run_1", RUN | {"status": "in_progress", "usage": None}),
    ("GET", "/openai/threads/thread_1/runs/run_1/steps/step_1", STEP | of_run(40)),
    ("GET", "/openai/threads/thread_1/runs/run_1", RUN | {"status": "completed"} | of_run(100)),
    ("GET", "/openai/threads/thread_1/runs/run_1", RUN | {"status": "completed"} | of_run(100)),
    ("GET", "/openai/threads/thread_1/runs", {"object": "list", "data": [RUN | of_run(100)]}),
    ("GET", "/openai/threads/thread_1/runs/run_1/steps", {"object": "list", "data": [STEP | of_run(40)]}),
    ("POST", "/openai/v1/responses", RESPONSE | {"status": "queued", "usage": None}),
    ("GET", "/openai/v1/responses/resp_1", RESPONSE | {"status": "completed"} | of_response(30)),
    ("POST", "/openai/v1/responses/resp_1/cancel", RESPONSE | {"status": "completed"} | of_response(30)),
    ("GET", "/openai/v1/responses/resp_1/input_items", {"object": "list", "data": [{"type": "message"}]}),
    ("POST", "/openai/v1/responses", RESPONSE | {"id": "resp_2", "status": "completed"} | of_response(30)),
]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def totals(engine: Engine) -> dict[str, tuple[int, int]]:
    """Return requests and tokens by operation."""
    c = tables.usage_month.c
    query = sa.select(c.operation, sa.func.sum(c.requests), sa.func.sum(c.total_tokens)).group_by(c.operation)
    with engine.connect() as connection:
        return {operation: (requests, tokens) for operation, requests, tokens in connection.execute(query)}


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "the last first"])
def test_usage_that_is_repeated_counts_once_and_each_call_is_a_request(engine: Engine, step: int) -> None:
    rollups = SqlUsageRollups(engine)
    for number, (method, url, body) in list(enumerate(CALLS))[::step]:
        hour = f"2026-03-02T{number + 6:02d}:00:0"
        events = (
            a_request(f"call-{number}", time=f"{hour}0.000Z", method=method, url=url, operationId=None, body=None),
            a_response(f"call-{number}", time=f"{hour}1.000Z", body=body),
        )
        ingest(deliveries(*events), ledger=SqlLedger(engine), content=SqlContentStore(engine))
        # After every call, as the timer may come at any time.
        rebuild_usage_rollups(rollups)

    assert totals(engine) == {"threads.runs": (5, 100), "threads.runs.steps": (2, 0), "responses": (5, 60)}


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "the last first"])
@pytest.mark.parametrize("name", HISTORIES)
def test_each_kind_of_call_that_is_joined_or_told_again_counts_once(engine: Engine, name: str, step: int) -> None:
    history = HISTORIES[name]
    for body in history.bodies[::step]:
        ingest(deliveries(body), ledger=SqlLedger(engine), content=SqlContentStore(engine))
        rebuild_usage_rollups(SqlUsageRollups(engine))

    told = totals(engine).values()
    assert (sum(requests for requests, _ in told), sum(tokens for _, tokens in told)) == history[2:]
