"""Ingest estimates usage where nobody reported it, and lets go of the estimate when somebody does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery, Position
from shared.errors import StoreUnavailableError
from shared.services.ingest import ingest
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events, other_events
from tests.builders.databases import new_sqlite

ID = other_events.GUID
ANSWER = {"object": "chat.completion", "choices": [{"index": 0, "message": {"content": "hello world"}}]}
REQUEST = events.a_request(ID, body={"messages": [{"role": "user", "content": "hello world"}]})
RESPONSE = events.a_response(ID, body=ANSWER)
REPORTED = events.a_response(ID)
TOTAL = other_events.a_toolkit_record(ID)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def store(engine: Engine, *batches: tuple[bytes, ...]) -> dict[str, Any]:
    """Store the batches; return the only interaction's row."""
    sequence = 0
    for bodies in batches:
        deliveries = []
        for body in bodies:
            deliveries.append(Delivery(Position("gateway", "0", sequence, events.ENQUEUED), body))
            sequence += 1
        ingest(deliveries, ledger=SqlLedger(engine), content=SqlContentStore(engine))
    with engine.connect() as connection:
        (row,) = connection.execute(sa.select(tables.interaction)).mappings()
    return dict(row)


def usage(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("input_tokens", "output_tokens", "total_tokens", "usage_provenance"))


@pytest.mark.parametrize("batches", [((REQUEST, RESPONSE),), ((REQUEST,), (RESPONSE,)), ((RESPONSE,), (REQUEST,))])
def test_usage_that_nobody_reported_is_estimated_and_marked(engine: Engine, batches: tuple[Any, ...]) -> None:
    row = store(engine, *batches)

    assert usage(row) == (9, 2, 11, "estimated")
    assert row["sources"] == '["native"]'


def test_a_half_is_not_estimated(engine: Engine) -> None:
    assert usage(store(engine, (REQUEST,))) == (None, None, None, "missing")


def test_a_refused_call_is_not_estimated(engine: Engine) -> None:
    refused = events.a_response(ID, status=400, body={"error": {"code": "content_filter", "message": "no"}})

    assert usage(store(engine, (REQUEST, refused))) == (None, None, None, "missing")


@pytest.mark.parametrize(
    ("later", "known"),
    [
        pytest.param(REPORTED, (11, 1, 12, "reported"), id="all counts"),
        pytest.param(TOTAL, (None, None, 150, "logged"), id="the total only"),
    ],
)
def test_an_estimate_gives_way_to_what_is_told_whenever_it_is_told(
    tmp_path: Path, later: bytes, known: tuple[Any, ...]
) -> None:
    rows = []
    for number, batches in enumerate(
        [((REQUEST, RESPONSE), (later,)), ((later,), (REQUEST,), (RESPONSE,)), ((REQUEST, RESPONSE, later),)]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        engine = new_sqlite(folder)
        rows.append(store(engine, *batches) | {"revision": 0})
        engine.dispose()

    assert usage(rows[0]) == known
    assert rows[0] == rows[1] == rows[2]


def test_a_repeated_batch_changes_nothing(engine: Engine) -> None:
    once = store(engine, (REQUEST, RESPONSE))
    twice = store(engine, (REQUEST, RESPONSE))

    assert once == twice


def test_hours_with_estimates_are_reckoned_anew(engine: Engine) -> None:
    store(engine, (REQUEST, RESPONSE))

    with engine.connect() as connection:
        hours = set(connection.scalars(sa.select(tables.dirty_hour.c.hour)))
    assert hours == {"2026-03-02T09:00:00.000Z"}


def test_personal_data_is_not_counted_twice(engine: Engine) -> None:
    assert usage(store(engine, (other_events.a_pii_record(),))) == (None, None, None, "missing")


def test_what_a_cache_answered_is_not_estimated(engine: Engine) -> None:
    unasked = {"backendUrl": None, "backendId": None, "attempts": None}

    row = store(engine, (REQUEST, events.a_response(ID, body=ANSWER, **unasked)))

    assert row["cached"] is True
    assert usage(row) == (None, None, None, "missing")


def writes(engine: Engine, *bodies: bytes, first: int = 0) -> list[str]:
    """Store a batch; return the statements that wrote interactions."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(("insert into interaction ", "update interaction ")):
            seen.append(" ".join(statement.split()[: 3 if statement.startswith("insert") else 2]))

    sa.event.listen(engine, "before_cursor_execute", note)
    deliveries = [
        Delivery(Position("gateway", "0", first + place, events.ENQUEUED), body) for place, body in enumerate(bodies)
    ]
    ingest(deliveries, ledger=SqlLedger(engine), content=SqlContentStore(engine))
    sa.event.remove(engine, "before_cursor_execute", note)
    return seen


def test_an_estimate_is_part_of_the_batch_s_own_write(engine: Engine) -> None:
    assert writes(engine, REQUEST, RESPONSE) == ["insert into interaction"]
    assert usage(store(engine, (REQUEST, RESPONSE)))[-1] == "estimated"


def test_an_estimate_whose_texts_came_in_two_batches_is_part_of_the_second_one_s_write(engine: Engine) -> None:
    first = writes(engine, REQUEST)
    second = writes(engine, RESPONSE, first=1)

    assert (first, second) == (["insert into interaction"], ["update interaction"])
    assert usage(store(engine, (REQUEST, RESPONSE)))[-1] == "estimated"


def test_an_estimate_and_its_row_are_stored_together_or_not_at_all(engine: Engine) -> None:
    store(engine, (REQUEST,))
    with engine.begin() as connection:
        connection.execute(
            sa.text("create trigger broken before insert on dirty_hour begin select raise(fail, 'disk'); end")
        )

    with pytest.raises(StoreUnavailableError):
        writes(engine, RESPONSE, first=1)

    with engine.connect() as connection:
        (state,) = connection.scalars(sa.select(tables.interaction.c.state))
    assert state == "pending"
