"""What the app reads of its environment."""

import os

import pytest

from shared.errors import ConfigurationError
from shared.settings import Settings

LEAST = {"PROMPTLEDGER_DATABASE": "sqlite://"}


def test_an_empty_client_id_is_none() -> None:
    assert Settings.read(LEAST | {"AZURE_CLIENT_ID": ""}).client_id is None
    assert Settings.read(LEAST | {"AZURE_CLIENT_ID": "0a1b"}).client_id == "0a1b"


def test_threads_are_the_workers_own_number_unless_they_are_set() -> None:
    assert Settings.read(LEAST).threads == min(32, (os.cpu_count() or 1) + 4)
    assert Settings.read(LEAST | {"PYTHON_THREADPOOL_THREAD_COUNT": "12"}).threads == 12


@pytest.mark.parametrize("value", ["0", "-1", "1001", "four", "1.5", "²", " 8"])
def test_threads_that_are_no_number_are_named(value: str) -> None:
    with pytest.raises(ConfigurationError, match="PYTHON_THREADPOOL_THREAD_COUNT must be a number from 1 to 1000"):
        Settings.read(LEAST | {"PYTHON_THREADPOOL_THREAD_COUNT": value})
