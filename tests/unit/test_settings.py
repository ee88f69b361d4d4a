"""Every setting is read with a check, and what is wrong with one is said by its name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import ConfigurationError
from shared.settings import ClaimAccount, Cosmos, Settings

ROOT = Path(__file__).parents[2]
LEAST = {"PROMPTLEDGER_DATABASE": "sqlite://"}
COSMOS = LEAST | {
    "PROMPTLEDGER_CONTENT": "cosmos",
    "PROMPTLEDGER_COSMOS_ENDPOINT": "https://account.documents.azure.com:443/",
    "PROMPTLEDGER_COSMOS_DATABASE": "promptledger",
    "PROMPTLEDGER_COSMOS_CONTAINER": "content",
}
EMULATOR = {"PROMPTLEDGER_COSMOS_ENDPOINT": "https://127.0.0.1:8081", "PROMPTLEDGER_COSMOS_KEY": "secret"}
STORAGE = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=secret;BlobEndpoint=http://127.0.0.1:10000/a"
IN_AZURE = {"WEBSITE_SITE_NAME": "promptledger"}


def test_content_is_kept_in_sql_and_nothing_is_claimed_unless_the_settings_say_so() -> None:
    settings = Settings.read(LEAST)

    assert settings.cosmos is None
    assert settings.claims.account is None
    assert (settings.claims.largest_bytes, settings.claims.days) == (64 * 1024 * 1024, 7)


def test_cosmos_db_needs_no_key_in_azure() -> None:
    settings = Settings.read(COSMOS | IN_AZURE | {"PROMPTLEDGER_CONTENT_DAYS": "400", "PROMPTLEDGER_ASIDE_DAYS": "30"})

    assert settings.cosmos == Cosmos(
        endpoint="https://account.documents.azure.com:443/",
        database="promptledger",
        container="content",
        content_days=400,
        aside_days=30,
    )


def test_the_emulator_on_this_machine_may_have_a_key_which_is_never_shown() -> None:
    settings = Settings.read(COSMOS | EMULATOR)

    assert settings.cosmos is not None
    assert settings.cosmos.key == "secret"
    assert "secret" not in repr(settings)


def test_claims_are_met_from_named_containers_of_one_account() -> None:
    settings = Settings.read(
        LEAST
        | {
            "PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": "https://claims.blob.core.windows.net",
            "PROMPTLEDGER_CLAIM_CHECK_CONTAINERS": " bodies,others, ",
            "PROMPTLEDGER_CLAIM_CHECK_MEGABYTES": "8",
            "PROMPTLEDGER_CLAIM_CHECK_DAYS": "2",
        }
    )

    assert settings.claims.account == ClaimAccount(url="https://claims.blob.core.windows.net")
    assert settings.claims.containers == {"bodies", "others"}
    assert (settings.claims.largest_bytes, settings.claims.days) == (8 * 1024 * 1024, 2)


def test_a_key_of_storage_is_never_shown() -> None:
    settings = Settings.read(LEAST | {"PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": STORAGE})

    assert settings.claims.account == ClaimAccount(connection_string=STORAGE)
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "PROMPTLEDGER_DATABASE"),
        (LEAST | {"PROMPTLEDGER_AUTH": "none"}, "PROMPTLEDGER_AUTH"),
        (LEAST | {"PROMPTLEDGER_TENANT_ID": "example.org"}, "PROMPTLEDGER_TENANT_ID"),
        (LEAST | {"PROMPTLEDGER_LOCAL_TOKEN": "secret"}, "PROMPTLEDGER_LOCAL_TOKEN"),
        (LEAST | {"PROMPTLEDGER_LOCAL_TOKEN": "secret" * 8} | IN_AZURE, "PROMPTLEDGER_LOCAL_TOKEN"),
        (LEAST | {"PROMPTLEDGER_CONTENT": "files"}, "PROMPTLEDGER_CONTENT"),
        *((COSMOS | {name: ""}, name) for name in COSMOS if "COSMOS" in name),
        (COSMOS | {"PROMPTLEDGER_COSMOS_ENDPOINT": "http://account"}, "PROMPTLEDGER_COSMOS_ENDPOINT"),
        (COSMOS | {"PROMPTLEDGER_COSMOS_KEY": "secret"}, "PROMPTLEDGER_COSMOS_KEY"),
        (COSMOS | EMULATOR | IN_AZURE, "PROMPTLEDGER_COSMOS_KEY"),
        (COSMOS | {"PROMPTLEDGER_CONTENT_DAYS": "-1"}, "PROMPTLEDGER_CONTENT_DAYS"),
        (COSMOS | {"PROMPTLEDGER_ASIDE_DAYS": "a year"}, "PROMPTLEDGER_ASIDE_DAYS"),
        (LEAST | {"PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": "claims"}, "PROMPTLEDGER_CLAIM_CHECK_ACCOUNT"),
        (LEAST | {"PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": STORAGE} | IN_AZURE, "PROMPTLEDGER_CLAIM_CHECK_ACCOUNT"),
        (LEAST | {"PROMPTLEDGER_CLAIM_CHECK_MEGABYTES": "1.5"}, "PROMPTLEDGER_CLAIM_CHECK_MEGABYTES"),
        (LEAST | {"PROMPTLEDGER_CLAIM_CHECK_DAYS": "٣"}, "PROMPTLEDGER_CLAIM_CHECK_DAYS"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said_by_its_name(environment: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        Settings.read(environment)

    assert "secret" not in str(caught.value)


BUILDING = """
import sys
from shared.bootstrap import services
services()
print(sorted({"azure.cosmos", "azure.identity", "azure.storage.blob"} & set(sys.modules)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environment", "imported"),
    [
        pytest.param(LEAST, "[]", id="neither"),
        pytest.param(COSMOS, "['azure.cosmos']", id="cosmos"),
        pytest.param(
            LEAST | {"PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": "https://claims.blob.core.windows.net"},
            "['azure.storage.blob']",
            id="claims",
        ),
    ],
)
def test_the_services_are_built_without_a_connection_and_import_only_what_the_settings_name(
    environment: dict[str, str], imported: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUILDING], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )

    assert done.stdout.strip() == imported


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
