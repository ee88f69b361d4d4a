"""What every test starts from: no settings of this machine, no services of the test before."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

from shared import bootstrap
from shared.settings import APP_SETTINGS, HOST_SETTINGS

# A change is judged by the same examples every time in CI; elsewhere each run looks at new ones.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (
        *APP_SETTINGS,
        *HOST_SETTINGS,
        "WEBSITE_SITE_NAME",
        "WEBSITE_INSTANCE_ID",
        "AZURE_FUNCTIONS_ENVIRONMENT",
    ):
        monkeypatch.delenv(name, raising=False)
    yield
    bootstrap.reset()
