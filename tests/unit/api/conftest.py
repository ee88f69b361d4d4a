"""What every test of the API starts from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.databases import new_sqlite
from tests.builders.exports import MemoryFiles
from tests.unit.api.rows import Client, Ledger, client_of


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    engine = new_sqlite(tmp_path)
    yield Ledger(engine)
    engine.dispose()


@pytest.fixture
def files() -> MemoryFiles:
    return MemoryFiles()


@pytest.fixture
def client(ledger: Ledger, files: MemoryFiles) -> Client:
    return client_of(
        ledger.audit(),
        ledger.quarantine(),
        prices=ledger.prices(),
        restatements=ledger.restatements(),
        capacity=ledger.capacity(),
        costs=ledger.costs(),
        payers=ledger.payers(),
        budgets=ledger.budgets(),
        exports=ledger.exports(files),
    )
