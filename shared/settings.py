"""Every setting of the app: name, meaning, default. Read once, by bootstrap."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from shared.errors import ConfigurationError

__all__ = ["APP_SETTINGS", "HOST_SETTINGS", "Settings"]

APP_SETTINGS = {
    "PROMPTLEDGER_DATABASE": "SQLAlchemy URL of the ledger: sqlite:///file or mssql+pyodbc://...",
    "PROMPTLEDGER_AUTH": "who may ask: `local` trusts role headers, on a loopback address only",
    "AZURE_CLIENT_ID": "client id of the app's user-assigned identity; empty: the system-assigned one",
    "PYTHON_THREADPOOL_THREAD_COUNT": "threads of the worker, which reads it too: as many functions run at once",
}
"""Settings that `Settings` reads."""

HOST_SETTINGS = {
    "AzureWebJobsStorage": "storage of the Functions host: checkpoints, timer leases, keys",
    "FUNCTIONS_WORKER_RUNTIME": "always python",
    "EVENT_HUBS__fullyQualifiedNamespace": "Event Hubs namespace, read with the app's identity",
    "GATEWAY_HUB_NAME": "hub of the API Management policy's events",
    "MONITOR_HUB_NAME": "hub of the diagnostic settings' logs",
    "HUB_CONSUMER_GROUP": "the app's own consumer group on both hubs",
    "ROLLUP_SCHEDULE": "NCRONTAB of rebuild_usage_rollups",
}
"""Settings that the Functions host resolves in bindings; the app never reads them."""

_AUTH_MODES = ("local",)
_MOST_THREADS = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the app itself reads."""

    database_url: str
    auth: str
    in_azure: bool
    """The platform names the app's site in the environment."""
    client_id: str | None = None
    threads: int = 8
    """Functions that run at once; the audit API asks with as many threads more."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from `environment`.

        Raises:
            ConfigurationError: a setting is missing or malformed; the message names it.
        """
        database_url = environment.get("PROMPTLEDGER_DATABASE", "")
        if not database_url:
            raise ConfigurationError("PROMPTLEDGER_DATABASE is not set: give a SQLAlchemy URL")
        auth = environment.get("PROMPTLEDGER_AUTH", "local")
        if auth not in _AUTH_MODES:
            raise ConfigurationError(f"PROMPTLEDGER_AUTH must be one of {', '.join(_AUTH_MODES)}, not {auth!r}")
        return cls(
            database_url=database_url,
            auth=auth,
            in_azure="WEBSITE_SITE_NAME" in environment,
            client_id=environment.get("AZURE_CLIENT_ID") or None,
            threads=_threads(environment.get("PYTHON_THREADPOOL_THREAD_COUNT", "")),
        )


def _threads(value: str) -> int:
    if not value:
        return min(32, (os.cpu_count() or 1) + 4)  # as the worker does, and Python's own pools
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= _MOST_THREADS):
        raise ConfigurationError(f"PYTHON_THREADPOOL_THREAD_COUNT must be a number from 1 to {_MOST_THREADS}")
    return int(value)
