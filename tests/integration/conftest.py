"""The services, built as in Azure, on a ledger of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.bootstrap import Services, reset, services
from tests.builders.databases import new_sqlite


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    new_sqlite(tmp_path).dispose()
    monkeypatch.setenv("PROMPTLEDGER_DATABASE", f"sqlite:///{tmp_path / 'ledger.db'}")
    reset()
    yield services()
    reset()
