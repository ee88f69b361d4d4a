"""Upkeep through the registered functions: a partition that stands still, and the timers."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from localhost.environment import load_settings
from localhost.event_file import FileEvent
from localhost.functions import app_functions
from localhost.hub_events import HubEvent
from localhost.replay import Feeder
from localhost.timers import run_timer
from shared import bootstrap
from shared.stores.sql import tables
from tests.builders import events
from tests.builders.databases import new_sqlite


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    values: dict[str, str] = {}
    load_settings(values)
    engine = new_sqlite(tmp_path)
    for name, value in (values | {"PROMPTLEDGER_DATABASE": str(engine.url)}).items():
        monkeypatch.setenv(name, value)
    engine.dispose()
    bootstrap.reset()
    return engine


def count(engine: Engine, table: sa.Table) -> int:
    with engine.connect() as connection:
        number = connection.scalar(sa.select(sa.func.count()).select_from(table))
    engine.dispose()
    return number or 0


def file_events(*bodies: bytes) -> list[FileEvent]:
    return [
        FileEvent("gateway", "0", HubEvent(place, events.ENQUEUED, None, body)) for place, body in enumerate(bodies)
    ]


def test_a_partition_of_rubbish_stands_still_until_an_operator_lets_it_pass(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PROMPTLEDGER_INVALID_RATIO", "0.5")
    pauses: list[float] = []
    kept: list[int] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        kept.append(count(engine, tables.delivery))
        if len(pauses) == 3:
            monkeypatch.setenv("PROMPTLEDGER_INVALID_RATIO", "1")
            bootstrap.reset()

    rubbish = [events.poison() + str(number).encode() for number in range(60)]

    Feeder(app_functions(), batch_size=64, sleep=wait).feed(file_events(*rubbish, events.a_request()))

    assert (pauses, kept) == ([2, 4, 8], [0, 0, 0])
    assert [message.split()[0] for message in caplog.messages].count("ingest.refused") == 3
    assert (count(engine, tables.quarantine), count(engine, tables.interaction)) == (60, 1)


@pytest.mark.parametrize(
    ("name", "leases"), [("expire_pending_fragments", set()), ("check_completeness", {"completeness"})]
)
def test_a_timer_runs_by_its_name_and_leaves_when_it_ran(engine: Engine, name: str, leases: set[str]) -> None:
    Feeder(app_functions(), batch_size=64).feed(file_events(events.a_request(), events.poison()))

    run_timer(app_functions().timer(name))

    with engine.connect() as connection:
        left = set(connection.scalars(sa.select(tables.lease.c.name)))
    engine.dispose()
    assert left == {name} | leases


def test_the_timer_gives_up_what_waited_for_longer_than_the_setting_says(engine: Engine) -> None:
    Feeder(app_functions(), batch_size=64).feed(file_events(events.a_request("old"), events.a_request("new")))
    with engine.begin() as connection:
        waiting = tables.waiting
        an_hour_ago = sa.update(waiting).where(waiting.c.interaction_id == "old")
        connection.execute(an_hour_ago.values(stored_at="2026-03-02T09:30:00.000Z"))

    run_timer(app_functions().timer("expire_pending_fragments"))

    with engine.connect() as connection:
        states = connection.execute(sa.select(tables.interaction.c.id, tables.interaction.c.state)).all()
    engine.dispose()
    assert {row.id: row.state for row in states} == {"old": "incomplete", "new": "pending"}
