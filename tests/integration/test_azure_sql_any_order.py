"""Rule 2 on the SQL Server that the environment names: any order, any batches, any repeats, the same rows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from sqlalchemy.engine import Engine

from shared.domain.delivery import Delivery
from shared.stores.sql.tables import metadata
from tests.builders.databases import empty_mssql, memory_folder, named_server, new_sqlite
from tests.unit.test_any_order import histories, replayed_on


@pytest.fixture(scope="module")
def server() -> Iterator[Engine]:
    engine = empty_mssql(named_server())
    yield engine
    engine.dispose()


def _emptied(engine: Engine) -> Engine:
    with engine.begin() as connection:
        for table in metadata.tables.values():
            connection.execute(sa.delete(table))
    return engine


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_any_order_gives_the_same_rows_on_a_server_and_those_that_sqlite_gives(
    server: Engine, history: tuple[list[Delivery], list[list[list[Delivery]]]]
) -> None:
    _, ways = history

    told = [replayed_on(_emptied(server), way) for way in ways]

    with memory_folder() as folder:
        file = new_sqlite(Path(folder))
        assert told == [replayed_on(file, ways[0])] * 2
        file.dispose()
