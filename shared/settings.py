"""Every setting of the app: name, meaning, default. Read once, by bootstrap."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from shared.domain.invalid_limit import DEFAULT_LIMIT, InvalidLimit
from shared.errors import ConfigurationError

__all__ = ["APP_SETTINGS", "HOST_SETTINGS", "Settings", "TelemetrySettings"]

APP_SETTINGS = {
    "PROMPTLEDGER_DATABASE": "SQLAlchemy URL of the ledger: sqlite:///file or mssql+pyodbc://...",
    "PROMPTLEDGER_AUTH": "who may ask: `local` trusts role headers, on a loopback address only",
    "PROMPTLEDGER_INVALID_COUNT": "a batch with more unreadable events than this, and than the ratio, is refused",
    "PROMPTLEDGER_INVALID_RATIO": "see above: the share of a batch, 0 to 1; at 1 none is refused",
    "PROMPTLEDGER_PENDING_MINUTES": "how long an interaction waits for its parts before it is given up",
    "APPLICATIONINSIGHTS_CONNECTION_STRING": "metrics go to this Application Insights",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": "`Authorization=AAD`: with the app's identity",
    "OTEL_METRICS_EXPORTER": "metrics go to this OpenTelemetry exporter: `console`, `otlp`, or `none`",
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
    "EXPIRE_SCHEDULE": "NCRONTAB of expire_pending_fragments",
    "COMPLETENESS_SCHEDULE": "NCRONTAB of check_completeness",
}
"""Settings that the Functions host resolves in bindings; the app never reads them."""

_AUTH_MODES = ("local",)
_PENDING_MINUTES: Final = 60

_Number = TypeVar("_Number", int, float)


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
    in_azure: bool
    """The platform names the app's site in the environment."""
    invalid_limit: InvalidLimit = DEFAULT_LIMIT
    pending_minutes: int = _PENDING_MINUTES
    telemetry: TelemetrySettings = TelemetrySettings()

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
            invalid_limit=InvalidLimit(
                count=_number(environment, "PROMPTLEDGER_INVALID_COUNT", int, DEFAULT_LIMIT.count),
                ratio=_number(environment, "PROMPTLEDGER_INVALID_RATIO", float, DEFAULT_LIMIT.ratio, most=1.0),
            ),
            pending_minutes=_number(environment, "PROMPTLEDGER_PENDING_MINUTES", int, _PENDING_MINUTES, least=1),
            telemetry=_telemetry(environment),
        )


def _telemetry(environment: Mapping[str, str]) -> TelemetrySettings:
    return TelemetrySettings(
        connection_string=environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip(),
        authentication=environment.get("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "").strip(),
        exporter=environment.get("OTEL_METRICS_EXPORTER", "").strip(),
        site=environment.get("WEBSITE_SITE_NAME", ""),
    )


def _number(
    environment: Mapping[str, str],
    name: str,
    read: Callable[[str], _Number],
    default: _Number,
    *,
    least: float = 0,
    most: float = 1_000_000,
) -> _Number:
    """Return the setting `name` as a number from `least` to `most`; `default` when it is empty or not set."""
    told = environment.get(name, "").strip()
    if not told:
        return default
    try:
        value = read(told)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        raise ConfigurationError(f"{name} must be a number from {least:g} to {most:g}, not {told!r}")
    return value
