"""Every setting of the app: name, meaning, default. Read once, by bootstrap."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from shared.domain.delivery import DEFAULT_LIMIT, InvalidLimit
from shared.errors import ConfigurationError
from shared.export_settings import ExportSettings
from shared.forward_settings import ForwardSettings
from shared.setting_values import number_in, word_in
from shared.token_settings import TokenSettings

__all__ = [
    "APP_SETTINGS",
    "HOST_SETTINGS",
    "ClaimAccount",
    "ClaimSettings",
    "Cosmos",
    "Settings",
    "TelemetrySettings",
]

APP_SETTINGS = {
    "PROMPTLEDGER_DATABASE": "SQLAlchemy URL of the ledger: sqlite:///file or mssql+pyodbc://...",
    "PROMPTLEDGER_AUTH": "who may ask: `entra`, by token, `app-service`, by its principal, or `local`; unset: nobody",
    "PROMPTLEDGER_TENANT_ID": "ids of the Entra tenants that callers sign in to, with commas between",
    "PROMPTLEDGER_AUDIENCE": "what tokens must be for, with commas between; `entra` needs it",
    "PROMPTLEDGER_AUTHORITY": "where the tenants' keys are; empty: the public cloud",
    "PROMPTLEDGER_SCOPE": "scope that an application needs to ask for somebody",
    "PROMPTLEDGER_CLIENTS": "client ids of the applications that may ask, with commas between; empty: all",
    "PROMPTLEDGER_PURPOSE": "why texts are read: `recorded` where it is stated, or `required`",
    "PROMPTLEDGER_REFRESH_PRICES": "the price book follows the Azure Retail Prices API by itself: `off`, or `on`",
    "PROMPTLEDGER_GRANTS": "texts are read with a second person's leave: `off`, or `required`",
    "PROMPTLEDGER_RATE_LIMIT": "requests a minute that each caller may send to each instance; 0: any number",
    "PROMPTLEDGER_LOCAL_TOKEN": "what `local` callers send where no peer address is known, as under `func start`",
    "PROMPTLEDGER_CONNECT_SECONDS": "how long ingest and timers wait for a connection to Azure SQL",
    "PROMPTLEDGER_API_CONNECT_SECONDS": "how long the audit API waits for one, or for a lock on SQLite, before 503",
    "AZURE_CLIENT_ID": "client id of the app's user-assigned identity; empty: the system-assigned one",
    "PYTHON_THREADPOOL_THREAD_COUNT": "threads of the worker, which reads it too: as many functions run at once",
    "PROMPTLEDGER_CONTENT": "where texts and bodies are kept: `sql`, beside the ledger, or `cosmos`",
    "PROMPTLEDGER_COSMOS_ENDPOINT": "URL of the Cosmos DB account, read and written with the app's identity",
    "PROMPTLEDGER_COSMOS_DATABASE": "database in that account",
    "PROMPTLEDGER_COSMOS_CONTAINER": "container in that database, partitioned by /interactionId",
    "PROMPTLEDGER_COSMOS_KEY": "key of the local emulator; refused elsewhere",
    "PROMPTLEDGER_CONTENT_DAYS": "days that Cosmos DB keeps the content of calls; 0 is for ever",
    "PROMPTLEDGER_ASIDE_DAYS": "days that Cosmos DB keeps records that speak of no call; 0 is for ever",
    "PROMPTLEDGER_CLAIM_CHECK_ACCOUNT": "Blob endpoint whence claimed bodies come; empty: none are fetched",
    "PROMPTLEDGER_CLAIM_CHECK_CONTAINERS": "containers of that account, with commas between; no other is ever read",
    "PROMPTLEDGER_CLAIM_CHECK_MEGABYTES": "largest claimed body, in MiB; six times as much may be in memory",
    "PROMPTLEDGER_CLAIM_CHECK_DAYS": "days after which a body that is not there is not looked for any more",
    "PROMPTLEDGER_EXPORTS": "where exports' files are: a Blob endpoint, or a folder on a laptop; empty: none are made",
    "PROMPTLEDGER_EXPORT_CONTAINER": "container of exports in that account",
    "PROMPTLEDGER_EXPORT_HOURS": "hours after which an export that is not done is given up",
    "PROMPTLEDGER_EXPORT_DAYS": "days that the files of a finished export are kept",
    "PROMPTLEDGER_FORWARD_ENDPOINT": "OTLP endpoint that is told of each call, as a span and metrics; empty: none is",
    "PROMPTLEDGER_FORWARD_HEADERS": "headers for it, `name=value` with commas between; may hold a key",
    "PROMPTLEDGER_FORWARD_TEXTS": "whether it is told of prompts and completions: `off`, or `on`",
    "PROMPTLEDGER_INVALID_COUNT": "a batch with more unreadable events than this, and than the ratio, is refused",
    "PROMPTLEDGER_INVALID_RATIO": "see above: the share of a batch, 0 to 1; at 1 none is refused",
    "PROMPTLEDGER_PENDING_MINUTES": "how long an interaction waits for its parts before it is given up",
    "PROMPTLEDGER_WEBHOOKS": "who is told of alerts: `teams+https://...`, `slack+...` or `json+...`, blanks between",
    "PROMPTLEDGER_WEBHOOK_KEY": "with which alerts are signed; empty: they are not",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "metrics go to this Application Insights",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "`Authorization=AAD`: with the app's identity",
    "OTEL_METRICS_EXPORTER": "metrics go to this OpenTelemetry exporter: `console`, `otlp`, or `none`",
}
"""Settings that `Settings` reads."""

HOST_SETTINGS = {
    "AzureWebJobsStorage": "storage of the Functions host: checkpoints, timer leases, keys",
    "FUNCTIONS_WORKER_RUNTIME": "always python",
    "EVENT_HUBS": "connection string of the Event Hubs emulator; not in Azure, where identity signs in",
    "EVENT_HUBS__fullyQualifiedNamespace": "Event Hubs namespace, read with the app's identity",
    "GATEWAY_HUB_NAME": "hub of the API Management policy's events",
    "MONITOR_HUB_NAME": "hub of the diagnostic settings' logs",
    "HUB_CONSUMER_GROUP": "the app's own consumer group on both hubs",
    "ROLLUP_SCHEDULE": "NCRONTAB of rebuild_usage_rollups",
    "CLAIM_CHECK_SCHEDULE": "NCRONTAB of fetch_claimed_bodies",
    "EXPIRE_SCHEDULE": "NCRONTAB of expire_pending_fragments",
    "COMPLETENESS_SCHEDULE": "NCRONTAB of check_completeness",
    "WORDS_SCHEDULE": "NCRONTAB of index_words",
    "BUDGET_SCHEDULE": "NCRONTAB of check_budgets",
    "PRICES_SCHEDULE": "NCRONTAB of refresh_prices",
    "EXPORT_SCHEDULE": "NCRONTAB of make_exports",
    "FORWARD_SCHEDULE": "NCRONTAB of forward_calls",
}
"""Settings that the Functions host resolves in bindings; the app never reads them."""

_AUTH_MODES = ("", "local", "entra", "app-service")
_GRANTS = ("off", "required")
_SWITCH = ("off", "on")
_PURPOSES = ("recorded", "required")
_AZURE = ("WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID")
_LEAST_TOKEN = 32
_MOST_THREADS = 1000
_CONTENT_STORES = ("sql", "cosmos")
_MEBIBYTE = 1024 * 1024
_WEBHOOK_FORMATS = ("json", "slack", "teams")
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
class ClaimAccount:
    """The storage account of claimed bodies: where it is, or all that an emulator on this machine asks for."""

    url: str = ""
    connection_string: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimSettings:
    """Which claimed bodies are fetched; without an account none are."""

    account: ClaimAccount | None = None
    containers: frozenset[str] = frozenset()
    largest_bytes: int = 64 * _MEBIBYTE
    days: int = 7


_PENDING_MINUTES: Final = 60
_CONNECT_SECONDS: Final = 15
_API_SECONDS: Final = 2
_RATE_LIMIT: Final = 1200


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Where metrics go; nowhere by default."""

    connection_string: str = ""
    authentication: str = ""
    exporter: str = ""
    site: str = ""
    """The app's name in Azure."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the app itself reads."""

    database_url: str
    auth: str
    """Empty when it is not set who may ask: the audit API answers nobody then, all else works."""
    in_azure: bool
    """The platform names the app's site in the environment."""
    signs_in: bool = False
    """The platform says that its authentication stands before the app."""
    tokens: TokenSettings = field(default_factory=TokenSettings)
    needs_purpose: bool = False
    """Whether who reads texts must say why."""
    needs_grant: bool = False
    """Whether who reads texts must have a grant for a case, by a second person."""
    refreshes_prices: bool = False
    """Whether the price book follows the public price list by itself."""
    rate_limit: int = _RATE_LIMIT
    """Requests a minute of each caller; 0 is any number."""
    local_token: str = field(default="", repr=False)
    """Empty outside a developer's machine, as Core Tools tells it."""
    client_id: str | None = None
    connect_seconds: int = _CONNECT_SECONDS
    api_connect_seconds: int = _API_SECONDS
    threads: int = 8
    """Functions that run at once; the audit API asks with as many threads more."""
    cosmos: Cosmos | None = None
    """None keeps content in the ledger's database."""
    claims: ClaimSettings = ClaimSettings()
    exports: ExportSettings = field(default_factory=ExportSettings)
    forward: ForwardSettings = field(default_factory=ForwardSettings)
    invalid_limit: InvalidLimit = DEFAULT_LIMIT
    pending_minutes: int = _PENDING_MINUTES
    telemetry: TelemetrySettings = TelemetrySettings()
    webhooks: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Format and URL of each; a URL may hold a secret."""
    webhook_key: str = field(default="", repr=False)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from `environment`.

        Raises:
            ConfigurationError: a setting is missing or malformed; the message names it.
        """
        database_url = environment.get("PROMPTLEDGER_DATABASE", "")
        if not database_url:
            raise ConfigurationError("PROMPTLEDGER_DATABASE is not set: give a SQLAlchemy URL")
        auth = environment.get("PROMPTLEDGER_AUTH", "")
        if auth not in _AUTH_MODES:
            raise ConfigurationError(f"PROMPTLEDGER_AUTH must be one of {', '.join(_AUTH_MODES[1:])}, not {auth!r}")
        in_azure = any(name in environment for name in _AZURE)
        return cls(
            database_url=database_url,
            auth=auth,
            in_azure=in_azure,
            signs_in=in_azure and environment.get("WEBSITE_AUTH_ENABLED", "").lower() == "true",
            tokens=TokenSettings.read(environment, in_azure=in_azure),
            needs_purpose=word_in(environment, "PROMPTLEDGER_PURPOSE", _PURPOSES) == "required",
            needs_grant=word_in(environment, "PROMPTLEDGER_GRANTS", _GRANTS) == "required",
            refreshes_prices=word_in(environment, "PROMPTLEDGER_REFRESH_PRICES", _SWITCH) == "on",
            local_token=_local_token(environment, in_azure=in_azure),
            client_id=environment.get("AZURE_CLIENT_ID") or None,
            rate_limit=number_in(environment, "PROMPTLEDGER_RATE_LIMIT", int, _RATE_LIMIT),
            connect_seconds=number_in(environment, "PROMPTLEDGER_CONNECT_SECONDS", int, _CONNECT_SECONDS, least=1),
            api_connect_seconds=number_in(environment, "PROMPTLEDGER_API_CONNECT_SECONDS", int, _API_SECONDS, least=1),
            threads=_threads(environment.get("PYTHON_THREADPOOL_THREAD_COUNT", "")),
            cosmos=_cosmos(environment, in_azure=in_azure),
            claims=_claims(environment, in_azure=in_azure),
            exports=ExportSettings.read(environment, in_azure=in_azure),
            forward=ForwardSettings.read(environment),
            invalid_limit=InvalidLimit(
                count=number_in(environment, "PROMPTLEDGER_INVALID_COUNT", int, DEFAULT_LIMIT.count),
                ratio=number_in(environment, "PROMPTLEDGER_INVALID_RATIO", float, DEFAULT_LIMIT.ratio, most=1.0),
            ),
            pending_minutes=number_in(environment, "PROMPTLEDGER_PENDING_MINUTES", int, _PENDING_MINUTES, least=1),
            telemetry=_telemetry(environment),
            webhooks=_webhooks(environment.get("PROMPTLEDGER_WEBHOOKS", ""), in_azure=in_azure),
            webhook_key=environment.get("PROMPTLEDGER_WEBHOOK_KEY", ""),
        )


def _local_token(environment: Mapping[str, str], *, in_azure: bool) -> str:
    token = environment.get("PROMPTLEDGER_LOCAL_TOKEN", "")
    if not token:
        return ""
    if in_azure:
        raise ConfigurationError("PROMPTLEDGER_LOCAL_TOKEN is for a developer's machine; it is refused in Azure")
    if not (token.isascii() and len(token) >= _LEAST_TOKEN):
        raise ConfigurationError(f"PROMPTLEDGER_LOCAL_TOKEN needs {_LEAST_TOKEN} ASCII characters or more")
    # Core Tools says Development; a host that says nothing is in production.
    return token if environment.get("AZURE_FUNCTIONS_ENVIRONMENT", "").lower() == "development" else ""


def _threads(value: str) -> int:
    if not value:
        return min(32, (os.cpu_count() or 1) + 4)  # as the worker does, and Python's own pools
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= _MOST_THREADS):
        raise ConfigurationError(f"PYTHON_THREADPOOL_THREAD_COUNT must be a number from 1 to {_MOST_THREADS}")
    return int(value)


def _cosmos(environment: Mapping[str, str], *, in_azure: bool) -> Cosmos | None:
    if word_in(environment, "PROMPTLEDGER_CONTENT", _CONTENT_STORES) != "cosmos":
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
        content_days=number_in(environment, "PROMPTLEDGER_CONTENT_DAYS", int, 0),
        aside_days=number_in(environment, "PROMPTLEDGER_ASIDE_DAYS", int, 0),
    )


def _claims(environment: Mapping[str, str], *, in_azure: bool) -> ClaimSettings:
    names = environment.get("PROMPTLEDGER_CLAIM_CHECK_CONTAINERS", "").split(",")
    return ClaimSettings(
        account=_claim_account(environment.get("PROMPTLEDGER_CLAIM_CHECK_ACCOUNT", ""), in_azure=in_azure),
        containers=frozenset(name.strip() for name in names if name.strip()),
        largest_bytes=number_in(environment, "PROMPTLEDGER_CLAIM_CHECK_MEGABYTES", int, 64) * _MEBIBYTE,
        days=number_in(environment, "PROMPTLEDGER_CLAIM_CHECK_DAYS", int, 7),
    )


def _claim_account(value: str, *, in_azure: bool) -> ClaimAccount | None:
    if not value:
        return None
    if "AccountKey=" in value:
        if in_azure:
            raise ConfigurationError(
                "PROMPTLEDGER_CLAIM_CHECK_ACCOUNT holds a key, which is for an emulator: in Azure identity signs in"
            )
        return ClaimAccount(connection_string=value)
    if urlsplit(value).scheme != "https" or not urlsplit(value).hostname:
        raise ConfigurationError("PROMPTLEDGER_CLAIM_CHECK_ACCOUNT is no https URL of a Blob endpoint")
    return ClaimAccount(url=value)


def _webhooks(value: str, *, in_azure: bool) -> tuple[tuple[str, str], ...]:
    found = []
    for written in value.split():
        form, _, url = written.partition("+")
        host = urlsplit(url)
        is_local = host.scheme == "http" and host.hostname in _LOOPBACK and not in_azure
        if form not in _WEBHOOK_FORMATS or not host.hostname or not (host.scheme == "https" or is_local):
            # The message must not quote it.
            raise ConfigurationError(
                f"PROMPTLEDGER_WEBHOOKS: give https URLs, each behind one of {', '.join(_WEBHOOK_FORMATS)} and a +"
            )
        found.append((form, url))
    return tuple(found)


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise ConfigurationError(f"{name} is not set")
    return value


def _telemetry(environment: Mapping[str, str]) -> TelemetrySettings:
    return TelemetrySettings(
        connection_string=environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip(),
        authentication=environment.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "").strip(),
        exporter=environment.get("OTEL_METRICS_EXPORTER", "").strip(),
        site=environment.get("WEBSITE_SITE_NAME", ""),
    )
