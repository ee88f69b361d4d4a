"""Every contract runs on every store there is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from shared.stores.ports import Ledger
from shared.stores.sql.ledger import SqlLedger
from shared.stores.sql.rollups import SqlUsageRollups
from shared.stores.usage_ports import UsageRollups
from tests.builders.databases import empty_mssql, named_server, new_sqlite
from tests.parts.servers import CosmosEmulator, cosmos_emulator


@pytest.fixture(params=["sqlite", "mssql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Return an engine on an empty, migrated database of each kind."""
    engine = new_sqlite(tmp_path) if request.param == "sqlite" else empty_mssql(named_server())
    yield engine
    engine.dispose()


@pytest.fixture
def ledger(engine: Engine) -> Ledger:
    """Return the ledger of the database."""
    return SqlLedger(engine)


@pytest.fixture
def rollups(engine: Engine) -> UsageRollups:
    """Return the rollups of the database."""
    return SqlUsageRollups(engine)


@pytest.fixture(scope="session")
def cosmos() -> Iterator[CosmosEmulator]:
    """Return the emulator, one for all tests: each makes a container of its own."""
    with cosmos_emulator() as emulator:
        yield emulator
