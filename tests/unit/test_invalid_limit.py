"""A batch of which too much cannot be read is refused; noise is not."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine

from shared import bootstrap
from shared.domain.delivery import DEFAULT_LIMIT, NO_LIMIT, InvalidLimit
from shared.errors import ConfigurationError, TooManyInvalidError
from shared.services.ingest import IngestOutcome, ingest
from shared.settings import Settings
from shared.stores.sql import tables
from shared.stores.sql.content import SqlContentStore
from shared.stores.sql.ledger import SqlLedger
from tests.builders import events
from tests.builders.databases import new_sqlite


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = new_sqlite(tmp_path)
    yield engine
    engine.dispose()


def a_batch(*, bad: int, good: int) -> list[bytes]:
    return [events.poison() + bytes([number]) for number in range(bad)] + [
        events.a_request(f"call-{number}") for number in range(good)
    ]


def stored(engine: Engine, bodies: list[bytes], limit: InvalidLimit = DEFAULT_LIMIT) -> IngestOutcome:
    batch = events.deliveries(*bodies)
    return ingest(batch, ledger=SqlLedger(engine), content=SqlContentStore(engine), limit=limit)


def test_a_batch_with_too_many_unreadable_events_is_refused_before_anything_is_written(engine: Engine) -> None:
    with pytest.raises(TooManyInvalidError, match="60 of 64 events cannot be read, the first at gateway/0/0"):
        stored(engine, a_batch(bad=60, good=4))

    with engine.connect() as connection:
        counts = [
            connection.scalar(sa.select(sa.func.count()).select_from(table))
            for table in (tables.content, tables.quarantine, tables.delivery, tables.interaction, tables.hub_partition)
        ]
    assert counts == [0] * 5


@pytest.mark.parametrize(
    ("bad", "good"),
    [
        pytest.param(1, 0, id="all of a batch of one"),
        pytest.param(12, 0, id="the count is not passed"),
        pytest.param(32, 32, id="the ratio is not passed"),
    ],
)
def test_noise_goes_to_quarantine_and_stops_nothing(engine: Engine, bad: int, good: int) -> None:
    outcome = stored(engine, a_batch(bad=bad, good=good))

    assert (outcome.received, outcome.quarantined) == (bad + good, bad)


def test_an_operator_raises_the_limit_and_the_same_batch_is_stored(engine: Engine) -> None:
    batch = a_batch(bad=60, good=4)
    with pytest.raises(TooManyInvalidError):
        stored(engine, batch)

    outcome = stored(engine, batch, NO_LIMIT)

    assert outcome == IngestOutcome(received=64, quarantined=60, pending=4)


@given(st.integers(0, 300), st.integers(0, 300))
def test_any_batch_passes_where_there_is_no_limit(invalid: int, others: int) -> None:
    assert not NO_LIMIT.refuses(invalid, invalid + others)


@given(st.integers(0, 300), st.integers(0, 300))
def test_any_batch_is_refused_only_when_count_and_ratio_are_passed(invalid: int, others: int) -> None:
    refused = InvalidLimit(count=50, ratio=0.5).refuses(invalid, invalid + others)

    assert refused == (invalid > 50 and invalid > others)


def read(**environment: str) -> Settings:
    return Settings.read({"PROMPTLEDGER_DATABASE": "sqlite://", **environment})


def test_the_limit_and_the_wait_are_settings_with_defaults() -> None:
    told = read(PROMPTLEDGER_INVALID_COUNT="7", PROMPTLEDGER_INVALID_RATIO="0.25", PROMPTLEDGER_PENDING_MINUTES="5")

    assert (told.invalid_limit, told.pending_minutes) == (InvalidLimit(count=7, ratio=0.25), 5)
    assert (read().invalid_limit, read().pending_minutes) == (InvalidLimit(count=12, ratio=0.5), 60)
    assert read(PROMPTLEDGER_INVALID_COUNT="").invalid_limit == DEFAULT_LIMIT


def test_the_triggers_ingest_goes_by_the_settings(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", str(engine.url))
    monkeypatch.setenv("PROMPTLEDGER_INVALID_COUNT", "2")

    with pytest.raises(TooManyInvalidError):
        bootstrap.services().ingest(events.deliveries(*a_batch(bad=3, good=0)))


@pytest.mark.parametrize(
    "setting",
    [
        {"PROMPTLEDGER_INVALID_COUNT": "many"},
        {"PROMPTLEDGER_INVALID_COUNT": "-1"},
        {"PROMPTLEDGER_INVALID_RATIO": "1.5"},
        {"PROMPTLEDGER_INVALID_RATIO": "nan"},
        {"PROMPTLEDGER_PENDING_MINUTES": "0"},
        {"PROMPTLEDGER_PENDING_MINUTES": "1.5"},
    ],
    ids=str,
)
def test_a_number_that_is_none_is_refused_by_name(setting: Mapping[str, str]) -> None:
    (name,) = setting

    with pytest.raises(ConfigurationError, match=name):
        read(**setting)
