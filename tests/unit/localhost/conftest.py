import os

import pytest

from localhost.environment import load_settings


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's settings for the test, and the environment as it was after it."""
    values: dict[str, str] = {}
    load_settings(values)
    for name, value in values.items():
        if name not in os.environ:
            monkeypatch.setenv(name, value)
