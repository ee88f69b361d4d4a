"""Measurements -> OpenTelemetry: to Application Insights, or to the exporter that the settings name.

Nothing here is imported before metrics go somewhere: the SDK takes as long as indexing all functions does.
"""

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from shared.errors import ConfigurationError
from shared.settings import TelemetrySettings
from shared.telemetry import METRICS, SILENT, Metric, Recorder

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricReader

__all__ = ["OpenTelemetryRecorder", "recorder"]

_EXPORTERS: Final = "opentelemetry_metrics_exporter"
"""The group under which packages register exporters; what OTEL_METRICS_EXPORTER names."""
_OTLP: Final = {"otlp": "otlp_proto_http"}
_PRIVATE: Final = ("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED")


def recorder(settings: TelemetrySettings) -> Recorder:
    """Return where measurements go: Application Insights first, then the named exporter, else nowhere.

    Raises:
        ConfigurationError: the exporter is not known, or its connection string cannot be read.
    """
    if settings.connection_string:
        exporter = _application_insights(settings)
    elif settings.exporter not in ("", "none"):
        exporter = _named(settings.exporter)
    else:
        return SILENT
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415  # see above

    return OpenTelemetryRecorder(PeriodicExportingMetricReader(exporter), settings.site or "promptledger")


class OpenTelemetryRecorder:
    """`shared.telemetry.Recorder` on an OpenTelemetry meter of its own."""

    def __init__(self, reader: "MetricReader", site: str) -> None:
        """Send through `reader`, in the name of `site`."""
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415  # see above
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        self._provider = MeterProvider([reader], Resource.create({"service.name": site}))
        meter = self._provider.get_meter("promptledger")
        self._instruments = {metric.name: _instrument(meter, metric) for metric in METRICS}

    def record(self, metric: Metric, value: float, **attributes: str) -> None:
        """Take a measurement; see the protocol."""
        self._instruments[metric.name](value, attributes)

    def close(self) -> None:
        """Send what was not sent yet, and stop."""
        self._provider.shutdown()


def _instrument(meter: "Meter", metric: Metric) -> Callable[[float, dict[str, str]], None]:
    about: dict[str, Any] = {"unit": metric.unit, "description": metric.meaning}
    if metric.kind == "counter":
        return meter.create_counter(metric.name, **about).add
    if metric.kind == "gauge":
        return meter.create_gauge(metric.name, **about).set
    return meter.create_histogram(metric.name, explicit_bucket_boundaries_advisory=metric.buckets, **about).record


def _application_insights(settings: TelemetrySettings) -> "MetricExporter":
    # What the exporter would tell its makers of itself, and ask them, is traffic that nobody here wants.
    for name in _PRIVATE:
        os.environ.setdefault(name, "true")
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter  # noqa: PLC0415  # see above

    members = dict(part.lower().split("=", 1) for part in settings.authentication.split(";") if "=" in part)
    credential = None
    if members.get("authorization") == "aad":
        from azure.identity import ManagedIdentityCredential  # noqa: PLC0415  # only with an identity

        credential = ManagedIdentityCredential(client_id=members.get("clientid"))
    try:
        return AzureMonitorMetricExporter(connection_string=settings.connection_string, credential=credential)
    except ValueError as error:
        raise ConfigurationError("APPLICATIONINSIGHTS_CONNECTION_STRING cannot be read") from error


def _named(name: str) -> "MetricExporter":
    for found in entry_points(group=_EXPORTERS, name=_OTLP.get(name, name)):
        exporter: MetricExporter = found.load()()
        return exporter
    known = sorted({one.name for one in entry_points(group=_EXPORTERS)} | {"none"})
    raise ConfigurationError(f"OTEL_METRICS_EXPORTER must be one of {', '.join(known)}, not {name!r}")
