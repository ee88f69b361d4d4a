"""How a URL becomes a way to Azure SQL, as far as no connection is made."""

import sys
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from shared.errors import ConfigurationError
from shared.stores.sql import azure_sql
from shared.stores.sql.azure_sql import _completed, _found_driver, _signs_in_by_itself, entra_credential

URL = "mssql+pyodbc://server.database.windows.net/ledger"
NEWEST, OLDER = "ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server"


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_sql, "_PACKAGE", "no_such_package")


def test_the_newest_installed_driver_is_taken() -> None:
    assert _found_driver(["SQLite3", OLDER, NEWEST]) == NEWEST
    assert _found_driver([OLDER]) == OLDER


def test_without_an_installed_driver_that_of_the_package_is_taken() -> None:
    path = Path(_found_driver(["SQLite3"]))

    assert path.is_file()
    assert "msodbcsql" in path.name
    assert "debian_ubuntu" in path.parts or not sys.platform.startswith("linux")


@pytest.mark.usefixtures("no_package")
def test_without_any_driver_the_setting_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"PROMPTLEDGER_DATABASE needs Microsoft's ODBC driver 18"):
        _found_driver([])


def test_a_url_gets_what_it_does_not_say() -> None:
    url = _completed(make_url(URL), lambda: [NEWEST])

    assert dict(url.query) == {"driver": NEWEST, "Encrypt": "yes", "LongAsMax": "yes", "ConnectRetryCount": "0"}


def test_what_a_url_says_stays_as_it_is_however_it_is_spelled() -> None:
    url = _completed(make_url(f"{URL}?driver=FreeTDS&encrypt=strict"), lambda: [NEWEST])

    assert (url.query["driver"], url.query["encrypt"]) == ("FreeTDS", "strict")
    assert "Encrypt" not in url.query


@pytest.mark.parametrize("query", ["odbc_connect=Driver%3Dx%3BServer%3Dy", "dsn=ledger"])
def test_a_connection_string_and_a_data_source_say_everything(query: str) -> None:
    url = make_url(f"mssql+pyodbc://?{query}")

    assert _completed(url, list) == url


@pytest.mark.parametrize("url", ["mssql+pyodbc://", "mssql+pyodbc://server", "mssql+pyodbc:///ledger"])
def test_a_url_names_server_and_database(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must name server and database"):
        _completed(make_url(url), lambda: [NEWEST])


@pytest.mark.parametrize(
    ("url", "itself"),
    [
        (URL, False),
        ("mssql+pyodbc://sa:pass@server/ledger", True),
        (f"{URL}?Authentication=ActiveDirectoryIntegrated", True),
        (f"{URL}?trusted_connection=yes", True),
        ("mssql+pyodbc://?odbc_connect=Server%3Dx%3BUID%3Dsa%3BPWD%3Dy", True),
        ("mssql+pyodbc://?odbc_connect=Server%3Dx%3BDatabase%3Dy", False),
    ],
)
def test_a_url_that_signs_in_by_itself_needs_no_token(url: str, *, itself: bool) -> None:
    assert _signs_in_by_itself(make_url(url)) is itself


def test_in_azure_only_the_managed_identity_signs_in() -> None:
    assert type(entra_credential(managed=True, client_id="1")).__name__ == "ManagedIdentityCredential"
    assert type(entra_credential(managed=False, client_id=None)).__name__ == "DefaultAzureCredential"
