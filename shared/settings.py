"""Every setting of the app: name, meaning, default. Read once, by bootstrap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from shared.errors import ConfigurationError

__all__ = ["APP_SETTINGS", "HOST_SETTINGS", "Cosmos", "Settings"]

APP_SETTINGS = {
    "PROMPTLEDGER_DATABASE": "SQLAlchemy URL of the ledger: sqlite:///file or mssql+pyodbc://...",
    "PROMPTLEDGER_AUTH": "who may ask: `local` trusts role headers, on a loopback address only",
    "PROMPTLEDGER_CONTENT": "where texts and bodies are kept: `sql`, beside the ledger, or `cosmos`",
    "PROMPTLEDGER_COSMOS_ENDPOINT": "URL of the Cosmos DB account, read and written with the app's identity",
    "PROMPTLEDGER_COSMOS_DATABASE": "database in that account",
    "PROMPTLEDGER_COSMOS_CONTAINER": "container in that database, partitioned by /interactionId",
    "PROMPTLEDGER_COSMOS_KEY": "key of the local emulator; refused elsewhere",
    "PROMPTLEDGER_CONTENT_DAYS": "days that Cosmos DB keeps the content of calls; 0 is for ever",
    "PROMPTLEDGER_ASIDE_DAYS": "days that Cosmos DB keeps records that speak of no call; 0 is for ever",
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
_CONTENT_STORES = ("sql", "cosmos")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosmos:
    """Where Cosmos DB keeps content, and for how long."""

    endpoint: str
    database: str
    container: str
    key: str | None = field(default=None, repr=False)
    """Of the emulator on this machine; None signs in with the app's identity."""
    content_days: int = 0
    """0 is for ever."""
    aside_days: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """What the app itself reads."""

    database_url: str
    auth: str
    in_azure: bool
    """The platform names the app's site in the environment."""
    cosmos: Cosmos | None = None
    """None keeps content in the ledger's database."""

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
        in_azure = "WEBSITE_SITE_NAME" in environment
        return cls(
            database_url=database_url,
            auth=auth,
            in_azure=in_azure,
            cosmos=_cosmos(environment, in_azure=in_azure),
        )


def _cosmos(environment: Mapping[str, str], *, in_azure: bool) -> Cosmos | None:
    content = environment.get("PROMPTLEDGER_CONTENT") or "sql"
    if content not in _CONTENT_STORES:
        raise ConfigurationError(f"PROMPTLEDGER_CONTENT must be one of {', '.join(_CONTENT_STORES)}, not {content!r}")
    if content != "cosmos":
        return None
    endpoint = _needed(environment, "PROMPTLEDGER_COSMOS_ENDPOINT")
    host = urlsplit(endpoint)
    if host.scheme != "https" or not host.hostname:
        raise ConfigurationError("PROMPTLEDGER_COSMOS_ENDPOINT is not an https URL")
    key = environment.get("PROMPTLEDGER_COSMOS_KEY") or None
    if key is not None and (in_azure or host.hostname not in _LOOPBACK):
        raise ConfigurationError(
            "PROMPTLEDGER_COSMOS_KEY is for an emulator on this machine: elsewhere identity signs in"
        )
    return Cosmos(
        endpoint=endpoint,
        database=_needed(environment, "PROMPTLEDGER_COSMOS_DATABASE"),
        container=_needed(environment, "PROMPTLEDGER_COSMOS_CONTAINER"),
        key=key,
        content_days=_whole(environment, "PROMPTLEDGER_CONTENT_DAYS", 0),
        aside_days=_whole(environment, "PROMPTLEDGER_ASIDE_DAYS", 0),
    )


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set")
    return value


def _whole(environment: Mapping[str, str], name: str, default: int) -> int:
    value = environment.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 9):
        raise ConfigurationError(f"{name} must be a whole number, not {value!r}")
    return int(value)
